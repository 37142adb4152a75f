"""What the store keeps of questions to people and of their answers."""

from dataclasses import replace
from typing import Any

import pytest
from sqlite_utils import Database

from metaspo.store import answers, runs
from metaspo.store.afresh import begin_afresh
from metaspo.store.answers import Answer

OPEN = Answer("r", "q1", 1, "user", "a", "", None, None, "2026-01-01T00:00:00.000+00:00", {"after": "x", "low": 0.1})
GIVEN = replace(OPEN, decision="accept", person="Ada", created="2026-01-01T01:00:00.000+00:00")


@pytest.fixture
def db(open_store: Any) -> Database:
    found: Database = open_store().db
    runs.create(found, runs.Run("r", None, None, "metaspo", {}, "running", None, "", "", 0, "0"))
    return found


def test_a_question_waits_until_it_is_answered_once(db: Database) -> None:
    answers.ask(db, [OPEN, replace(OPEN, task="b")], True)
    answers.ask(db, [replace(OPEN, created="2027")], True)
    assert answers.of_request(db, "r", "q1") == [OPEN, replace(OPEN, task="b")] and answers.of_run(db, "r") == []
    answers.tell(db, "r", "q1", "Bob")
    assert {row.person for row in answers.of_request(db, "r", "q1")} == {"Bob"}
    answers.answer(db, [GIVEN])
    answers.answer(db, [replace(GIVEN, person="Bob", created="2028")])
    assert answers.of_run(db, "r") == [GIVEN] == [answers.newest(db, "r")]
    assert answers.answered_by(db, "r", "q1") == ["Ada"] and answers.answered_by(db, "r", "q2") == []
    # The first one never got anywhere: what counts is another.
    answers.answer(db, [replace(GIVEN, decision="reject", person="Bob")])
    assert [(row.decision, row.person) for row in answers.of_run(db, "r")] == [("reject", "Bob")]


def test_what_a_run_has_left_is_forgotten(db: Database) -> None:
    later = [replace(GIVEN, request="q2"), replace(GIVEN, request="q3", round=2)]
    answers.answer(db, [GIVEN, *later])
    answers.ask(db, [replace(OPEN, request="q4")], False)
    assert [row.request for row in answers.of_run(db, "r")] == ["q1", "q2"]
    answers.answer(db, later)
    answers.ask(db, [OPEN], True)
    assert answers.of_run(db, "r") == [] and answers.of_request(db, "r", "q1") == [OPEN]
    answers.answer(db, [GIVEN, *later])
    answers.forget(db, "r", 2)
    assert [row.round for row in answers.of_run(db, "r")] == [1, 1]
    begin_afresh(db, "r", bool)
    assert answers.of_run(db, "r") == []


def test_whatever_a_prompt_holds_is_kept(db: Database) -> None:
    odd = replace(GIVEN, shown={"after": "half \ud800 and \u2028", "tasks": [{"low": -1e-9}]})
    answers.answer(db, [odd])
    assert answers.of_run(db, "r") == [odd]
