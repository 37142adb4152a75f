"""The graph inside other graphs: every time that they come to it is a run of its own."""

import operator
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send
from pydantic import BaseModel, ConfigDict

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError
from metaspo.graph.generalize import graph as generalize
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


class Fan(TypedDict, total=False):
    run: Annotated[str, lambda old, new: f"{old} {new}".strip()]


def fan_out(*problems: dict[str, Any], schema: Any = metaspo.Context) -> "StateGraph[Any, Any, Any, Any]":
    """An outer graph that sends each problem to the graph's own node."""
    builder = StateGraph(Fan, context_schema=schema).add_node("optimize", metaspo.build_graph())
    return builder.add_conditional_edges(START, lambda state: [Send("optimize", problem) for problem in problems], ["optimize"])


@pytest.mark.long
@pytest.mark.parametrize("names", ["ab", "aa"], ids=["two problems", "one problem twice"])
@pytest.mark.parametrize("way", ["in a thread", "without a thread", "sync"])
async def test_two_sends_make_two_runs(
    way: str, names: str, problem: Callable[[str], dict[str, Any]], context: metaspo.Context, store_path: Path
) -> None:
    outer = fan_out(*map(problem, names)).compile(checkpointer=InMemorySaver() if way == "in a thread" else None)
    config: Any = {"configurable": {"thread_id": "one talk"}} if way == "in a thread" else {}
    async with metaspo.opened():
        found = outer.invoke({}, context=context) if way == "sync" else await outer.ainvoke({}, config, context=context)
    kept_apart(store_path, found["run"].split())


async def test_two_sends_that_ask_are_answered_one_by_one(problem: Callable[[str], dict[str, Any]], store_path: Path) -> None:
    uneven = "scripted:tests.helpers.scripts:uneven"
    context = metaspo.Context(base=uneven, optimizer=uneven, store=str(store_path), approve="user")
    outer = fan_out(problem("a"), problem("b")).compile(checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "one talk"}}
    most = 0
    async with metaspo.opened():
        found = await outer.ainvoke({}, config, context=context)
        while asked := found.get("__interrupt__"):
            most = max(most, len(asked))
            found = await outer.ainvoke(Command(resume={one.id: "accept" for one in asked[:1]}), config, context=context)
    assert most == 2
    kept_apart(store_path, found["run"].split())


class Looping(Outer, total=False):
    method: str
    passes: Annotated[list[str], operator.add]


@pytest.mark.long
@pytest.mark.parametrize("saved", [True, False])
async def test_a_loop_in_a_graph_in_a_graph_makes_a_run_at_each_pass(
    saved: bool, problem: Callable[[str], dict[str, Any]], context: metaspo.Context, store_path: Path
) -> None:
    builder = StateGraph(Looping, context_schema=metaspo.Context).add_node("optimize", metaspo.build_graph())
    builder.add_node("note", lambda state: {"passes": [state["run"]]})
    builder.add_edge(START, "optimize").add_edge("optimize", "note")
    builder.add_conditional_edges("note", lambda state: END if len(state["passes"]) > 1 else "optimize", ["optimize", END])
    outer = StateGraph(Looping, context_schema=metaspo.Context).add_node("loop", builder.compile()).add_edge(START, "loop")
    config: Any = {"configurable": {"thread_id": "one talk"}}
    async with metaspo.opened():
        compiled = outer.compile(checkpointer=InMemorySaver() if saved else None)
        state = await compiled.ainvoke(problem("a"), config if saved else {}, context=context)  # type: ignore[call-overload]
    assert len(state["passes"]) == 2
    kept_apart(store_path, state["passes"])


@dataclass
class Desk:
    """A context of another graph's own."""

    user: str = "me"


@dataclass
class DeskWithOurs(Desk):
    metaspo: Any = None


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    metaspo: Any


class Typed(TypedDict, total=False):
    user: str
    metaspo: Any


@pytest.mark.long
@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (None, lambda ours: {"metaspo": ours, "user": "me"}),
        (None, lambda ours: {"metaspo": ours.model_dump(mode="json")}),
        (Typed, lambda ours: {"metaspo": ours.model_dump(mode="json"), "user": "me"}),
        (DeskWithOurs, lambda ours: DeskWithOurs(metaspo=ours)),
        (DeskWithOurs, lambda ours: {"metaspo": ours.model_dump(mode="json")}),
        (Model, lambda ours: {"metaspo": ours}),
    ],
    ids=["dict", "dict of fields", "TypedDict", "dataclass", "dataclass from a dict", "pydantic model"],
)
async def test_our_context_is_found_in_that_of_another_graph(
    schema: Any, given: Callable[[metaspo.Context], Any], problem: Callable[[str], dict[str, Any]], context: metaspo.Context,
    store_path: Path,
) -> None:  # fmt: skip
    async with metaspo.opened():
        state = await fan_out(problem("a"), schema=schema).compile().ainvoke({}, context=given(context))
    kept_apart(store_path, [state["run"]])
    with closing(Store(store_path)) as store:
        assert runs.find(store.db, state["run"]).config["context"]["base"]["provider"] == "scripted"


@pytest.mark.parametrize(
    ("schema", "given", "said"),
    [
        (None, None, "and there is none; write context={'metaspo': metaspo.Context("),
        (None, {"user": "me"}, "and this one has 'user'; write context={'metaspo': "),
        (None, {"base": "scripted:dice"}, "and this one has 'base'; write "),
        (Typed, {"user": "me"}, "and this one has 'user'; write "),
        (Desk, Desk(), "and this one is a Desk without it; write "),
        (DeskWithOurs, DeskWithOurs(), "and this one is a DeskWithOurs without it; write "),
        (Typed, {"metaspo": "openai:gpt-4o-mini"}, "'metaspo' in the context is a str; make it a metaspo.Context"),
        (Typed, {"metaspo": {"bas": "scripted:dice"}}, "'metaspo' in the context: unknown key 'bas'; known keys: base, "),
    ],
)
async def test_a_context_of_another_kind_is_refused_before_anything_is_asked(
    schema: Any, given: Any, said: str, problem: Callable[[str], dict[str, Any]], store_path: Path,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("METASPO_STORE", str(store_path))
    induction = StateGraph(Fan, context_schema=schema).add_node("generalize", generalize).add_edge(START, "generalize")

    async def maps(state: Fan) -> Fan:
        return {"run": (await metaspo.build_graph().ainvoke(problem("a")))["run"]}  # type: ignore[call-overload]

    mapped = StateGraph(Fan, context_schema=schema).add_node("maps", maps).add_edge(START, "maps")
    async with metaspo.opened():
        for outer in (fan_out(problem("a"), schema=schema), induction, mapped):
            with pytest.raises(ConfigError) as caught:
                await outer.compile().ainvoke({}, context=given)
            assert said in str(caught.value) and "\n" not in str(caught.value)
    assert store_path not in list(tmp_path.iterdir())  # noqa: ASYNC240


async def test_a_graph_of_its_own_has_defaults_but_takes_no_context_of_another_kind(
    problem: Callable[[str], dict[str, Any]], context: metaspo.Context, store_path: Path
) -> None:
    graph: Any = metaspo.build_graph()
    async with metaspo.opened():
        with pytest.raises(ConfigError, match="this one is a Desk without it"):
            await graph.ainvoke(problem("a"), context=Desk())
        found = await graph.ainvoke(problem("a"), context={"metaspo": context, "user": "me"})
    kept_apart(store_path, [found["run"]])
