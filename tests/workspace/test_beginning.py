"""Work that begins on a thread which has been at work, inside one process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import metaspo
from metaspo.domain.errors import RunHeldError
from metaspo.graph import generalize
from metaspo.reports.report import open_report
from metaspo.store import runs
from metaspo.store.database import open_store
from metaspo.workspace.problem import Problem

DICE = dict.fromkeys(("base", "optimizer"), "scripted:dice")
SIZES: dict[str, Any] = {"preset": "quick", "iterations": 1, "test_size": 4, "method": "metaspo"}


def task(name: str, likes: int = 2) -> dict[str, Any]:
    rows = [{"question": f"Does {name} like {n}?", "answer": "no" if n % likes else "yes"} for n in range(30)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}


def at(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


def known(path: Path) -> list[str]:
    with open_store(path) as store:
        return [run.id for run in runs.all_runs(store.db)]


@pytest.fixture
def context(store_path: Path) -> metaspo.Context:
    return metaspo.Context.model_validate(DICE | {"store": str(store_path)})


async def test_input_that_is_a_model_and_no_context_mean_the_same(context: metaspo.Context, store_path: Path) -> None:
    graph: Any = metaspo.build_graph(InMemorySaver())
    async with metaspo.opened():
        first = await graph.ainvoke(Problem(tasks=[task("ann")], seed=4, **SIZES), at("t"), context=context)
        second = await graph.ainvoke(Problem(tasks=[task("bob")], preset="quick", iterations=1), at("t"))
        again = await graph.ainvoke({"preset": "quick", "iterations": 1, "tasks": [task("bob")]}, at("t"))
        state = await graph.aget_state(at("t"))
    assert first["run"] == "t" and second["run"] == again["run"] and known(store_path) == ["t", second["run"]]
    assert state.values["seed"] == 0 and state.values["test_size"] is None and {*state.values["kept"]} == {"bob"}
    assert open_report(store_path, second["run"]).run.config["context"]["base"]["name"] == "dice"


async def test_graphs_of_another_kind_take_turns_on_a_thread(context: metaspo.Context, store_path: Path) -> None:
    saver = InMemorySaver()
    search: Any = metaspo.build_graph(saver)
    general: Any = generalize.build(saver)
    asked = {"tasks": [task("gil")], "prompts": 2, "test_size": 4, "preset": "quick"}
    async with metaspo.opened():
        first = await general.ainvoke(asked, at("t"), context=context)
        second = await general.ainvoke(asked | {"tasks": [task("hal")]}, at("t"))
        found = await search.ainvoke({"tasks": [task("ida")], **SIZES}, at("t"))
        third = await general.ainvoke(asked, at("t"))
        state = await general.aget_state(at("t"))
    ids = [one["run"] for one in (first, second, found, third)]
    assert len({*ids}) == 4 and known(store_path) == ids
    # Neither user prompts nor scores of earlier input are added to.
    assert len(state.values["induced"]) == 2 and len(state.values["scores"]) == 4
    assert third["results"] == first["results"] and [*second["results"]["tasks"]] == ["hal"]


@pytest.mark.long
async def test_a_file_with_other_data_is_another_task(context: metaspo.Context, store_path: Path, tmp_path: Path) -> None:
    graph: Any = metaspo.build_graph(InMemorySaver())
    file = tmp_path / "own.yaml"
    given = {"tasks": [str(file)], **SIZES}
    ids = []
    async with metaspo.opened():
        for likes in (2, 2, 3):
            file.write_text(json.dumps(task("own", likes)))
            ids.append((await graph.ainvoke(given, at("t"), context=context))["run"])
    assert ids[0] == ids[1] == "t" and known(store_path) == ["t", ids[2]]
    assert metaspo.verify(store=store_path).well


async def test_two_inputs_at_once_are_two_runs_of_which_one_is_refused(context: metaspo.Context, store_path: Path) -> None:
    graph: Any = metaspo.build_graph(InMemorySaver())
    inputs = [{"tasks": [task(name)], **SIZES} for name in ("ann", "bob")]
    async with metaspo.opened():
        found = await asyncio.gather(*(graph.ainvoke(one, at("t"), context=context) for one in inputs), return_exceptions=True)
        [refused] = [one for one in found if isinstance(one, Exception)]
        assert isinstance(refused, RunHeldError) and "in the same thread" in str(refused)
        again = await asyncio.gather(*(graph.ainvoke(inputs[0], at("u"), context=context) for _ in range(2)))
    assert [one["run"] for one in again] == ["u", "u"] and {"t", "u"} <= {*known(store_path)}


async def test_an_earlier_checkpoint_goes_on_as_the_run_that_it_is_of(context: metaspo.Context, store_path: Path) -> None:
    graph: Any = metaspo.build_graph(InMemorySaver())
    async with metaspo.opened():
        first = await graph.ainvoke({"tasks": [task("ann")], **SIZES}, at("t"), context=context)
        second = await graph.ainvoke({"tasks": [task("bob")], **SIZES}, at("t"))
        states = [state async for state in graph.aget_state_history(at("t"))]
        earlier = next(state for state in states if state.values.get("run") == "t" and state.next == ("select",))
        back = await graph.ainvoke(None, earlier.config)
        # The thread's newest run is the second all the same.
        again = await graph.ainvoke({"tasks": [task("bob")], **SIZES}, at("t"))
    assert back == first and again == second and known(store_path) == ["t", second["run"]]
