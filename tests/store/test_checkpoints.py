"""The checkpointer gives the file back, however its last write ended."""

import asyncio
import operator
import sqlite3
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt

from metaspo.store.checkpoints import open_sqlite
from metaspo.store.database import Store


async def test_a_write_that_was_cut_off_before_its_commit_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "metaspo.db"
    Store(path).close()
    async with open_sqlite(path) as saver:
        # What a cancelled `aput_writes` leaves behind: rows without a commit, and a cursor alive in a traceback.
        cursor = await saver.conn.execute("VALUES (1), (2)")
        await saver.conn.execute(
            "INSERT INTO writes (thread_id, checkpoint_id, task_id, idx, channel) VALUES ('a', 'b', 'c', 0, 'd')"
        )
    other = sqlite3.connect(path, timeout=0.1)
    other.execute("INSERT INTO leases (run, holder, pid, host, since, beat) VALUES ('r', 'h', 1, 'here', 'now', 0)")
    assert other.execute("SELECT count(*) FROM writes").fetchone() == (0,)
    other.close()
    assert cursor is not None


class Places(TypedDict):
    been: Annotated[list[str], operator.add]


async def test_a_task_cancelled_on_its_way_to_the_next_is_run_again(tmp_path: Path) -> None:
    failing = [True]

    async def worker(state: dict[str, str]) -> dict[str, list[str]]:
        if state["name"] == "slow to fail" and failing:
            await asyncio.sleep(0.05)
            raise RuntimeError(failing.pop())
        return {"been": [state["name"]]}

    async def edge(state: Places) -> list[Send]:
        # Long enough for the other worker's failure to cancel it here, after its node has written.
        await asyncio.sleep(0.2 if failing else 0)
        return [Send("last", {"name": f"after {name}"}) for name in state["been"]]

    graph = StateGraph(Places)
    graph.add_node("worker", worker)
    graph.add_node("last", worker)
    graph.add_conditional_edges(START, lambda state: [Send("worker", {"name": name}) for name in ("quick", "slow to fail")])
    graph.add_conditional_edges("worker", edge, ["last"])
    Store(tmp_path / "m.db").close()
    config: Any = {"configurable": {"thread_id": "t"}}
    async with open_sqlite(tmp_path / "m.db") as saver:
        compiled = graph.compile(checkpointer=saver)
        with pytest.raises(RuntimeError):
            await compiled.ainvoke({"been": []}, config, durability="async")
        done = await compiled.ainvoke(None, config, durability="async")
    assert sorted(done["been"]) == ["after quick", "after slow to fail", "quick", "slow to fail"]


async def counted(path: Path, thread: str) -> tuple[int, int]:
    store = Store(path)
    found = [
        store.db.execute(f"SELECT count(*) FROM {table} WHERE thread_id = ?", [thread]).fetchone()[0]
        for table in ("checkpoints", "writes")
    ]
    store.close()
    return found[0], found[1]


def walk() -> Any:
    """A graph of two places, the second of which asks before it goes on."""

    def first(state: Places) -> dict[str, list[str]]:
        return {"been": ["first"]}

    def second(state: Places) -> dict[str, list[str]]:
        return {"been": [interrupt("where to?")]}

    graph = StateGraph(Places)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    return graph


def of_run(run: str, thread: str = "t") -> Any:
    return {"configurable": {"thread_id": thread, "run_id": run}, "metadata": {"run_id": run}}


async def test_a_copied_thread_goes_on_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Store(path).close()
    config: Any = {"configurable": {"thread_id": "copy"}}
    async with open_sqlite(path) as saver:
        compiled = walk().compile(checkpointer=saver)
        await compiled.ainvoke({"been": []}, of_run("one"))
        await saver.acopy_thread("t", "copy")
        state = await compiled.aget_state(config)
        assert [one.value for one in state.interrupts] == ["where to?"] and state.next == ("second",)
        assert (await counted(path, "copy")) == (await counted(path, "t"))
        # What takes back the run of the server leaves the copy alone.
        await saver.adelete_for_runs(["one"])
        assert await counted(path, "t") == (0, 0)
        assert (await compiled.ainvoke(Command(resume="home"), config))["been"] == ["first", "home"]


async def test_a_run_that_is_taken_back_takes_its_answer_with_it(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    store = Store(path)
    async with open_sqlite(path) as saver:
        saver.in_store = store.run
        compiled = walk().compile(checkpointer=saver)
        await compiled.ainvoke({"been": []}, of_run("one"))
        before = await compiled.aget_state(of_run("one")), await counted(path, "t")
        await compiled.ainvoke(Command(resume="home"), of_run("two"))
        assert (await compiled.aget_state(of_run("two"))).next == ()
        await saver.adelete_for_runs(["two"])
        after = await compiled.aget_state({"configurable": {"thread_id": "t"}}), await counted(path, "t")
        assert after[1] == before[1] and after[0].values == before[0].values
        assert [one.value for one in after[0].interrupts] == ["where to?"]
        assert (await compiled.ainvoke(Command(resume="away"), of_run("three")))["been"] == ["first", "away"]
    store.close()


async def test_a_run_that_others_came_after_is_not_put_back(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    store = Store(path)
    async with open_sqlite(path) as saver:
        saver.in_store = store.run
        compiled = walk().compile(checkpointer=saver)
        await compiled.ainvoke({"been": []}, of_run("one"))
        moment = "INSERT INTO runs VALUES ('t', NULL, NULL, 'metaspo', '{}', 'done', NULL, 'now', 'now', 0, '1', NULL)"
        store.db.execute(moment)
        await compiled.ainvoke(Command(resume="home"), of_run("two"))
        await saver.adelete_for_runs(["one"])
        assert (await compiled.aget_state(of_run("two"))).values["been"] == ["first", "home"]
        assert store.db.execute("SELECT status FROM runs").fetchall() == [("done",)]
    store.close()


async def test_threads_are_pruned_to_their_newest_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Store(path).close()
    async with open_sqlite(path) as saver:
        compiled = walk().compile(checkpointer=saver)
        for thread in ("t", "other"):
            await compiled.ainvoke({"been": []}, of_run("one", thread))
        await saver.aprune(["t"])
        assert (await counted(path, "t"))[0] == 1 < (await counted(path, "other"))[0]
        assert (await compiled.ainvoke(Command(resume="home"), of_run("two")))["been"] == ["first", "home"]
        await saver.aprune(["t"], strategy="delete")
        assert await counted(path, "t") == (0, 0) and await counted(path, "other") != (0, 0)
