"""The `answers` table: what people were asked before a prompt counts, and who answered what, and when.

A row is written when its question is asked, and filled in once, by the answer that counts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from .transactions import writing

COLUMNS = "run, request, round, level, task, decision, text, person, created, shown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person decided about one change; `task` is "" for the system prompt, `decision` while nobody has decided.

    `text` is an edit's new text, or why the change was rejected, where that was said. `created` is when it was
    answered, or asked while it waits: UTC, ISO 8601, to the millisecond. `shown` is the change as the person saw it:
    the prompts before and after, scores in [0, 1] with their intervals.
    """

    run: str
    request: str
    round: int
    level: str
    task: str
    decision: str
    text: str | None
    person: str | None
    created: str
    shown: dict[str, Any]


def ask(db: Database, asked: Sequence[Answer], first: bool) -> None:
    """Record a question that somebody is about to see; one that waits already stays as it is.

    What was answered in later rounds, and in this one where it is the round's `first` question, belongs to a way that
    the run has left. So does an answer to this very question: it would not be asked, had the answer counted.
    """
    with writing(db):
        for one in asked[:1]:
            later = "round > ? OR (? AND round = ? AND request <> ?)"
            db.execute(f"DELETE FROM answers WHERE run = ? AND ({later})", [one.run, one.round, first, one.round, one.request])
        for one in asked:
            db.execute(f"{_INSERT} {_TAKING} WHERE answers.decision <> ''", _values(one))


def answer(db: Database, answered: Sequence[Answer]) -> None:
    """Record an answer. The same one again, as after a crash, changes nothing: not who gave it, nor when."""
    with writing(db):
        for one in answered:
            another = "answers.decision <> excluded.decision OR answers.text IS NOT excluded.text"
            db.execute(f"{_INSERT} {_TAKING} WHERE {another}", _values(one))


_INSERT = f"INSERT INTO answers ({COLUMNS}) VALUES ({', '.join('?' * 10)})"
_TAKING = (
    "ON CONFLICT (run, request, task) DO UPDATE SET decision = excluded.decision, text = excluded.text,"
    " person = excluded.person, created = excluded.created"
)


def tell(db: Database, run: str, request: str, person: str) -> None:
    """Record who was told, in the place of a usable answer, what is asked now."""
    db.execute("UPDATE answers SET person = ? WHERE run = ? AND request = ? AND decision = ''", [person, run, request])


def forget(db: Database, run: str, round: int) -> None:
    """Forget what was asked in a round and later ones: the run goes another way, on which nothing is asked there."""
    db.execute("DELETE FROM answers WHERE run = ? AND round >= ?", [run, round])


def of_request(db: Database, run: str, request: str) -> list[Answer]:
    """The rows of one question, one a change, answered or not."""
    return _found(db, "run = ? AND request = ? ORDER BY rowid", [run, request])


def answered_by(db: Database, run: str, request: str) -> list[str]:
    """Who has answered a question: nobody while it is open, "somebody" for people who gave no name."""
    return sorted({row.person or "somebody" for row in of_request(db, run, request) if row.decision})


def of_run(db: Database, run: str) -> list[Answer]:
    """The answers that counted in a run, in the order of its rounds."""
    return _found(db, "run = ? AND decision <> '' ORDER BY round, created, rowid", [run])


def newest(db: Database, run: str) -> Answer | None:
    """The last answer that a run got."""
    return next(iter(_found(db, "run = ? AND decision <> '' ORDER BY created DESC, rowid DESC LIMIT 1", [run])), None)


def _found(db: Database, where: str, values: Sequence[str]) -> list[Answer]:
    rows = db.execute(f"SELECT {COLUMNS} FROM answers WHERE {where}", list(values)).fetchall()
    return [Answer(**{**dict(zip(COLUMNS.split(", "), row, strict=True)), "shown": json.loads(row[-1])}) for row in rows]


def _values(one: Answer) -> list[Any]:
    return [
        one.run, one.request, one.round, one.level, one.task, one.decision, one.text, one.person, one.created,
        json.dumps(one.shown),
    ]  # fmt: skip
