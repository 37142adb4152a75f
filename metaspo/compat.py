"""Names of libraries that are not public, each in one place, with a test that would notice when it is gone.

Nothing is imported here before it is used: this file is below every room.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import RunnableConfig
    from langchain_openai.chat_models.base import BaseChatOpenAI
    from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.pregel import Pregel
    from langsmith import Client
    from openai import AsyncOpenAI
    from psutil import Process
    from sqlite_utils import Migrations


def is_checkpointed(configurable: Mapping[str, Any]) -> bool:
    """Whether a node's state is kept, by the `configurable` of its config: LangGraph names its checkpointer there."""
    return configurable.get("__pregel_checkpointer", configurable.get("thread_id")) is not None


def outer_namespace(checkpoint_namespace: str) -> str:
    """The part of a node's checkpoint namespace that is its parent graphs'; "" in a graph of its own."""
    return checkpoint_namespace.rpartition("|")[0]


def saver_of(graph: "Pregel[Any, Any, Any, Any]", config: "RunnableConfig") -> "BaseCheckpointSaver[Any] | None":
    """The checkpointer that a graph keeps its threads in: its own, or that of the graph around it."""
    saver = config.get("configurable", {}).get("__pregel_checkpointer") or graph.checkpointer
    return None if isinstance(saver, bool) else saver


def given_input(configurable: Mapping[str, Any]) -> Any:
    """The input that a graph begins with, as it was given; None anywhere else, also where a person changes a state."""
    read = configurable.get("__pregel_read")
    return read("__start__") if read else None


def shown_in(configurable: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What the state of the graph at work has of these channels, whatever of it its node or edge is given."""
    read, found = configurable.get("__pregel_read"), dict[str, Any]()
    if read is None:
        return found
    for name in names:
        with suppress(KeyError):  # Not every graph has them all.
            found[name] = read(name)
    return {name: value for name, value in found.items() if value is not None}


def given_fields(given: Any, names: Sequence[str]) -> dict[str, Any]:
    """What LangGraph takes from input that is a model of pydantic's, by the names of channels."""
    from langgraph._internal._fields import get_update_as_tuples

    return dict(get_update_as_tuples(given, names))


def put_in_state(configurable: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Write values to the channels of the state from where a node or an edge is at work, beside what it returns."""
    configurable["__pregel_send"]([*values.items()])


def resume_map(configurable: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that a graph was resumed with, by the ids of their interrupts; empty where it was with a bare one."""
    return configurable.get("__pregel_resume_map") or {}


def answers_before(configurable: Mapping[str, Any]) -> int:
    """How many answers a node that starts anew has had in earlier executions; a new one comes after them, if any."""
    given = configurable["__pregel_scratchpad"].resume
    # One that names its interrupt is put there before the node starts.
    new = any(given[-1] is answer for answer in resume_map(configurable).values()) if given else False
    return len(given) - new


def nobodys_task() -> str:
    """The id under which LangGraph keeps a bare answer, which no task has taken yet."""
    from langgraph._internal._constants import NULL_TASK_ID

    return NULL_TASK_ID


def pending_sends(checkpoint: "Checkpoint | None") -> "tuple[list[dict[str, Any]], dict[str, Any] | None]":
    """What is sent to the nodes that come next, and what a graph has been given and not taken up, None where it has."""
    values = checkpoint["channel_values"] if checkpoint else {}
    sends = values.get("__pregel_tasks") or []
    given = [send.arg for send in sends if send.node == "__start__"] or [values.get("__start__")]
    return [send.arg for send in sends if send.node != "__start__"], given[0]


def identifying_parameters(model: "BaseChatModel") -> dict[str, Any]:
    """What LangChain tells chat models apart by; empty unless the model's author wrote it."""
    return dict(model._identifying_params)


def without_account(client: "AsyncOpenAI") -> None:
    """Take from an OpenAI client what it found in the environment about an account: organization, project, headers."""
    client.organization = client.project = None
    client._custom_headers = {}
    client._ambient_authorizations = frozenset()


def openai_payload(chat: "BaseChatOpenAI", messages: list[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    """The body of the request that a LangChain model would send to OpenAI's chat interface."""
    body = chat._get_request_payload(messages, **options)
    body |= body.pop("extra_body", None) or {}
    # What the client keeps for itself, or sends in another place.
    elsewhere = ("stream", "extra_headers", "extra_query")
    return {name: value for name, value in body.items() if value is not None and name not in elsewhere}


def langchain_providers() -> list[str]:
    """The providers that the installed LangChain's `init_chat_model` lists; empty where it keeps no such list."""
    from langchain.chat_models import base

    return [*getattr(base, "_BUILTIN_PROVIDERS", ())]


def langchain_class(provider: str) -> "type[BaseChatModel] | None":
    """The class that `init_chat_model` makes for a provider, None where LangChain has no list; raises ImportError."""
    from langchain.chat_models import base

    if provider not in langchain_providers():
        return None
    module, name, *_ = base._BUILTIN_PROVIDERS[provider]
    return getattr(base._import_module(module, name), name)  # type: ignore[no-any-return]


def with_own_connections(model: "BaseChatModel", http_client: Any, headers: Mapping[str, str] | None) -> None:
    """Have a ChatAnthropic send its requests through this client, not one that all event loops of a process share.

    `headers` stand in the place of those that the environment has for an account at Anthropic; None leaves them.
    """
    client = model._async_client.copy(http_client=http_client)  # type: ignore[attr-defined]
    if headers is not None:
        client._custom_headers = dict(headers)
    model.__dict__["_async_client"] = client


async def close_ollama(model: "BaseChatModel") -> None:
    """Close the connections of a ChatOllama, which has no word for it."""
    await model._async_client._client.aclose()  # type: ignore[attr-defined]


def without_ad_token(client: Any) -> None:
    """Take from an Azure client the Entra token that it found in the environment, and would send in place of its key."""
    client._azure_ad_token = client._azure_ad_token_provider = None


def daemon_client(**given: Any) -> "Client":
    """A client of LangSmith's whose threads no process waits for; for LangChain's an environment variable decides that."""
    from langsmith import Client

    class Daemon(Client):
        _use_daemon_threads = property(lambda self: True, lambda self, value: None)

    return Daemon(**given)


def default_trace_client() -> "Client | None":
    """The client of LangSmith's that LangChain has made for whoever gives it none; None before it needs one."""
    from langsmith import run_trees

    return run_trees._CLIENT


def migration_names(migrations: "Migrations") -> list[str]:
    """The names of a set of sqlite-utils migrations, oldest first."""
    return [migration.name for migration in migrations._migrations]


def bare_environment() -> Mapping[bytes | str, bytes | str]:
    """This process's environment as `os.environ` holds it, undecoded: a hundred times quicker to look through."""
    held: Mapping[bytes | str, bytes | str] = os.environ._data  # type: ignore[attr-defined]
    return held


def process_start(process: "Process") -> float:
    """The start of a process as psutil tells processes apart: by a clock that nobody sets, where there is one."""
    return float(process._ident[1] or 0)  # type: ignore[attr-defined]


def postgres_cursor(saver: "AsyncPostgresSaver") -> AbstractAsyncContextManager[Any]:
    """A cursor on a PostgreSQL saver's own connection."""
    return saver._cursor()


def agent_server() -> Callable[..., None]:
    """What `langgraph dev` starts the Agent Server with; raises ImportError without the extra `studio`."""
    from langgraph_api.cli import run_server

    return run_server  # type: ignore[no-any-return]


RAY_MODE = "RAY_AUTH_MODE"
"""The variable that says whether Ray's processes show each other a token."""


@contextmanager
def quiet_ray() -> Iterator[None]:
    """Have Ray print nothing of workers and nodes that are gone: it does so on standard output, whatever it is told."""
    from ray._private import worker

    before, worker.print_to_stdstream = worker.print_to_stdstream, lambda *said, **how: None
    try:
        yield
    finally:
        worker.print_to_stdstream = before


def show_ray_token() -> None:
    """Have this process show its token, if it has one, to a cluster.

    Where there is one, 'ray start --head' makes a cluster that asks for it, and drivers show none unless they are told to.
    """
    inside: Any = import_module("ray._raylet")
    tokens = getattr(inside, "AuthenticationTokenLoader", None)  # Earlier ones know of no tokens.
    if tokens is not None and RAY_MODE not in os.environ and tokens.instance().has_token(ignore_auth_mode=True):
        os.environ[RAY_MODE] = "token"
        inside.Config.initialize("")


def ray_address() -> str | None:
    """The address of the cluster that Ray would join by its own rules, None where it would start one."""
    from ray._private import services

    of_rules: Any = services.canonicalize_bootstrap_address
    found: str | None = of_rules(None)
    return found
