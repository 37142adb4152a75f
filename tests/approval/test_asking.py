"""Whose answer counts: questions with ids, answers that come too late or name nothing, and what is put on record."""

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from sqlite_utils import Database

import metaspo
from metaspo import Result, build_graph
from metaspo.approval.request import Request, seen
from metaspo.domain.errors import ConfigError
from metaspo.store import answers
from metaspo.store.checkpoints import open_checkpointer

from ..helpers import forked

ROOT = Path(__file__).resolve().parents[2]
Send = Callable[..., Awaitable[dict[str, Any]]]


def request_of(result: Result) -> Request:
    assert result.request is not None
    return result.request


def go_on(result: Result, answer: Any) -> Result:
    return metaspo.resume(result.run, answer=answer, store=result.report.store)


def asked(found: dict[str, Any]) -> Request:
    [interrupt] = found["__interrupt__"]
    value: Request = interrupt.value
    return value


@pytest.fixture
def given(settings: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The same search as the bare graph takes it: input and context."""
    tasks = [task.model_dump(mode="json", by_alias=True, exclude_defaults=True) for task in settings["tasks"]]
    plain = {**settings, "tasks": tasks, "store": str(settings["store"]), "approve": "both"}
    config = metaspo.RunConfig.model_validate(plain)
    return config.problem().model_dump(mode="json"), config.context()


@pytest.fixture
def send(given: tuple[dict[str, Any], Any]) -> Send:
    """Gives a graph in memory its input, or an answer, with further settings of the thread."""
    graph = build_graph(InMemorySaver())

    async def to_graph(answer: Any = None, **configurable: Any) -> dict[str, Any]:
        thread: Any = {"configurable": {"thread_id": "one", **configurable}}
        return dict(await graph.ainvoke(given[0] if answer is None else Command(resume=answer), thread, context=given[1]))

    return to_graph


@pytest.mark.long
def test_every_question_has_its_own_id_and_keeps_it(settings: dict[str, Any]) -> None:
    result = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    ids = [request_of(result)["id"]]
    for text in ("One.", "Two.", "One."):
        again = metaspo.resume(result.run, store=settings["store"])
        assert request_of(again)["id"] == ids[-1]
        with pytest.raises(ConfigError):
            go_on(result, {"decision": "edit", "text": ""})
        assert request_of(metaspo.resume(result.run, store=settings["store"]))["id"] == ids[-1]
        result = go_on(result, {"id": ids[-1], "decision": "edit", "text": text})
        ids.append(request_of(result)["id"])
    assert len({*ids}) == 4 and all(len(id) == 16 for id in ids)
    other = metaspo.optimize(**settings | {"method": "outer_only"}, approve="system")
    assert request_of(other)["changes"] and request_of(other)["id"] not in ids


def test_an_answer_to_a_question_of_before_is_refused_with_what_is_asked_now(settings: dict[str, Any]) -> None:
    first = metaspo.optimize(**settings, approve="both")
    now = go_on(first, {"id": request_of(first)["id"], "decision": "accept", "person": "Ada"})
    before, waits = request_of(first)["id"], request_of(now)
    for answer in (
        {"id": before, "decision": "reject"},
        {"id": before, "tasks": {"a": {"decision": "accept"}}},
        {"id": before, "decision": "stop"},
    ):
        with pytest.raises(ConfigError) as raised:
            go_on(first, answer)
        said = str(raised.value)
        assert f"question {before}, which Ada answered, and not what is asked now: question {waits['id']}" in said
        assert "the system prompt of round 2" in said
    with pytest.raises(ConfigError, match="answers question nothing of ours and not"):
        go_on(first, {"id": "nothing  of\nours", "decision": "accept"})
    still = metaspo.resume(first.run, store=settings["store"])
    assert request_of(still) == waits and still.report.run.status == "waiting"
    # What prompted the other one is on record as it was.
    assert [one.person for one in still.report.answers] == ["Ada", "Ada"]


async def test_a_graph_refuses_it_too_and_waits_on(send: Send) -> None:
    first = asked(await send())
    now = asked(await send({"id": first["id"], "decision": "accept"}))
    refused = asked(await send({"id": first["id"], "decision": "reject", "person": "Bob"}))
    assert "question " + now["id"] in (refused["problem"] or "")
    assert {**refused, "problem": None} == now
    assert asked(await send({"id": now["id"], "decision": "accept"}))["round"] > now["round"]


async def test_a_plain_answer_counts_for_one_who_answers_alone(send: Send) -> None:
    found, rounds = await send(), []
    while "__interrupt__" in found:
        rounds.append(asked(found)["round"])
        assert asked(found)["problem"] is None
        found = await send("accept")
    assert len(rounds) > 2


async def test_a_plain_answer_of_another_person_has_to_be_given_twice(send: Send) -> None:
    await send()
    now = asked(await send({"decision": "accept", "person": "Ada"}))
    for person in ("Bob", None, "Carol"):
        said = {"decision": "accept"} | ({"person": person} if person else {})
        refused = asked(await send(said))
        assert "Ada has answered the one before" in (refused["problem"] or "") and refused["id"] == now["id"]
    # Carol has been told what is asked now.
    after = asked(await send({"decision": "accept", "person": "Carol"}))
    assert after["round"] > now["round"] and after["problem"] is None


async def test_a_plain_answer_that_was_sent_too_early_is_refused(send: Send) -> None:
    early = uuid.UUID(int=(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))
    first = asked(await send())
    refused = asked(await send("accept", run_id=str(early)))
    assert "it was sent before this one was asked" in (refused["problem"] or "")
    named = {"id": first["id"], "decision": "accept"}
    assert asked(await send(named, run_id=str(early)))["round"] > first["round"]


async def test_a_plain_answer_to_what_nobody_was_asked_is_refused(given: tuple[dict[str, Any], Any]) -> None:
    graph, thread = build_graph(InMemorySaver()), {"configurable": {"thread_id": "one"}}
    run: Any = graph.ainvoke
    # To where round 1 is about to be closed, as a process killed there would leave it.
    for start in (given[0], None):
        await run(start, thread, context=given[1], interrupt_before=["select"])
    found = await run(Command(resume="accept"), thread, context=given[1])
    assert "none had been asked yet" in (asked(found)["problem"] or "") and asked(found)["round"] == 1


async def test_an_answer_where_nothing_waits_is_refused(
    send: Send, given: tuple[dict[str, Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASPO_STORE", given[1].store)
    found = await send()
    while "__interrupt__" in found:
        last, found = asked(found), await send("accept")
    for answer in ("accept", {"id": last["id"], "decision": "reject"}):
        with pytest.raises(ConfigError, match=f"run {last['run']} waits for no answer: it is done"):
            await send(answer)
    graph: Any = build_graph(InMemorySaver())
    thread = {"configurable": {"thread_id": "two"}}
    with pytest.raises(ConfigError, match="no run has begun there"):
        await asyncio.to_thread(graph.invoke, Command(resume="accept"), thread, context=given[1])
    for start in (given[0], None):
        await graph.ainvoke(start, thread, context=given[1], interrupt_before=["select"])
    with pytest.raises(ConfigError, match="it is in the middle of round 1"):
        await graph.ainvoke(Command(resume={"id": last["id"], "decision": "accept"}), thread, context=given[1])


async def test_answers_by_the_ids_of_interrupts(send: Send) -> None:
    first = (await send())["__interrupt__"][0]
    now = (await send({first.id: "accept"}))["__interrupt__"][0]
    assert now.value["round"] > first.value["round"] and now.value["problem"] is None
    stale = (await send({first.id: "reject"}))["__interrupt__"][0]
    assert stale.value["problem"] == "the answer was to another interrupt; look at what is asked now"
    # Named by its interrupt, an answer needs no more, whoever gives it.
    after = await send({stale.id: {"decision": "accept", "person": "Bob"}})
    assert asked(after)["round"] > now.value["round"]


@pytest.mark.long
def test_who_answered_what_and_what_they_saw_is_on_record(settings: dict[str, Any]) -> None:
    first = metaspo.optimize(**settings, approve="both")
    questions = [request_of(first)]
    text = "Mine.\n{question}"
    said = {"a": {"decision": "reject", "message": "too\x1b[2J long"}, "b": {"decision": "edit", "text": text}}
    result = go_on(first, {"tasks": said, "person": "Ada"})
    while result.request:
        questions.append(result.request)
        result = go_on(result, "accept")
    rows = result.report.answers
    assert [(row.request, row.task) for row in rows] == [
        (question["id"], change["task"]) for question in questions for change in question["changes"]
    ]
    assert [(row.decision, row.text, row.person) for row in rows[:2]] == [
        ("reject", "too\\x1b[2J long", "Ada"),
        ("edit", text, "Ada"),
    ]
    assert {(row.decision, row.text, row.person) for row in rows[2:]} == {("accept", None, None)}
    shown = [seen(change) for question in questions for change in question["changes"]]
    assert [row.shown for row in rows] == shown
    assert all(datetime.fromisoformat(row.created).tzinfo == UTC for row in rows)
    exported = metaspo.open_report(settings["store"], result.run)
    assert exported.answers == rows
    assert metaspo.branch(result.run, at=1, store=settings["store"], approve="none").report.answers == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("known", "named", "recorded"),
    [
        ({"identity": "alice"}, None, "alice"),
        ({"identity": "alice"}, "bob", "alice (bob)"),
        (None, "bob", "bob"),
        (None, "\x1b[31mbob\u202e\n the  builder" + "x" * 500, "\\x1b[31mbob\\u202e the builder"),
        (None, None, None),
    ],
)
async def test_who_answers_is_whom_the_server_knows(
    send: Send, known: Any, named: str | None, recorded: str | None, open_store: Any
) -> None:
    first = asked(await send())
    said = {"id": first["id"], "decision": "accept"} | ({"person": named} if named else {})
    await send(said, langgraph_auth_user=known)
    [person] = {row.person for row in answers.of_run(open_store().db, first["run"])}
    assert (person or "").startswith(recorded or "") and len(person or "") <= 100 and (person is None) == (recorded is None)


@pytest.mark.long
async def test_a_run_that_begins_anew_leaves_its_answers(send: Send, open_store: Any) -> None:
    first = asked(await send())
    await send({"id": first["id"], "decision": "accept", "person": "Ada"})
    db = open_store().db
    assert {row.person for row in answers.of_run(db, first["run"])} == {"Ada"}
    again = asked(await send())
    assert again["id"] == first["id"] and answers.of_run(db, first["run"]) == []
    await send({"id": again["id"], "decision": "reject", "person": "Bob"})
    assert {(row.decision, row.person) for row in answers.of_run(db, first["run"])} == {("reject", "Bob")}


@pytest.mark.long
async def test_a_run_that_is_taken_back_is_asked_again(given: tuple[dict[str, Any], Any], open_store: Any) -> None:
    graph, thread = build_graph(InMemorySaver()), {"configurable": {"thread_id": "one"}}
    run: Any = graph.ainvoke
    found = await run(given[0], thread, context=given[1])
    first = asked(found)
    waits = (await graph.aget_state(thread)).config  # type: ignore[arg-type]
    for _ in range(2):
        found = await run(Command(resume={"id": asked(found)["id"], "decision": "accept"}), thread, context=given[1])
    db = open_store().db
    assert {row.round for row in answers.of_run(db, first["run"])} == {1, 2}
    found = await run(None, waits, context=given[1])
    assert asked(found)["id"] == first["id"] and answers.of_run(db, first["run"]) == []
    found = await run(Command(resume={"id": first["id"], "decision": "reject", "person": "Bob"}), thread, context=given[1])
    assert {(row.round, row.decision, row.person) for row in answers.of_run(db, first["run"])} == {(1, "reject", "Bob")}
    assert asked(found)["round"] > 1


DIES = """
import os, signal, sys
import metaspo
from metaspo.workspace.resources import Workspace

async def dies(self):
    os.kill(os.getpid(), signal.SIGKILL)

Workspace.go_on = dies
metaspo.resume(sys.argv[1], answer={"decision": "accept", "person": "Ada"}, store=sys.argv[2])
"""


def killed_while_answering(run: str, store: Path) -> None:
    """Ada accepts, and her process is killed when that is on record but in no checkpoint."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = forked.run([sys.executable, "-c", DIES, run, str(store)], env=environment, cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL


async def in_graph(run: str, store: Path, answer: Any) -> Request:
    """What a run asks after an answer that comes to it without our own session."""
    async with open_checkpointer(store) as saver:
        context, thread = metaspo.Context(store=str(store)), {"configurable": {"thread_id": run}}
        graph: Any = build_graph(saver)
        return asked(await graph.ainvoke(Command(resume=answer), thread, context=context))


@pytest.mark.long
def test_killed_with_an_answer_on_record_it_is_not_asked_again(settings: dict[str, Any]) -> None:
    first = metaspo.optimize(**settings, approve="both")
    killed_while_answering(first.run, settings["store"])
    recorded = metaspo.open_report(settings["store"], first.run).answers
    assert [(row.task, row.person) for row in recorded] == [("a", "Ada"), ("b", "Ada")]
    result = metaspo.resume(first.run, store=settings["store"])
    assert request_of(result)["round"] == 2 and result.report.answers == recorded


@pytest.mark.long
async def test_what_was_refused_before_an_answer_counted_stays_refused_after_a_kill(settings: dict[str, Any]) -> None:
    first = await metaspo.aoptimize(**settings, approve="both")
    now = await metaspo.aresume(first.run, answer={"decision": "accept", "person": "Ada"}, store=settings["store"])
    refused = await in_graph(first.run, settings["store"], {"decision": "reject", "person": "Bob"})
    assert "Ada has answered the one before" in (refused["problem"] or "")
    # A graph's run is held for a moment, for whoever goes on with it here.
    async with asyncio.timeout(30):
        while [*Database(settings["store"])["leases"].rows]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    await asyncio.to_thread(killed_while_answering, first.run, settings["store"])
    result = await metaspo.aresume(first.run, store=settings["store"])
    [row] = [row for row in result.report.answers if row.request == request_of(now)["id"]]
    assert (row.decision, row.person) == ("accept", "Ada")
    assert result.report.rounds[2].accepted == 1


async def test_a_taken_answer_is_not_given_out_again(settings: dict[str, Any]) -> None:
    """LangGraph keeps a bare answer with the checkpoint: without it, going on would accept what was refused."""
    first = await metaspo.aoptimize(**settings, approve="both")
    now = await metaspo.aresume(first.run, answer={"decision": "accept", "person": "Ada"}, store=settings["store"])
    assert "Ada has answered the one before" in ((await in_graph(first.run, settings["store"], "accept"))["problem"] or "")
    for _ in range(2):
        still = await metaspo.aresume(first.run, store=settings["store"])
        assert request_of(still)["id"] == request_of(now)["id"]
        assert "it was refused when it came" in (request_of(still)["problem"] or "")
