"""Graphs called without an event loop: alone, in graphs that are called so, and from code where a loop runs."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.graph.adapt import graph as adapt
from metaspo.graph.bilevel import graph
from metaspo.graph.generalize import graph as generalize
from metaspo.models.background import in_background
from metaspo.store import runs
from metaspo.store.database import Store

from ..helpers import forked

ROOT = Path(__file__).resolve().parents[2]
UNEVEN = "scripted:tests.helpers.scripts:uneven"


class Outer(TypedDict, total=False):
    tasks: list[Any]
    preset: str
    method: str
    test_size: int
    run: str
    incumbent: Any


def context_of(store_path: Path, model: str = "scripted:dice", **more: Any) -> metaspo.Context:
    return metaspo.Context.model_validate({"base": model, "optimizer": model, "store": str(store_path), **more})


@pytest.fixture
def given(make_task: Callable[..., Task]) -> dict[str, Any]:
    block = make_task("a").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"tasks": [block], "preset": "quick", "method": "metaspo", "test_size": 4}


@pytest.fixture(autouse=True)
def left() -> Iterator[None]:
    """Nothing that a call began is there after it: its loop, the store's thread."""
    before = set(threading.enumerate())
    yield
    assert not {thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("metaspo")}


def statuses(path: Path) -> dict[str, str]:
    with closing(Store(path)) as store:
        assert store.db.execute("SELECT count(*) FROM leases").fetchone() == (0,)
        return {run.id: run.status for run in runs.all_runs(store.db)}


SMALL: list[tuple[Any, dict[str, Any]]] = [
    (graph, {"tasks": ["app_reviews"], "preset": "quick", "iterations": 1, "train_size": 4, "test_size": 4}),
    (adapt, {"iterations": 1, "train_size": 4, "test_size": 4}),
    (generalize, {"prompts": 2, "test_size": 4}),
]


@pytest.mark.long
@pytest.mark.parametrize(("served", "sizes"), SMALL, ids=["metaspo", "adapt", "generalize"])
def test_every_graph_returns_and_streams_what_it_does_in_a_loop(served: Any, sizes: dict[str, Any], store_path: Path) -> None:
    context = context_of(store_path)

    async def awaited() -> Any:
        async with metaspo.opened():
            return await served.ainvoke(sizes, context=context)

    found = served.invoke(sizes, context=context)
    streamed = dict(served.stream(sizes, context=context, stream_mode=["custom", "values"]))
    assert streamed["custom"]["event"] == "round_closed" and found.items() <= streamed["values"].items()
    assert served.batch([sizes, sizes | {"seed": 1}], context=context)[0] == found
    assert in_background(awaited) == found
    assert set(statuses(store_path).values()) == {"done"}


async def test_it_is_called_where_a_loop_runs(given: dict[str, Any], store_path: Path) -> None:
    context = context_of(store_path)
    found = graph.invoke(given, context=context)  # type: ignore[call-overload]
    async with metaspo.opened():
        assert await graph.ainvoke(given, context=context) == found  # type: ignore[call-overload]


@pytest.mark.parametrize("saved", [SqliteSaver, InMemorySaver])
def test_an_interrupt_passes_through_a_graph_that_is_called_so(
    saved: Any, given: dict[str, Any], store_path: Path, tmp_path: Path
) -> None:
    builder = StateGraph(Outer, context_schema=metaspo.Context).add_node("optimize", metaspo.build_graph())
    builder.add_edge(START, "optimize")
    thread: Any = {"configurable": {"thread_id": "parent"}}
    context = context_of(store_path, UNEVEN, approve="both")

    def until_done(saver: Any) -> tuple[list[str], Any]:
        outer = builder.compile(checkpointer=saver)
        found: Any = outer.invoke(given, thread, context=context)  # type: ignore[call-overload]
        levels = []
        while "__interrupt__" in found:
            levels.append(found["__interrupt__"][0].value["level"])
            waits = outer.get_state(thread, subgraphs=True)
            assert waits.next == ("optimize",) and waits.tasks[0].state.values["tasks"] == given["tasks"]  # type: ignore[union-attr]
            found = outer.invoke(Command(resume="accept"), thread, context=context)
        assert len(list(outer.get_state_history(thread))) == 3
        return levels, found

    if saved is SqliteSaver:
        with SqliteSaver.from_conn_string(str(tmp_path / "outer.db")) as saver:
            levels, found = until_done(saver)
    else:
        levels, found = until_done(InMemorySaver())
    assert set(levels) >= {"user"} and found["incumbent"]["text"]
    assert statuses(store_path) == {found["run"]: "done"}


def test_its_state_is_read_and_changed_without_a_loop(
    given: dict[str, Any], store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASPO_STORE", str(store_path))
    own = metaspo.build_graph(InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "6f0f3c1e-4f0f-4a55-8f39-0c6a3f6f2d12"}}
    own.invoke(given, thread, context=context_of(store_path))  # type: ignore[call-overload]
    history = list(own.get_state_history(thread))
    assert history[0].values["tasks"] == given["tasks"] and history[0].values["level"] == "done"
    earlier = next(state for state in history if state.next and set(state.next) == {"analyze_failures"})
    forked = own.update_state(earlier.config, {"review": {}}, as_node="select")
    assert set(own.get_state(forked).next) == {"analyze_failures"}


def test_a_thread_goes_on_in_its_store_with_its_models(
    given: dict[str, Any], store_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASPO_STORE", str(tmp_path / "other.db"))
    own: Any = metaspo.build_graph(InMemorySaver())
    thread = {"configurable": {"thread_id": "6f0f3c1e-4f0f-4a55-8f39-0c6a3f6f2d13"}}
    own.invoke(given, thread, context=context_of(store_path))
    earlier = next(state for state in own.get_state_history(thread) if set(state.next) == {"analyze_failures"})
    assert own.invoke(None, earlier.config)["rounds"]
    found = own.invoke(given | {"seed": 1}, thread)
    assert list(statuses(store_path).values()) == ["done", "done"] and found["run"] in statuses(store_path)
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("kind", ["function", "async graph"])
async def test_a_node_calls_it_so(kind: str, given: dict[str, Any], store_path: Path) -> None:
    inner, context = metaspo.build_graph(), context_of(store_path)

    def train(state: Outer) -> Outer:
        return {"run": inner.invoke(given, context=context)["run"]}  # type: ignore[call-overload]

    outer = StateGraph(Outer).add_node("train", train).add_edge(START, "train").compile(checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "desk"}}
    found = outer.invoke({}, thread) if kind == "function" else await outer.ainvoke({}, thread)
    assert statuses(store_path) == {found["run"]: "done"}


class Awaited(InMemorySaver):
    """A checkpointer for event loops only, as the Agent Server has one."""

    get_tuple = BaseCheckpointSaver.get_tuple

    async def aget_tuple(self, config: RunnableConfig) -> Any:
        return InMemorySaver.get_tuple(self, config)


async def test_a_checkpointer_for_event_loops_alone_is_refused_in_words(given: dict[str, Any], store_path: Path) -> None:
    inner, context = metaspo.build_graph(), context_of(store_path)

    def train(state: Outer) -> Outer:
        return {"run": inner.invoke(given, context=context)["run"]}  # type: ignore[call-overload]

    outer = StateGraph(Outer).add_node("train", train).add_edge(START, "train").compile(checkpointer=Awaited())
    with pytest.raises(ConfigError, match=r"works in an event loop only: call this graph with await graph\.ainvoke"):
        await outer.ainvoke({}, {"configurable": {"thread_id": "desk"}})


def test_mistakes_are_told_in_the_same_words(given: dict[str, Any], store_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown method 'magic'"):
        graph.invoke({**given, "method": "magic"}, context=context_of(store_path))  # type: ignore[call-overload]


def test_calling_it_in_its_own_loop_says_what_to_write(given: dict[str, Any], store_path: Path) -> None:
    async def calls() -> None:
        graph.invoke(given, context=context_of(store_path))  # type: ignore[call-overload]

    with pytest.raises(ConfigError, match=r"write await graph\.ainvoke"):
        in_background(calls)


def test_opened_keeps_open_what_each_call_closes(given: dict[str, Any], store_path: Path) -> None:
    def is_there() -> bool:
        return "metaspo" in {thread.name for thread in threading.enumerate()}

    with metaspo.opened():
        graph.invoke(given, context=context_of(store_path))  # type: ignore[call-overload]
        assert is_there()
    assert not is_there()


def test_a_stream_that_is_left_gives_the_run_back(given: dict[str, Any], store_path: Path) -> None:
    stream = graph.stream(given, context=context_of(store_path), stream_mode="custom")  # type: ignore[call-overload]
    next(stream)
    stream.close()
    assert set(statuses(store_path).values()) == {"stopped"}
    found = graph.invoke(given, context=context_of(store_path))  # type: ignore[call-overload]
    assert statuses(store_path) == {found["run"]: "done"}


CALLS = """
import sys
from typing import Any, TypedDict
from langgraph.graph import START, StateGraph
import metaspo

class Outer(TypedDict, total=False):
    tasks: list[Any]
    run: str

graph = metaspo.build_graph()
if sys.argv[1] == "nested":
    graph = StateGraph(Outer, context_schema=metaspo.Context).add_node("optimize", graph).add_edge(START, "optimize").compile()
slow = "scripted:tests.helpers.scripts:slow,concurrency=1"
try:
    graph.invoke({"tasks": ["app_reviews"]}, context=metaspo.Context(base=slow, optimizer=slow, store=sys.argv[2]))
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.long
@pytest.mark.parametrize("way", ["alone", "nested"])
def test_ctrl_c_stops_the_calls_too(way: str, store_path: Path) -> None:
    command = [sys.executable, "-c", CALLS, way, str(store_path)]
    where = os.environ | {"PYTHONPATH": str(ROOT)}
    with forked.Popen(command, stdout=forked.PIPE, stderr=forked.STDOUT, text=True, env=where) as process:
        late = time.monotonic() + 60
        while time.monotonic() < late and not (store_path.exists() and _paid(store_path)):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        said, _ = process.communicate(timeout=60)
    assert said == "interrupted\n" and process.returncode == 0 and time.monotonic() - began < 20
    assert set(statuses(store_path).values()) == {"stopped"}


def _paid(path: Path) -> int:
    with closing(Store(path)) as store:
        return int(store.db.execute("SELECT count(*) FROM calls").fetchone()[0])
