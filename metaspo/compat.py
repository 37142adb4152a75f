"""Names of libraries that are not public, each in one place, with a test that would notice when it is gone.

Nothing is imported here before it is used: this file is below every room.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_openai.chat_models.base import BaseChatOpenAI
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from openai import AsyncOpenAI
    from psutil import Process
    from sqlite_utils import Migrations


def is_checkpointed(configurable: Mapping[str, Any]) -> bool:
    """Whether a node's state is kept, by the `configurable` of its config: LangGraph names its checkpointer there."""
    return configurable.get("__pregel_checkpointer", configurable.get("thread_id")) is not None


def outer_namespace(checkpoint_namespace: str) -> str:
    """The part of a node's checkpoint namespace that is its parent graphs'; "" in a graph of its own."""
    return checkpoint_namespace.rpartition("|")[0]


def identifying_parameters(model: "BaseChatModel") -> dict[str, Any]:
    """What LangChain tells chat models apart by; empty unless the model's author wrote it."""
    return dict(model._identifying_params)


def without_account(client: "AsyncOpenAI") -> None:
    """Take from an OpenAI client what it found in the environment about an account: organization, project, headers."""
    client.organization = client.project = None
    client._custom_headers = {}
    client._ambient_authorizations = frozenset()


def openai_payload(chat: "BaseChatOpenAI", messages: list[tuple[str, str]], options: dict[str, Any]) -> dict[str, Any]:
    """The body of the request that a LangChain model would send to OpenAI's chat interface."""
    body = chat._get_request_payload(messages, **options)
    body |= body.pop("extra_body", None) or {}
    # What the client keeps for itself, or sends in another place.
    return {
        name: value
        for name, value in body.items()
        if value is not None and name not in ("stream", "extra_headers", "extra_query")
    }


def migration_names(migrations: "Migrations") -> list[str]:
    """The names of a set of sqlite-utils migrations, oldest first."""
    return [migration.name for migration in migrations._migrations]


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
