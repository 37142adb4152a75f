"""Prompts and what became of them: the tables `prompts`, `candidates`, `rounds` and `standing`."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

from sqlite_utils import Database

from ..domain.prompts import Prompt, RoundLevel
from .by_keys import by_keys

CandidateStatus = Literal["seed", "carried", "kept", "incumbent", "rejected", "dropped"]


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """What became of one candidate, with the reason if it was dropped.

    `task` is empty at the system level; `prompt` is None for a proposal that was dropped. One that fell
    before the last stage of judging says at which `stage`, on how many `examples`, and its `gain` there over
    what it had to beat, in [-1, 1]; one that reached the last has the gain on everything.
    """

    run: str
    round: int
    level: RoundLevel
    task: str
    position: int
    prompt: str | None
    parent: str | None
    status: CandidateStatus
    reason: str | None = None
    score: float | None = None
    stage: str | None = None
    examples: int | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class RoundRow:
    """How one round ended: the system prompt in force, its meta score in [0, 1], and how many prompts were `accepted`."""

    run: str
    round: int
    level: RoundLevel
    system: str
    score: float
    accepted: int
    dropped: int


def save_prompts(db: Database, prompts: Iterable[Prompt]) -> None:
    """Keep the texts of prompts under their ids."""
    rows = [(prompt.id, prompt.kind, prompt.text) for prompt in prompts]
    with db.atomic():
        db.conn.executemany("INSERT OR IGNORE INTO prompts (id, kind, text) VALUES (?, ?, ?)", rows)


def prompt_texts(db: Database, ids: Sequence[str]) -> dict[str, str]:
    """The texts behind prompt ids."""
    marks = ", ".join("?" * len(ids))
    return dict(db.execute(f"SELECT id, text FROM prompts WHERE id IN ({marks})", list(ids)).fetchall())


@dataclass(frozen=True, slots=True)
class KeptPair:
    """A kept pair after a round: a task's user prompt at its position (0 is best) under the system prompt in force.

    Where several system prompts are kept, those beside the one in force stand under the task "" from
    position 1 on, named as `system` and as `user`.
    """

    run: str
    round: int
    task: str
    position: int
    system: str
    user: str
    score: float


def save_round(
    db: Database, row: RoundRow, proposed: Iterable[CandidateRow], pairs: Iterable[KeptPair], evaluations: Iterable[str]
) -> None:
    """Record a closed round, the evaluations it relied on and what stands after it.

    It replaces the round and whatever came after it: a run that was taken back to an earlier checkpoint goes another way.
    """
    with db.atomic():
        for table in ("standing", "candidates", "rounds", "run_evaluations"):
            db.execute(f"DELETE FROM {table} WHERE run = ? AND round >= ?", [row.run, row.round])
        used = {(row.run, row.round, evaluation) for evaluation in evaluations}
        db.conn.executemany("INSERT INTO run_evaluations VALUES (?, ?, ?)", used)
        db.conn.executemany("INSERT INTO standing VALUES (?, ?, ?, ?, ?, ?, ?)", [astuple(pair) for pair in pairs])
        db.conn.executemany(
            f"INSERT OR REPLACE INTO candidates VALUES ({', '.join('?' * 13)})", [astuple(one) for one in proposed]
        )
        db.execute(f"INSERT OR REPLACE INTO rounds VALUES ({', '.join('?' * 7)})", astuple(row))


def rounds(db: Database, run: str) -> list[RoundRow]:
    """The closed rounds of a run, first to last."""
    columns = "run, round, level, system, score, accepted, dropped"
    rows = db.execute(f"SELECT {columns} FROM rounds WHERE run = ? ORDER BY round", [run])
    return [RoundRow(*row) for row in rows]


def kept_pairs(db: Database, run: str, round: int | None = None) -> list[KeptPair]:
    """The kept pairs of a run after a round (the last closed one if None), best first within a task."""
    columns = 'run, round, task, position, system, "user", score'
    last = "(SELECT max(round) FROM standing WHERE run = ?1)"
    rows = db.execute(
        f"SELECT {columns} FROM standing WHERE run = ?1 AND round = coalesce(?2, {last}) AND task <> '' ORDER BY rowid",
        [run, round],
    )
    return [KeptPair(*row) for row in rows]


def rounds_best(db: Database, run: str) -> list[KeptPair]:
    """Each task's best pair after every closed round of the search, first round to last."""
    columns = 'run, round, task, position, system, "user", score'
    rows = db.execute(
        f"SELECT {columns} FROM standing WHERE run = ? AND position = 0 AND task != '' ORDER BY round, rowid", [run]
    )
    return [KeptPair(*row) for row in rows]


def beam(db: Database, run: str, round: int) -> list[str]:
    """The system prompts, by id, that a run kept beside the one in force after a round, best first."""
    rows = db.execute("SELECT system FROM standing WHERE run = ? AND round = ? AND task = '' ORDER BY position", [run, round])
    return [id for (id,) in rows]


def candidates(db: Database, run: str) -> list[CandidateRow]:
    """Every candidate of a run in the order of its rounds."""
    columns = "run, round, level, task, position, prompt, parent, status, reason, score, stage, examples, gain"
    rows = db.execute(f"SELECT {columns} FROM candidates WHERE run = ? ORDER BY round, task, position", [run])
    return [CandidateRow(*row) for row in rows]


def ancestry(db: Database, run: str) -> list[CandidateRow]:
    """Every candidate of a run and, up to where it branched off, of the runs before it; the oldest run first."""
    every = candidates(db, run)
    limit = None
    while True:
        found = db.execute("SELECT parent, parent_round FROM runs WHERE id = ? AND parent_round IS NOT NULL", [run]).fetchone()
        if found is None or found[0] is None:
            return every
        run, at = found
        limit = at if limit is None else min(limit, at)
        every = [row for row in candidates(db, run) if row.round <= limit] + every


def scored_systems(db: Database, run: str, before: int) -> dict[str, float]:
    """The system prompts that a run and the runs it branched off from have scored before a round: text to first score."""
    first: dict[str, float] = {}
    for row in ancestry(db, run):
        if row.level == "system" and row.round < before and row.prompt and row.score is not None:
            first.setdefault(row.prompt, row.score)
    texts = prompt_texts(db, list(first))
    return {texts[id]: score for id, score in first.items()}


def standing(db: Database, run: str) -> list[KeptPair]:
    """Everything that stood after each round of a run, the further system prompts of a beam included."""
    columns = 'run, round, task, position, system, "user", score'
    rows = db.execute(f"SELECT {columns} FROM standing WHERE run = ? ORDER BY round, rowid", [run])
    return [KeptPair(*row) for row in rows]


def some(db: Database, ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """Id, kind and text of those of some prompts that are there."""
    return [(id, kind, text) for id, kind, text in by_keys(db, "SELECT id, kind, text FROM prompts WHERE id IN {keys}", ids)]


def used(db: Database, run: str) -> list[str]:
    """The ids of the prompts that anything recorded of a run names."""
    rows = db.execute(
        "SELECT prompt FROM candidates WHERE run = ?1 AND prompt IS NOT NULL"
        " UNION SELECT parent FROM candidates WHERE run = ?1 AND parent IS NOT NULL"
        ' UNION SELECT system FROM standing WHERE run = ?1 UNION SELECT "user" FROM standing WHERE run = ?1'
        " UNION SELECT system FROM rounds WHERE run = ?1"
        " UNION SELECT e.system FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ?1"
        ' UNION SELECT e."user" FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ?1',
        [run],
    )
    return [id for (id,) in rows]
