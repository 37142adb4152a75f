"""Threads that are edited where no server is: with and without an event loop, by a new process, inside another graph."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, StateUpdate

import metaspo
from metaspo import Context, EditError, Task, build_graph
from metaspo.store import runs
from metaspo.store.checkpoints import open_sqlite
from metaspo.store.database import Store

THREAD: Any = {"configurable": {"thread_id": "t"}}
X = "You are somebody else."


@pytest.fixture
def context(store_path: Path) -> Context:
    return Context(base="scripted:dice", optimizer="scripted:dice", store=str(store_path))


@pytest.fixture
def given(make_task: Callable[..., Task]) -> dict[str, Any]:
    task = make_task("a").model_dump(mode="json", by_alias=True)
    return {"tasks": [task], "preset": "quick", "method": "metaspo", "iterations": 1, "test_size": 4}


def known(path: Path) -> list[runs.Run]:
    store = Store(path)
    found = runs.all_runs(store.db)
    store.close()
    return found


def test_a_thread_is_edited_without_an_event_loop(given: dict[str, Any], context: Context, store_path: Path) -> None:
    graph = build_graph(InMemorySaver())
    parent = graph.invoke(given, THREAD, context=context)  # type: ignore[call-overload]
    with pytest.raises(EditError, match="rounds follows from"):
        graph.update_state(THREAD, {"rounds": []})
    graph.bulk_update_state(THREAD, [[StateUpdate({"system_prompt": X}, "select")], [StateUpdate({"seed": 3}, "select")]])
    assert graph.get_state(THREAD).next == ("__start__",) and len(known(store_path)) == 1
    fork = graph.invoke(None, THREAD, context=context)  # type: ignore[call-overload]
    assert fork["run"] != parent["run"] and fork["rounds"][0]["level"] == "branch"
    edit: Any = Command(update={"incumbent": {"text": X}, "seed": 4})
    last = graph.invoke(edit, THREAD, context=context)  # type: ignore[call-overload]
    assert [run.parent for run in known(store_path)] == [None, parent["run"], fork["run"]]
    assert last["rounds"][0]["round"] == 2


async def test_another_process_goes_on_with_what_was_edited(given: dict[str, Any], context: Context, store_path: Path) -> None:
    Store(store_path, create=True).close()
    async with metaspo.opened(), open_sqlite(store_path) as saver:
        await build_graph(saver).ainvoke(given, THREAD, context=context)  # type: ignore[call-overload]
        await build_graph(saver).aupdate_state(THREAD, {"system_prompt": X})
    async with metaspo.opened(), open_sqlite(store_path) as saver:
        shown = await build_graph(saver).aget_state(THREAD)
        assert shown.values["system_prompt"] == X
        # Its models are its parent's, wherever the context says that the store is.
        fork = await build_graph(saver).ainvoke(None, THREAD, context=Context(store=str(store_path)))  # type: ignore[call-overload]
    [parent, child] = known(store_path)
    assert child.id == fork["run"] == shown.values["run"] and child.parent == parent.id and child.thread == "t"
    assert child.config["context"]["base"] == parent.config["context"]["base"]
