"""A thread that is picked up where its run is not says so, loses nothing, and goes on where it is."""

import asyncio
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from sqlite_utils import Database

from metaspo import verify
from metaspo.domain.errors import BudgetSpent, ElsewhereError, StoreError
from metaspo.graph import adapt, bilevel, generalize
from metaspo.models.registry import registry
from metaspo.reports.history import history
from metaspo.runs.optimize import aresume, optimize, resume
from metaspo.store.database import Store
from metaspo.workspace import opening

from ..helpers import forked

ROOT = Path(__file__).resolve().parents[2]
MODELS = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")


def task(name: str) -> dict[str, Any]:
    rows = [{"question": f"Does {name} like {n}?", "answer": "yes" if n % 2 else "no"} for n in range(30)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}


SEARCH: dict[str, Any] = {
    "tasks": [task("ann")], "preset": "quick", "method": "metaspo", "iterations": 1, "system_candidates": 2, "test_size": 8,
}  # fmt: skip
QUESTION: dict[str, Any] = {
    "tasks": [task("ann")], "system_prompt": "Be brief.", "preset": "quick", "sizes": {"train_size": 8, "test_size": 8},
}  # fmt: skip
GRAPHS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "metaspo": (bilevel.build, SEARCH),
    "adapt": (
        lambda saver: bilevel.build(saver, name="adapt", given=adapt.Adaptation),
        {name: value for name, value in SEARCH.items() if name not in ("method", "system_candidates")},
    ),
    "generalize": (generalize.build, QUESTION),
}


def forget() -> None:
    """What this process knows of where runs are: the next call is as one of another process."""
    opening._found_in.clear()


class Thread:
    """A thread of one graph in memory, that several processes of ours would share; each call is as one of another process."""

    def __init__(self, graph: str, id: str = "t") -> None:
        build, self.given = GRAPHS[graph]
        self.saver = InMemorySaver()
        self.graph = build(self.saver)
        self.config: Any = {"configurable": {"thread_id": id}}

    async def run(self, store: Path, given: Any = None, at: Any = None, **context: Any) -> Any:
        forget()
        async with registry().used():
            return await self.graph.ainvoke(given, at or self.config, context={"store": str(store), **context})

    def kept(self) -> Any:
        """All that is kept of it."""
        saved = {key: {ns: {**by} for ns, by in value.items()} for key, value in self.saver.storage.items()}
        return saved, {key: {**value} for key, value in self.saver.writes.items()}


@pytest.mark.long
@pytest.mark.parametrize("name", GRAPHS)
async def test_no_way_in_touches_a_thread_whose_run_is_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here.db", tmp_path / "there.db"
    whole = Thread(name, "whole")
    undisturbed = await whole.run(tmp_path / "whole.db", whole.given, **MODELS)
    thread = Thread(name)
    with pytest.raises(BudgetSpent):
        await thread.run(there, thread.given, **MODELS, budget={"calls": 12})
    kept = thread.kept()
    monkeypatch.setenv("METASPO_STORE", str(here))
    first = [found async for found in thread.graph.aget_state_history(thread.config)][-1].config
    edit = {"system_prompt": "Be kind."}
    for _ in range(2):  # Where there is no such store, and where there is another one.
        for way in (
            lambda: thread.run(here),
            lambda: thread.run(here, thread.given, **MODELS),
            lambda: thread.run(here, {**thread.given, "seed": 3}, **MODELS),
            lambda: thread.run(here, Command(resume="accept")),
            lambda: thread.run(here, Command(update=edit)),
            lambda: thread.graph.aupdate_state(thread.config, edit),
            lambda: asyncio.to_thread(thread.graph.invoke, None, thread.config),
            lambda: asyncio.to_thread(thread.graph.update_state, thread.config, edit),
        ):
            forget()
            with pytest.raises(ElsewhereError, match=r"run t, .* is not in the store .*here\.db.* 'metaspo move t --to FILE'"):
                await way()
            assert thread.kept() == kept
        if not here.exists():
            Store(here).close()
    with Database(str(here)).conn as found:
        assert [found.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("runs", "calls", "leases")] == [
            (0,)
        ] * 3
    # What is given and not taken up yet has no run, and so no store that it needs.
    assert first["configurable"]["checkpoint_id"]
    # Where its store is, it goes on as if nothing had been.
    done = await thread.run(there, budget={})
    assert {**done, "run": ""} == {**undisturbed, "run": ""}
    assert verify(store=there).well


async def test_inside_another_graph_no_run_begins_in_the_wrong_store(tmp_path: Path) -> None:
    class Outer(TypedDict, total=False):
        found: str

    inner = bilevel.build()

    async def improve(state: Outer, config: RunnableConfig) -> Outer:
        return {"found": (await inner.ainvoke(SEARCH, config))["incumbent"]["text"]}

    def context(store: str, **more: Any) -> Any:
        return {"metaspo": {"store": str(tmp_path / store), **MODELS, **more}}

    async def run(given: Any, context: Any) -> Any:
        forget()
        async with registry().used():
            return await graph.ainvoke(given, config, context=context)

    graph: Any = StateGraph(Outer, context_schema=dict).add_node("improve", improve).add_edge(START, "improve")
    graph, config = graph.compile(checkpointer=InMemorySaver()), RunnableConfig(configurable={"thread_id": "outer"})
    with pytest.raises(BudgetSpent):
        await run({"found": ""}, context("there.db", budget={"calls": 30}))
    with pytest.raises(ElsewhereError, match=r"is not in the store .*here\.db, which does not exist"):
        await run(None, context("here.db"))
    assert not (tmp_path / "here.db").exists()
    assert (await run(None, context("there.db", budget={})))["found"]


@pytest.mark.long
async def test_a_store_from_an_older_copy_is_told_apart_and_the_thread_goes_on_from_where_that_stands(tmp_path: Path) -> None:
    path, newer = tmp_path / "m.db", tmp_path / "newer.db"
    thread = Thread("metaspo")
    given = SEARCH | {"iterations": 3}
    whole = Thread("metaspo", "whole")
    undisturbed = await whole.run(tmp_path / "whole.db", given, **MODELS)
    copies = {}
    for calls in (45, 90, 120):
        with pytest.raises(BudgetSpent):
            await thread.run(path, given if calls == 45 else None, **MODELS, budget={"calls": calls})
        store = Store(path)
        copies[calls] = tmp_path / f"{calls}.db"
        store.db.execute("VACUUM INTO ?", [str(copies[calls])])
        store.close()
    path.rename(newer)
    kept = thread.kept()
    for calls in (45, 90):
        shutil.copy(copies[calls], path)
        with pytest.raises(ElsewhereError, match=r"the store .*m\.db is older than this thread of run t: it knows .* round"):
            await thread.run(path)
        assert thread.kept() == kept
        path.unlink()
    # Where the newer one is lost, an earlier checkpoint is one that the older store knows all of.
    shutil.copy(copies[45], path)
    states = [found async for found in thread.graph.aget_state_history(thread.config)]
    last = Store(path)
    known = last.db.execute("SELECT max(round) FROM rounds").fetchone()[0]
    last.close()
    at = next(found.config for found in states if found.values.get("rounds") and len(found.values["rounds"]) == known + 1
              and not found.values.get("scores") and not found.values.get("analyses") and not found.values.get("candidates"))  # fmt: skip
    done = await thread.run(path, None, at, budget={})
    assert {**done, "run": ""} == {**undisturbed, "run": ""} and verify(store=path).well
    path.unlink()
    # The newer one has all that the thread at its older end needs.
    newer.rename(path)
    assert (await thread.run(path, None, states[0].config, budget={}))["incumbent"] == undisturbed["incumbent"]


AWAY = """
import sys
from pathlib import Path
import metaspo
from tests.workspace.test_whereabouts import MODELS, SEARCH

folder = Path(sys.argv[1])

def away(event):
    if event["event"] == "round_closed":
        for file in folder.glob("m.db*"):
            file.rename(folder / f"away-{file.name}")

metaspo.optimize(**SEARCH, **MODELS, store=folder / "m.db", listener=away)
"""


def test_a_store_that_goes_away_at_work_stops_the_run_and_is_not_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    ended = forked.run([sys.executable, "-c", AWAY, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert re.search(r"StoreError: .*m\.db is not the store any more that was opened here: .* put it back", ended.stderr)
    assert not [*tmp_path.glob("m.db*")]
    for file in tmp_path.glob("away-*"):
        file.rename(tmp_path / file.name.removeprefix("away-"))
    done, whole = resume(store=path), optimize(**SEARCH, **MODELS, store=tmp_path / "whole.db")
    assert done.stopped is None and done.system_prompt == whole.system_prompt
    assert len(history(path)) == len(done.report.rounds) and verify(store=path).well


async def test_a_run_that_a_store_lacks_is_asked_for_in_words(tmp_path: Path) -> None:
    Store(tmp_path / "m.db").close()
    with pytest.raises(StoreError, match=r"no run starts with 'abc' in m\.db; .* name that with --store, or bring it with"):
        await aresume("abc", store=tmp_path / "m.db")
