"""Large values of a thread's state are written once, and every checkpoint has them all the same."""

import sqlite3
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import metaspo
from metaspo.store.apart import LARGE, KeepsLargeApart
from metaspo.store.checkpoints import Checkpointer, open_sqlite, read_sqlite
from metaspo.store.database import Store

TEXT = "a question with its document, " * 1_000
SMALL = "a short text"


class Walked(TypedDict, total=False):
    given: str
    short: str
    steps: int


def walk(saver: Any = None, *, until: int = 6) -> Any:
    """A graph that takes some supersteps and leaves what it was given as it is."""
    graph = StateGraph(Walked)
    graph.add_node("step", lambda state: {"steps": state.get("steps", 0) + 1})
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state["steps"] % until else "__end__")
    return graph.compile(checkpointer=saver)


def at(thread: str, **more: Any) -> Any:
    return {"configurable": {"thread_id": thread, **more}}


def kept(path: Path, of: bytes = TEXT.encode()) -> dict[str, int]:
    """How many rows of each table hold a text."""
    db = sqlite3.connect(path)
    columns = {"checkpoints": "checkpoint", "writes": "value", "checkpoint_blobs": "blob"}
    found = {
        table: db.execute(f"SELECT count(*) FROM {table} WHERE instr({column}, ?)", [of]).fetchone()[0]
        for table, column in columns.items()
    }
    db.close()
    return found


@pytest.fixture
def path(store_path: Path) -> Path:
    Store(store_path).close()
    return store_path


@pytest.mark.parametrize("until", [2, 20])
async def test_a_large_value_is_written_as_often_however_many_supersteps_there_are(path: Path, until: int) -> None:
    async with open_sqlite(path) as saver:
        await walk(saver, until=until).ainvoke({"given": TEXT, "short": SMALL}, at("t"))
        seen = [state.values.get("given") async for state in walk(saver).aget_state_history(at("t"))]
    # Once as the input and once as the state's: LangGraph has two channels for them.
    assert kept(path) == {"checkpoints": 0, "writes": 1, "checkpoint_blobs": 2}
    assert kept(path, SMALL.encode())["checkpoints"] == until + 1 and len(TEXT) > LARGE > len(SMALL)
    assert seen == [TEXT] * (until + 1) + [None]


async def test_what_changes_is_kept_in_every_version_and_what_is_emptied_stays_empty(path: Path) -> None:
    async with open_sqlite(path) as saver:
        graph = walk(saver)
        await graph.ainvoke({"given": TEXT}, at("t"))
        first = (await graph.aget_state(at("t"))).config
        await graph.ainvoke({"given": TEXT.upper()}, at("t"))
        assert (await graph.aget_state(first)).values["given"] == TEXT
        assert (await graph.aget_state(at("t"))).values["given"] == TEXT.upper()
        newest = await saver.aget_tuple(at("t"))
        assert newest is not None and "__start__" not in newest.checkpoint["channel_values"]
        # From an earlier checkpoint on: what stood there stands in the fork, and is not written again.
        fork = await graph.aupdate_state(first, {"short": SMALL})
        assert (await graph.aget_state(fork)).values == {"given": TEXT, "short": SMALL, "steps": 6}
    assert kept(path) == {"checkpoints": 0, "writes": 1, "checkpoint_blobs": 2}


async def test_a_thread_of_an_earlier_version_goes_on_and_is_not_written_again_with_every_superstep(path: Path) -> None:
    class Before(KeepsLargeApart):
        async def _keeps_blobs(self) -> bool:
            return False

    async with open_sqlite(path) as opened:
        saver = Before(opened.conn)
        await walk(saver).ainvoke({"given": TEXT}, at("t"))
    before = kept(path)
    assert before == {"checkpoints": 8, "writes": 1, "checkpoint_blobs": 0}
    async with open_sqlite(path) as saver:
        graph = walk(saver)
        old = [state.values.get("given") async for state in graph.aget_state_history(at("t"))]
        assert old == [TEXT] * 7 + [None]
        await graph.ainvoke({"short": SMALL}, at("t"))
        assert (await graph.aget_state(at("t"))).values == {"given": TEXT, "short": SMALL, "steps": 12}
    assert kept(path) == before | {"checkpoint_blobs": 1}


async def test_a_copy_has_its_own_and_what_is_pruned_or_deleted_is_gone(path: Path) -> None:
    async with open_sqlite(path) as saver:
        graph = walk(saver)
        await graph.ainvoke({"given": TEXT}, at("t"))
        await graph.ainvoke({"given": TEXT.upper()}, at("t"))
        await saver.acopy_thread("t", "copy")
        await saver.aprune(["t"])
        assert await blobs_of(saver, "t") == ["given"]
        assert [state.values["given"] async for state in graph.aget_state_history(at("t"))] == [TEXT.upper()]
        await saver.adelete_thread("t")
        assert await blobs_of(saver, "t") == [] and (await graph.aget_state(at("t"))).values == {}
        seen = {state.values.get("given") async for state in graph.aget_state_history(at("copy"))}
        assert seen == {TEXT, TEXT.upper(), None}
        await saver.aprune(["copy"], strategy="delete")
        assert await blobs_of(saver, "copy") == []


async def blobs_of(saver: Checkpointer, thread: str) -> list[str]:
    rows = await saver.conn.execute_fetchall("SELECT channel FROM checkpoint_blobs WHERE thread_id = ?", (thread,))
    return sorted(name for (name,) in rows)


async def test_a_file_without_a_place_for_them_that_cannot_be_written_to_is_read(path: Path) -> None:
    async with open_sqlite(path) as saver:
        await walk(saver).ainvoke({"short": SMALL}, at("t"))
    db = sqlite3.connect(path)
    db.execute("DROP TABLE checkpoint_blobs")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    async with read_sqlite(path) as saver:
        assert (await walk(saver).aget_state(at("t"))).values["short"] == SMALL


def test_a_run_writes_its_examples_as_often_however_long_it_searches(tmp_path: Path) -> None:
    """The tasks of a run are a part of its state, with all of their examples where these are given in Python."""
    rows = [{"question": f"{n}: {'word ' * 50}Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(400)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "parity", "examples": rows, "user_prompt": "Yes or no?\n{question}", "reader": reader}
    sizes = {"train_size": 4, "test_size": 0, "system_candidates": 1, "user_candidates": 1}
    found = []
    for iterations in (1, 4):
        path = tmp_path / f"{iterations}.db"
        metaspo.optimize(
            tasks=[task], base="scripted:dice", optimizer="scripted:dice", method="metaspo", store=path,
            iterations=iterations, **sizes,
        )  # fmt: skip
        db = sqlite3.connect(path)
        states = db.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
        db.close()
        found.append((states, kept(path, f"399: {'word ' * 50}".encode())))
    (short, one), (long, other) = found
    assert long > 2 * short and one == other == {"checkpoints": 0, "writes": 1, "checkpoint_blobs": 2}
