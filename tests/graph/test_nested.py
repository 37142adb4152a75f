"""The graph inside other graphs: every time that they come to it is a run of its own."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph

import metaspo
from metaspo import Task
from metaspo.store import prompts, runs
from metaspo.store.database import Store


class Outer(TypedDict, total=False):
    tasks: list[Any]
    preset: str
    test_size: int
    run: str
    found: list[str]


@pytest.fixture
def context(store_path: Path) -> metaspo.Context:
    return metaspo.Context.model_validate({"base": "scripted:dice", "optimizer": "scripted:dice", "store": str(store_path)})


@pytest.fixture
def problem(make_task: Callable[..., Task]) -> Callable[[str], dict[str, Any]]:
    def problem(name: str) -> dict[str, Any]:
        return {
            "tasks": [make_task(name).model_dump(mode="json", by_alias=True)],
            "preset": "quick",
            "method": "metaspo",
            "test_size": 4,
        }

    return problem


def kept_apart(path: Path, ids: list[str]) -> None:
    with closing(Store(path)) as store:
        known = runs.all_runs(store.db)
        assert len(set(ids)) == len(ids) and {run.id for run in known} == set(ids)
        assert {run.status for run in known} == {"done"}
        assert all(len(prompts.rounds(store.db, id)) > 2 for id in ids)


async def test_a_thread_that_comes_back_with_other_tasks_makes_another_run(
    problem: Callable[[str], dict[str, Any]], context: metaspo.Context, store_path: Path
) -> None:
    graph = StateGraph(Outer, context_schema=metaspo.Context).add_node("optimize", metaspo.build_graph())
    outer = graph.add_edge(START, "optimize").compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one talk"}}
    async with metaspo.opened():
        ids = [(await outer.ainvoke(problem(name), config, context=context))["run"] for name in ("a", "b")]  # type: ignore[call-overload]
    kept_apart(store_path, ids)


async def test_a_node_that_calls_twice_makes_two_runs(
    problem: Callable[[str], dict[str, Any]], context: metaspo.Context, store_path: Path
) -> None:
    inner = metaspo.build_graph()

    async def twice(state: Outer) -> Outer:
        return {"found": [(await inner.ainvoke(problem(name), context=context))["run"] for name in ("a", "b")]}  # type: ignore[arg-type]

    graph = StateGraph(Outer).add_node("twice", twice).add_edge(START, "twice").compile(checkpointer=InMemorySaver())
    async with metaspo.opened():
        state = await graph.ainvoke({}, {"configurable": {"thread_id": "one talk"}})
    kept_apart(store_path, state["found"])
