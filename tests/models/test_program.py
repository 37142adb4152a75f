"""Programs in the place of the base model, called through the ledger."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda

import metaspo
from metaspo import ModelSpec, Task
from metaspo.domain.calls import Reply, Request
from metaspo.domain.errors import MetaspoError, ModelError
from metaspo.models.account import Account
from metaspo.models.program import load
from metaspo.models.registry import Registry, registry
from metaspo.store.database import Store

from ..helpers import programs
from ..helpers.endpoint import Endpoint, fail, say

USES_TOOL = "Use the tool."


@pytest.fixture
async def ask(store_path: Path) -> AsyncIterator[Callable[..., Any]]:
    registry = Registry()

    async def ask(spec: "str | ModelSpec", system: str = USES_TOOL, text: str = "Is 3 odd?", sample: str = "") -> Reply:
        _, ledger = await registry.ledger(store_path)
        model = await registry.model(ModelSpec.parse(spec))
        request = Request((("system", system), ("user", text)), 16, 0.0, sample)
        return (await ledger.call(model, request, "base", Account("run")))[1]

    yield ask
    await registry.close()


@pytest.mark.parametrize("name", ["slot_in_state", "slot_in_context", "make", "factory"])
async def test_an_agent_uses_its_tools_under_the_system_prompt_given(name: str, ask: Callable[..., Any]) -> None:
    spec = f"program:tests.helpers.programs:{name}"
    odd, even, without = await asyncio.gather(ask(spec), ask(spec, text="Is 4 odd?"), ask(spec, "Be brief."))
    assert (odd.text, even.text, without.text) == ("yes", "no", "no")
    # Two model calls with the tool between them, one without.
    assert (odd.input_tokens, odd.output_tokens, without.input_tokens) == (10, 2, 5)
    assert not list(programs.memory.list(None)), "examples are not kept as threads of the agent"


async def test_a_chain_is_given_the_prompt_and_the_message(ask: Callable[..., Any]) -> None:
    assert (await ask("program:tests.helpers.programs:chain")).text == "yes"
    without = await ask("program:tests.helpers.programs:chain", "Be brief.")
    assert (without.text, without.input_tokens) == ("no", 5)


async def test_a_chat_model_is_given_messages(
    ask: Callable[..., Any], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_URL", endpoint.url)
    reply = await ask("program:tests.helpers.programs:chat")
    assert (reply.text, reply.finish, reply.input_tokens, reply.output_tokens) == ("yes", "stop", 10, 2)
    assert [message["role"] for message in endpoint.seen[0]["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_slot", "no place for the system prompt"),
        ("number", "is int; a program is"),
        ("nothing", "cannot be imported"),
        ("broken", "failed with KeyError: 'no such key'"),
        ("numeric", "returned int; return text, a message, or a state"),
        ("asking", "stopped to ask a person"),
    ],
)
async def test_mistakes_are_told_at_once(name: str, says: str, ask: Callable[..., Any]) -> None:
    with pytest.raises(ModelError, match=says):
        await asyncio.wait_for(ask(f"program:tests.helpers.programs:{name}"), 5)


async def test_going_in_circles_is_an_outcome_of_the_example(ask: Callable[..., Any]) -> None:
    reply = await ask("program:tests.helpers.programs:circling")
    assert (reply.text, reply.finish) == ("", "recursion_limit") and reply.input_tokens == 50 * 5
    short = metaspo.program(programs.circling().with_config(recursion_limit=3), name="circling", version="1")
    assert (await ask(short)).input_tokens == 3 * 5


async def test_a_failing_endpoint_is_tried_again_and_a_refusing_one_is_not(
    ask: Callable[..., Any], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_URL", endpoint.url)
    wrapped = RunnableLambda(lambda given: given["messages"]) | programs.chat()
    endpoint.act = lambda request, body, number: fail(503) if number <= 2 else say("yes")
    assert (await ask(metaspo.program(wrapped, name="wrapped", version="1"))).text == "yes" and len(endpoint.seen) == 3
    endpoint.act = lambda *_: fail(401, "Incorrect API key provided: sk-abcdef123456")
    with pytest.raises(ModelError, match="401") as caught:
        await ask(metaspo.program(wrapped, name="wrapped", version="2"))
    assert "abcdef" not in str(caught.value) and len(endpoint.seen) == 4


async def test_the_timeout_and_the_limit_on_runs_in_flight_hold_for_whole_runs(ask: Callable[..., Any]) -> None:
    running, most = 0, 0

    async def slow(given: Any) -> str:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        try:
            await asyncio.sleep(30 if "stuck" in given["system_prompt"] else 0.01)
        finally:
            running -= 1
        return "yes"

    spec = metaspo.program(RunnableLambda(slow), name="slow", version="1", concurrency=3, timeout=0.2, patience=0)
    await asyncio.gather(*(ask(spec, sample=str(number)) for number in range(10)))
    assert most == 3
    stuck = await ask(spec, "stuck")
    assert stuck.finish == "failed" and "no reply in 0.2 s" in stuck.error
    assert running == 0


async def test_replies_are_kept_under_name_and_version(ask: Callable[..., Any]) -> None:
    asked: list[str] = []

    def answer(given: Any) -> str:
        asked.append(given["system_prompt"])
        return "yes"

    first = metaspo.program(RunnableLambda(answer), name="answer", version="1")
    await ask(first), await ask(first)
    assert len(asked) == 1
    await ask(metaspo.program(RunnableLambda(answer), name="answer", version="2"))
    assert len(asked) == 2


def test_without_a_version_an_edit_of_the_module_makes_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)

    def identity(word: str, settings: str) -> dict[str, Any]:
        (tmp_path / "edited_program.py").write_text(
            f"from langchain_core.runnables import RunnableLambda\nprogram = RunnableLambda(lambda given: '{word}')\n"
        )
        monkeypatch.delitem(sys.modules, "edited_program", raising=False)
        return load(ModelSpec.parse(f"program:edited_program:program{settings}")).identity

    assert identity("yes", "") == identity("yes", "") != identity("never", "")
    assert identity("yes", ",version=1") == identity("never", ",version=1") != identity("yes", ",version=2")


@pytest.mark.parametrize("provider", ["program", "scripted"])
async def test_a_module_that_ends_the_process_is_named(
    provider: str, ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "exiting_program.py").write_text("raise SystemExit('no key set')")
    with pytest.raises(ModelError, match=f"{provider}:exiting_program:f cannot be imported: no key set"):
        await ask(f"{provider}:exiting_program:f")


@pytest.mark.parametrize(("name", "version", "says"), [("a b", "1", "a name is letters"), ("a", " ", "give a version")])
def test_a_program_needs_a_name_and_a_version(name: str, version: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        metaspo.program(programs.slot_in_state, name=name, version=version)


def test_a_program_without_a_name_is_refused_where_models_are_given(make_task: Callable[..., Task]) -> None:
    with pytest.raises(ModelError, match=r"give metaspo\.program"):
        metaspo.optimize(tasks=[make_task("a")], base=programs.slot_in_state, optimizer="scripted:dice")


class Listener(BaseCallbackHandler):
    """A handler of the user's: what runs inside a program is told to it."""

    heard = 0

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        Listener.heard += 1


@pytest.mark.long
@pytest.mark.parametrize("base", ["program:tests.helpers.programs:slot_in_state", "live"])
def test_an_agents_system_prompt_is_optimized(base: str, make_task: Callable[..., Task], store_path: Path) -> None:
    """A prompt that has the agent use its tool wins; the agent leaves nothing in our checkpoints."""
    live = metaspo.program(programs.slot_in_state, name="clerk-in-state", version="1")
    result = metaspo.optimize(
        tasks=[make_task("a"), make_task("b")], base=live if base == "live" else base, preset="quick", test_size=8,
        optimizer="scripted:tests.helpers.scripts:finds_the_tool", method="outer_only", store=store_path,
    )  # fmt: skip
    assert "tool" in result.system_prompt
    assert all(task.before < task.after == 1.0 for task in result.report.tasks)
    assert result.report.usage.input_tokens > 0
    with closing(Store(store_path)) as store:
        rows = store.db.execute("select distinct thread_id, checkpoint_ns from checkpoints").fetchall()
        labels = {row[0] for row in store.db.execute("select distinct model from calls where role = 'base'")}
    assert rows == [(result.run, "")]
    assert labels == {"object:clerk-in-state" if base == "live" else base}


async def test_callbacks_of_the_caller_reach_into_a_program(make_task: Callable[..., Task], store_path: Path) -> None:
    Listener.heard = 0
    graph = metaspo.build_graph()
    problem = {
        "tasks": [make_task("a").model_dump(mode="json", by_alias=True)],
        "preset": "quick",
        "test_size": 4,
        "method": "fixed",
    }
    context = metaspo.Context(
        base="program:tests.helpers.programs:slot_in_state",
        optimizer="scripted:dice",
        store=str(store_path),  # type: ignore[arg-type]
    )
    async with registry().used():
        await graph.ainvoke(problem, {"callbacks": [Listener()]}, context=context)  # type: ignore[call-overload]
    assert Listener.heard == 16 + 4


def test_errors_of_a_program_end_a_run_with_its_words(make_task: Callable[..., Task], store_path: Path) -> None:
    with pytest.raises(MetaspoError, match=r"tests\.helpers\.programs:broken: the program failed with KeyError"):
        metaspo.optimize(
            tasks=[make_task("a")],
            base="program:tests.helpers.programs:broken",
            optimizer="scripted:dice",
            store=store_path,
            preset="quick",
            method="metaspo",
        )


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_program_whose_connections_outlive_a_run_works_in_the_next(
    make_task: Callable[..., Task], store_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_URL", endpoint.url)
    client = httpx.AsyncClient()
    chat = programs.chat(http_async_client=client)
    wrapped = RunnableLambda(lambda given: given["messages"]) | chat
    for version in "12":
        base = metaspo.program(wrapped, name=f"wrapped-{endpoint.port}", version=version)
        result = metaspo.optimize(
            tasks=[make_task("a")], base=base, optimizer="scripted:dice", method="fixed", preset="quick", store=store_path
        )
        assert result.report.run.status == "done"
    assert len(endpoint.seen) >= 2 * (16 + 24)
    del client, chat, wrapped, base, result
    gc.collect()
