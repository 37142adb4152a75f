"""Tasks and the scores of prompts on them: `tasks`, `examples`, `evaluations`, `outcomes`."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal, cast

from sqlite_utils import Database

from ..domain.messages import Message, as_data, message_of
from ..domain.results import UNGRADED, UNSCORED, Evaluation, Example, Outcome, Split
from ..domain.several import combination
from .by_keys import by_keys
from .set_apart import ABOUT_PAIRS

Role = Literal["source", "target"]
"""What a task is to a run: prompts are made for it, or it is only scored."""

EXAMPLE = "id, question, answers, row, messages"

OUTCOME = "example, call, answer, score, failed, explanation"


@dataclass(frozen=True, slots=True)
class RunTask:
    """A task as one run uses it, and how many examples it drew."""

    run: str
    task: str
    name: str
    role: Role
    train: int
    validation: int
    test: int


def save_task(db: Database, run_task: RunTask, spec: dict[str, Any], examples: Sequence[Example]) -> None:
    """Record a task as it was written, its examples, and that a run uses it."""
    rows = [
        (run_task.task, e.id, e.question, json.dumps(e.answers, ensure_ascii=False), e.row or None, _written(e.messages))
        for e in examples
    ]
    known = "INSERT OR IGNORE INTO tasks (id, name, domain, metric, spec) VALUES (?, ?, ?, ?, ?)"
    with db.atomic():
        db.execute(
            known, [run_task.task, run_task.name, spec["domain"], spec["metric"]["kind"], json.dumps(spec, ensure_ascii=False)]
        )
        db.conn.executemany(
            "INSERT OR IGNORE INTO examples (task, id, question, answers, row, messages) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        db.execute(
            "INSERT OR REPLACE INTO run_tasks (run, task, name, role, train, validation, test) VALUES (?, ?, ?, ?, ?, ?, ?)",
            astuple(run_task),
        )


def _written(messages: Sequence[Message]) -> str | None:
    return json.dumps([*map(as_data, messages)], ensure_ascii=False) if messages else None


def run_tasks(db: Database, run: str) -> list[RunTask]:
    """The tasks of a run in the order in which it named them."""
    rows = db.execute(
        "SELECT run, task, name, role, train, validation, test FROM run_tasks WHERE run = ? ORDER BY rowid", [run]
    )
    return [RunTask(*row) for row in rows]


def save_evaluation(db: Database, evaluation: Evaluation, model: str, created: str) -> None:
    """Record an evaluation with its outcomes in one transaction; a known one is left as it is.

    `model` is the name of the model, or the text form of a combination.
    """
    e = evaluation
    row = [
        e.id, e.task, e.split, e.system, e.user, model,
        e.score, len(e.outcomes), len(e.failures), e.unparsed, created, int(e.whole),
    ]  # fmt: skip
    outcomes = [
        (e.id, at, o.example, o.call, o.answer, o.score, int(o.failed), o.explanation) for at, o in enumerate(e.outcomes)
    ]
    with db.atomic():
        inserted = db.execute(
            "INSERT OR IGNORE INTO evaluations"
            " (id, task, split, system, user, model, score, size, failed, unparsed, created, whole)"
            f" VALUES ({', '.join('?' * 12)})",
            row,
        )
        if inserted.rowcount:
            db.conn.executemany(
                f"INSERT INTO outcomes (evaluation, position, {OUTCOME}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", outcomes
            )


def use_evaluation(db: Database, run: str, round: int, evaluation: str) -> None:
    """Record that a round of a run relied on an evaluation."""
    db.execute("INSERT OR IGNORE INTO run_evaluations VALUES (?, ?, ?)", [run, round, evaluation])


def evaluation(db: Database, id: str) -> Evaluation | None:
    """An evaluation by its id, or None."""
    row = db.execute('SELECT task, system, "user", split, score, whole, model FROM evaluations WHERE id = ?', [id]).fetchone()
    if row is None:
        return None
    found = db.execute(f"SELECT {OUTCOME} FROM outcomes WHERE evaluation = ? ORDER BY position", [id])
    outcomes = tuple(Outcome(e, call, answer, score, bool(failed), why) for e, call, answer, score, failed, why in found)
    task, system, user, split, score, whole, model = row
    made_of = combination(model)
    counting, parts = (made_of.counting, tuple(by_model(db, id).values())) if made_of else (None, ())
    return Evaluation(id, task, system, user, split, score, outcomes, bool(whole), parts, counting)


def parts(db: Database, id: str) -> dict[str, str]:
    """The ids of the evaluations that one combines, by the name of their model; nothing where it combines none."""
    row = db.execute("SELECT model FROM evaluations WHERE id = ?", [id]).fetchone()
    made_of = combination(row[0]) if row else None
    return dict(made_of.parts) if made_of else {}


def by_model(db: Database, id: str) -> dict[str, Evaluation]:
    """The evaluations that one combines, by the name of their model."""
    return {name: found for name, part in parts(db, id).items() if (found := evaluation(db, part))}


def has_evaluations(db: Database, run: str) -> bool:
    """Whether a run relied on anything yet."""
    return db.execute("SELECT 1 FROM run_evaluations WHERE run = ? LIMIT 1", [run]).fetchone() is not None


def has_answers(db: Database, run: str) -> bool:
    """Whether any reply that a run relied on held an answer, with a score."""
    asked = (
        "SELECT 1 FROM run_evaluations r JOIN outcomes o ON o.evaluation = r.evaluation"
        " WHERE r.run = ? AND o.answer IS NOT NULL"
        " AND o.explanation NOT LIKE ? AND o.explanation NOT LIKE ? LIMIT 1"
    )
    return db.execute(asked, [run, f"{UNGRADED}%", f"{UNSCORED}%"]).fetchone() is not None


def run_evaluations(db: Database, run: str, split: str) -> list[Evaluation]:
    """The evaluations on one split that a run relied on."""
    ids = db.execute(
        "SELECT DISTINCT e.id FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ? AND e.split = ?",
        [run, split],
    ).fetchall()
    return [found for (id,) in ids if (found := evaluation(db, id))]


def whole_evaluations(db: Database, run: str) -> dict[tuple[str, str, str, str], tuple[str, float]]:
    """Id and score of every evaluation of a whole split that a run relied on, by task, split, system and user prompt id.

    The newest, where a pair was scored again with another model.
    """
    rows = db.execute(
        'SELECT e.task, e.split, e.system, e."user", e.id, e.score FROM run_evaluations r JOIN evaluations e'
        " ON e.id = r.evaluation WHERE r.run = ? AND e.whole ORDER BY r.round, e.rowid",
        [run],
    )
    return {(task, split, system, user): (id, score) for task, split, system, user, id, score in rows}


def first_split(db: Database, run: str) -> Split:
    """The split that a run scored its first prompts on: the one that selects. "train" before there is any score."""
    asked = "SELECT e.split FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ?"
    found = db.execute(f"{asked} ORDER BY r.round LIMIT 1", [run]).fetchone()
    return cast(Split, found[0]) if found else "train"


def accepted_answers(db: Database, task: str) -> dict[str, tuple[str, ...]]:
    """The accepted answers of a task's examples by example id, best first."""
    rows = db.execute("SELECT id, answers FROM examples WHERE task = ?", [task])
    return {id: tuple(json.loads(answers)) for id, answers in rows}


def task_metric(db: Database, task: str) -> tuple[str, dict[str, Any]]:
    """The name of a task's metric and the task as it was written."""
    metric, spec = db.execute("SELECT metric, spec FROM tasks WHERE id = ?", [task]).fetchone()
    return metric, json.loads(spec)


def examples(db: Database, task: str) -> list[Example]:
    """The examples of a task in the order in which they were recorded."""
    return [_example(*row) for row in db.execute(f"SELECT {EXAMPLE} FROM examples WHERE task = ? ORDER BY rowid", [task])]


def some_examples(db: Database, task: str, ids: Sequence[str]) -> dict[str, Example]:
    """Those of a task's examples that are asked for, by id."""
    rows = by_keys(db, f"SELECT {EXAMPLE} FROM examples WHERE task = ? AND id IN {{keys}}", ids, task)
    return {row[0]: _example(*row) for row in rows}


def _example(id: str, question: str, answers: str, row: str | None, messages: str | None) -> Example:
    turns = tuple(map(message_of, json.loads(messages or "[]")))
    return Example(id, question, tuple(json.loads(answers)), row or "", turns)


def of_run(db: Database, run: str, used: Sequence[str]) -> list[str]:
    """The ids of the evaluations that a run relied on, and of those of its pairs that only a decision looked at.

    `used` are the ids of its prompts.
    """
    rows = db.execute(
        "SELECT DISTINCT evaluation FROM run_evaluations WHERE run = ?1"
        f" UNION SELECT id FROM evaluations WHERE {ABOUT_PAIRS} AND id NOT IN (SELECT evaluation FROM run_evaluations)",
        [run, json.dumps(used)],
    )
    return [id for (id,) in rows]


def by_content(db: Database, run: str, used: Sequence[str]) -> dict[tuple[object, ...], list[tuple[int, str, str]]]:
    """The evaluations of a run's pairs by task, split, prompts and the set of examples; `used` are the ids of its prompts.

    Each with every round of the run that relied on it, -1 where none did, and its model; those that were made later come
    later.
    """
    rows = db.execute(
        'SELECT e.id, e.task, e.split, e.system, e."user", coalesce(r.round, -1), e.model FROM evaluations e'
        f" LEFT JOIN run_evaluations r ON r.evaluation = e.id AND r.run = ?1 WHERE {ABOUT_PAIRS}"
        # What another run has of its own is nothing that this one looked at; its own goes before everybody's.
        " AND (NOT instr(e.id, '/') OR e.id LIKE '%/' || ?1) ORDER BY instr(e.id, '/') > 0, e.rowid",
        [run, json.dumps(used)],
    ).fetchall()
    about: dict[str, list[str]] = {id: [] for id, *_ in rows}
    for id, example in by_keys(db, "SELECT evaluation, example FROM outcomes WHERE evaluation IN {keys}", list(about)):
        about[id].append(example)
    found: dict[tuple[object, ...], list[tuple[int, str, str]]] = {}
    for id, task, split, system, user, round, model in rows:
        found.setdefault((task, split, system, user, frozenset(about[id])), []).append((round, id, model))
    return found


def counts(db: Database, id: str) -> tuple[int, int, int]:
    """How many examples an evaluation has, how many of them are wrong, and how many unparsed, as they were counted then."""
    size, failed, unparsed = db.execute("SELECT size, failed, unparsed FROM evaluations WHERE id = ?", [id]).fetchone()
    return size, failed, unparsed


def put_right(db: Database, id: str, score: float, outcomes: Sequence[Outcome]) -> None:
    """Give an evaluation another score and other outcomes; for copies of a store."""
    with db.atomic():
        db.execute("UPDATE evaluations SET score = ? WHERE id = ?", [score, id])
        db.conn.executemany(
            "UPDATE outcomes SET answer = ?, score = ?, failed = ?, explanation = ? WHERE evaluation = ? AND position = ?",
            [(o.answer, o.score, int(o.failed), o.explanation, id, at) for at, o in enumerate(outcomes)],
        )
