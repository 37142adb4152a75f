"""A person in the loop: what is asked, what each answer does, and what waiting leaves untouched."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

import metaspo
from metaspo import Context, Result, Task, build_graph
from metaspo.approval.request import Request
from metaspo.domain.errors import AwaitsApproval, BudgetSpent, ConfigError
from metaspo.store.evaluations import run_evaluations, run_tasks
from metaspo.store.prompts import candidates

from .conftest import UNEVEN


def request_of(result: Result) -> Request:
    assert result.request is not None
    return result.request


def outcome(result: Result, db: Any) -> list[Any]:
    queries = [
        "SELECT round, level, system, score, accepted, dropped FROM rounds WHERE run = ?",
        "SELECT round, level, task, position, prompt, parent, status, reason, score FROM candidates WHERE run = ?",
        'SELECT round, task, position, system, "user", score FROM standing WHERE run = ?',
    ]
    return [db.execute(query, [result.run]).fetchall() for query in queries]


def go_on(result: Result, answer: Any) -> Result:
    return metaspo.resume(result.run, answer=answer, store=result.report.store)


@pytest.mark.long
@pytest.mark.parametrize("method", ["metaspo", "protegi"])
def test_all_accepted_is_the_same_as_not_asked(method: str, settings: dict[str, Any], open_store: Any) -> None:
    plain = metaspo.optimize(**settings | {"method": method})
    result = metaspo.optimize(**settings | {"method": method}, approve="both")
    asked = []
    while result.request:
        asked.append(result.request["level"])
        assert isinstance(result.stopped, AwaitsApproval) and result.report.run.status == "waiting"
        result = go_on(result, "accept")
    assert asked == [row.level for row in plain.report.rounds if row.accepted]
    db = open_store().db
    assert outcome(result, db) == outcome(plain, db) and result.report.run.status == "done"


def test_all_rejected_stays_with_the_seeds_and_says_why(settings: dict[str, Any], open_store: Any) -> None:
    result = metaspo.optimize(**settings, approve="both")
    while result.request:
        result = go_on(result, {"decision": "reject"})
    assert result.system_prompt == "You are a helpful assistant."
    assert result.user_prompts == {name: "Say yes or no.\n{question}" for name in "ab"}
    assert result.report.run.status == "done" and not any(row.accepted for row in result.report.rounds)
    made = [row for row in candidates(open_store().db, result.run) if row.status not in ("seed", "dropped")]
    assert {row.status for row in made} == {"rejected"}
    assert sum(row.reason == "rejected by a person" for row in made) >= 4


@pytest.mark.long
def test_only_the_level_that_was_named_is_asked_about(settings: dict[str, Any]) -> None:
    for level in ("user", "system"):
        result, asked = metaspo.optimize(**settings, approve=level), set()
        while result.request:
            asked.add(result.request["level"])
            result = go_on(result, "accept")
        assert asked == {level}


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_request_shows_what_the_store_holds(
    metric: str, settings: dict[str, Any], make_task: Callable[..., Task], open_store: Any
) -> None:
    settings["tasks"] = [make_task(name, metric=metric) for name in "ab"]
    result = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    request = request_of(result)
    assert json.loads(json.dumps(request)) == request and len(json.dumps(request)) < 20_000
    [change] = request["changes"]
    assert (change["task"], change["before"], change["best"], change["edited"]) == ("", result.system_prompt, True, False)
    assert f"-{change['before']}\n+{change['after']}" in change["diff"]
    db = open_store().db
    ids = {text: id for id, text in db.execute("SELECT id, text FROM prompts WHERE kind = 'system'")}
    found = run_evaluations(db, result.run, "train")
    for row, task in zip(change["tasks"], run_tasks(db, result.run), strict=True):
        before, after = (
            next(e.score for e in found if (e.task, e.system) == (task.task, ids[change[when]])) for when in ("before", "after")
        )
        assert (row["task"], row["examples"], row["before"], row["after"]) == (task.name, 16, before, after)
        assert abs(row["difference"] - (after - before)) < 1e-12 and row["low"] <= row["difference"] <= row["high"]
    assert abs(change["difference"] - sum(row["difference"] for row in change["tasks"]) / 2) < 1e-12
    assert change["better"] and change["worse"]
    for example in change["better"]:
        assert example["after"] == example["gold"] != example["before"]
    for example in change["worse"]:
        assert example["before"] == example["gold"] != example["after"]


@pytest.mark.long
def test_an_edited_system_prompt_is_scored_and_asked_about_again(settings: dict[str, Any], open_store: Any) -> None:
    first = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    proposed = request_of(first)["changes"][0]["after"]
    again = go_on(first, {"decision": "edit", "text": "  Written by hand.\n"})
    [change] = request_of(again)["changes"]
    assert request_of(again)["round"] == request_of(first)["round"]
    assert (change["after"], change["edited"]) == ("Written by hand.", True)
    paid = [again.report.usage.calls["base"] - first.report.usage.calls["base"]]
    done = go_on(again, "accept")
    while done.request:
        done = go_on(done, "reject")
    assert done.system_prompt == "Written by hand." and paid == [32]
    row = done.report.rounds[1]
    assert abs(row.score - sum(task["after"] for task in change["tasks"]) / 2) < 1e-12
    # The lineage goes through what was edited.
    assert [done.report.texts[row.prompt or ""] for row in done.report.lineage][-2:] == [proposed, "Written by hand."]
    assert done.report.lineage[-1].reason == "edited by a person"


def test_a_budget_that_ends_while_an_edit_is_scored_loses_nothing(settings: dict[str, Any]) -> None:
    first = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    paid = first.report.usage.total_calls
    answer = {"decision": "edit", "text": "Written by hand."}
    spent = metaspo.resume(first.run, answer=answer, store=settings["store"], **{"budget.calls": paid + 20})
    assert isinstance(spent.stopped, BudgetSpent) and spent.request is None
    asked = metaspo.resume(first.run, store=settings["store"], **{"budget.calls": paid + 1000})
    assert request_of(asked)["changes"][0]["after"] == "Written by hand."
    assert asked.report.usage.total_calls == paid + 32


def test_an_edited_prompt_can_be_rejected_or_edited_again(settings: dict[str, Any]) -> None:
    result = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    for text in ("One.", "Two.", "One."):
        result = go_on(result, {"decision": "edit", "text": text})
        assert [change["after"] for change in request_of(result)["changes"]] == [text]
    result = go_on(result, "reject")
    assert result.report.rounds[1].accepted == 0 and result.system_prompt == "You are a helpful assistant."


def test_each_task_gets_its_own_answer(settings: dict[str, Any]) -> None:
    # With "both" the run waits again in round 2, so that what stands is what round 1 left.
    first = metaspo.optimize(**settings, approve="both")
    before = {change["task"]: change["after"] for change in request_of(first)["changes"]}
    assert set(before) == {"a", "b"}
    text = "Mine.\n{question}"
    again = go_on(first, {"decision": "accept", "tasks": {"b": {"decision": "edit", "text": text}}})
    [change] = request_of(again)["changes"]
    assert (change["task"], change["after"], change["edited"], change["best"]) == ("b", text, True, True)
    done = go_on(again, "accept")
    assert done.user_prompts == {"a": before["a"], "b": text}
    assert before["b"] not in done.report.user_after["b"]

    other = metaspo.optimize(**settings, approve="both")
    other = go_on(other, {"tasks": {"a": {"decision": "reject"}, "b": {"decision": "accept"}}})
    assert other.user_prompts["b"] == before["b"] and other.report.user_after["a"] == ["Say yes or no.\n{question}"]


INVALID: list[tuple[Any, str]] = [
    ("perhaps", "decision: 'perhaps' is none of 'accept', 'reject', 'edit', 'stop'"),
    (7, "decision: 7 is none of"),
    ('{"decision": ', "the answer is not valid JSON"),
    ({"decison": "accept"}, "unknown key 'decison'; known keys: id, decision, text, message, tasks, person"),
    ({"tasks": {}}, "task a: no decision; give one of accept, reject, edit"),
    ({"tasks": {"a": {"decision": "accept"}}}, "task b: no decision"),
    ({"tasks": {"c": {"decision": "accept"}}}, "no change of a task named 'c' waits for an answer; waiting: a, b"),
    ({"decision": "edit", "text": "x {question}"}, "several prompts wait"),
    ({"decision": "edit"}, "task a: 'edit' comes with the new text"),
    ({"decision": "accept", "text": "x"}, "task a: 'edit' comes with the new text"),
    (
        {"decision": "accept", "tasks": {"b": {"decision": "edit", "text": "No place."}}},
        "task b: the edited text holds {question} 0 times",
    ),
    (
        {"decision": "accept", "tasks": {"b": {"decision": "edit", "text": "Say yes or no.\n{question}"}}},
        "is the prompt in force",
    ),
]


@pytest.mark.long
def test_an_answer_that_cannot_be_used_is_asked_for_again(settings: dict[str, Any]) -> None:
    first = metaspo.optimize(**settings, approve="user")
    for answer, says in INVALID:
        with pytest.raises(ConfigError) as raised:
            go_on(first, answer)
        assert says in str(raised.value)
        again = metaspo.resume(first.run, store=settings["store"])
        # What cannot be read does not even get there.
        assert says.startswith("the answer is not valid JSON") or request_of(again)["problem"] == str(raised.value)
        assert request_of(again)["changes"] == request_of(first)["changes"]
    assert request_of(metaspo.resume(first.run, store=settings["store"], answer="stop"))["stopped"]
    done = go_on(first, "accept")
    assert done.report.rounds[1].accepted > 0
    assert first.report.usage.calls["base"] == 96 and done.report.usage.calls["base"] > 96


def test_an_edit_must_keep_what_is_locked(settings: dict[str, Any]) -> None:
    marked = "You are a <locked>helpful</locked> assistant."
    result = metaspo.optimize(
        **{**settings, "optimizer": "scripted:tests.helpers.scripts:keeps_lock"}, approve="system", system_prompt=marked
    )
    assert "helpful" in request_of(result)["changes"][0]["after"]
    with pytest.raises(ConfigError, match="the system prompt: the edited text does not keep the locked parts"):
        go_on(result, {"decision": "edit", "text": "You are a useful assistant."})
    edited = go_on(result, {"decision": "edit", "text": "A <locked>helpful</locked> hand."})
    assert request_of(edited)["changes"][0]["after"] == "A helpful hand."


@pytest.mark.long
def test_stop_ends_the_run_and_it_can_be_answered_later(settings: dict[str, Any], open_store: Any) -> None:
    plain = metaspo.optimize(**settings)
    first = metaspo.optimize(**settings, approve="both")
    first = go_on(first, "accept")
    stopped = go_on(first, "stop")
    assert stopped.report.run.status == "stopped" and request_of(stopped)["stopped"]
    assert stopped.user_prompts == first.user_prompts
    result = metaspo.resume(stopped.run, store=settings["store"])
    assert result.report.run.status == "stopped" and result.request
    while result.request:
        result = go_on(result, "accept")
    db = open_store().db
    assert outcome(result, db) == outcome(plain, db)


@pytest.mark.long
def test_approval_can_be_turned_off_and_on_when_resumed(settings: dict[str, Any], open_store: Any) -> None:
    plain = metaspo.optimize(**settings)
    waiting = metaspo.optimize(**settings, approve="both")
    done = metaspo.resume(waiting.run, store=settings["store"], approve="none")
    assert done.stopped is None
    spent = metaspo.optimize(**{**settings, "seed": 5}, budget={"calls": 20})
    asked = metaspo.resume(spent.run, store=settings["store"], approve="user", **{"budget.calls": 10_000})
    assert asked.request is not None
    db = open_store().db
    assert outcome(done, db) == outcome(plain, db)


@pytest.mark.long
def test_a_run_that_waits_for_nothing_takes_no_answer(settings: dict[str, Any]) -> None:
    done = metaspo.optimize(**settings)
    with pytest.raises(ConfigError, match="waits for no approval; go on with: metaspo resume"):
        go_on(done, "accept")
    assert metaspo.resume(done.run, store=settings["store"]).report.run.status == "done"


@pytest.mark.long
async def test_the_bare_graph_takes_commands(settings: dict[str, Any]) -> None:
    config = metaspo.RunConfig.model_validate(
        {**settings, "tasks": [task.model_dump(mode="json", by_alias=True, exclude_defaults=True) for task in settings["tasks"]],
         "store": str(settings["store"]), "approve": "both"}
    )  # fmt: skip
    given, context = config.problem().model_dump(mode="json"), config.context()
    thread: Any = {"configurable": {"thread_id": "bare"}}
    graph = build_graph(InMemorySaver())
    found = await graph.ainvoke(given, thread, context=context)
    [asked] = found["__interrupt__"]
    assert asked.value["level"] == "user"
    found = await graph.ainvoke(Command(resume="nonsense"), thread, context=context)
    assert "is none of" in found["__interrupt__"][0].value["problem"]
    found = await graph.ainvoke(Command(resume={"decision": "stop"}), thread, context=context)
    assert found["__interrupt__"][0].value["stopped"]
    while "__interrupt__" in found:
        found = await graph.ainvoke(Command(resume={"decision": "accept"}), thread, context=context)
    plain = await asyncio.to_thread(lambda: metaspo.optimize(**settings))
    assert found["incumbent"]["text"] == plain.system_prompt

    for nothing in ({}, {"configurable": {"thread_id": "lost"}}):
        with pytest.raises(ConfigError, match="approve: both needs a checkpointer"):
            await build_graph().ainvoke(given, nothing, context=context)  # type: ignore[call-overload]


class Parent(TypedDict, total=False):
    tasks: list[Any]
    system_prompt: str
    preset: str
    test_size: int
    incumbent: Any


async def test_an_interrupt_passes_through_a_parent_graph(settings: dict[str, Any]) -> None:
    builder = StateGraph(Parent, context_schema=Context)
    builder.add_node("optimize", build_graph())
    builder.add_edge(START, "optimize")
    parent = builder.compile(checkpointer=InMemorySaver())
    tasks = [task.model_dump(mode="json", by_alias=True, exclude_defaults=True) for task in settings["tasks"]]
    thread: Any = {"configurable": {"thread_id": "parent"}}
    context = Context.model_validate({"base": UNEVEN, "optimizer": UNEVEN, "store": str(settings["store"]), "approve": "both"})
    given: Parent = {"tasks": tasks, "preset": "quick", "method": "metaspo", "test_size": 4}
    found = await parent.ainvoke(given, thread, context=context)
    levels = []
    while "__interrupt__" in found:
        levels.append(found["__interrupt__"][0].value["level"])
        found = await parent.ainvoke(Command(resume="accept"), thread, context=context)
    assert levels and found["incumbent"]["text"]
