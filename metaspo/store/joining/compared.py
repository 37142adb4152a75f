"""Runs that stand in two stores: the same, further on in one of them, or gone different ways; and what differs, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlite_utils import Database

from ...domain.counting import counted
from .chosen import OF_RUNS, columns, has_threads
from .payments import SAME_CALL, SAME_PLACE

Ahead = Literal["same", "here", "there", "apart"]
"""Which of two stores has a thread further on; `apart` where each has something that the other lacks."""

ONE = ("parent", "parent_round", "created", "method", "thread")
"""What of a run never changes."""

WORDS = {
    "rounds": "round", "candidates": "candidate", "standing": "kept pair", "run_evaluations": "evaluation",
    "run_tasks": "task", "dealt": "drawn example", "answers": "person's answer", "events": "event",
    "calls": "paid call", "checkpoints": "checkpoint",
}  # fmt: skip
"""What a row is called where rows differ."""

Counts = tuple[int, int, int, int]
"""Rows that are only here, only there, and all that are here and there."""


@dataclass
class Compared:
    """A thread of which runs stand in both stores; `here`, `there` and `differ` say in words what is not the same."""

    runs: list[str]
    only_here: int = 0
    only_there: int = 0
    later: Ahead = "same"
    here: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)

    @property
    def ahead(self) -> Ahead:
        """Which store has the thread further on."""
        if self.only_here and self.only_there:
            return "apart"
        return "here" if self.only_here else "there" if self.only_there else self.later

    def says(self, here: str, there: str) -> str:
        """What differs between two files."""
        both = [f"in {file} {', '.join(told)}" for file, told in ((here, self.here), (there, self.there)) if told]
        return "; ".join([*both, *self.differ])

    def tell(self, here: str, there: str) -> None:
        """Note something that both say, otherwise."""
        self.here.append(here)
        self.there.append(there)

    def count(self, what: str, rows: Counts) -> None:
        """Note rows that only one of the two has."""
        only_here, only_there, here, there = rows
        self.only_here += only_here
        self.only_there += only_there
        if here != there:
            self.tell(counted(here, WORDS[what]), counted(there, WORDS[what]))
        elif only_here or only_there:
            self.differ.append(f"{only_here:,} of {counted(here, WORDS[what])} differ")


def in_both(db: Database) -> dict[str, list[str]]:
    """The threads of which runs stand in both, each with all its runs."""
    found: dict[str, dict[str, list[str]]] = {"from_runs": {}, "main.runs": {}}
    for table, threads in found.items():
        for thread, run in db.execute(f"SELECT coalesce(thread, id), id FROM {table} ORDER BY created"):
            threads.setdefault(thread, []).append(run)
    there, here = found.values()
    return {thread: [*dict.fromkeys([*runs, *here[thread]])] for thread, runs in there.items() if thread in here}


def compare(db: Database, thread: str, runs: Sequence[str]) -> Compared:
    """Compare what both stores say of a thread."""
    found = Compared([*runs])
    for run in runs:
        _compare_run(db, found, run)
    if has_threads(db, "main") and db.execute("SELECT 1 FROM from_checkpoints LIMIT 1").fetchone():
        found.count("checkpoints", _counts(db, "checkpoint_ns, checkpoint_id", "{}checkpoints WHERE thread_id = ?1", thread))
    return found


def _compare_run(db: Database, found: Compared, run: str) -> None:
    rows = [db.execute(f"SELECT status, updated, {', '.join(ONE)} FROM {of}runs WHERE id = ?", [run]).fetchone() for of in BOTH]
    if None in rows:
        found.only_here += rows[1] is None
        found.only_there += rows[0] is None
        (found.there if rows[0] is None else found.here).append(f"run {run} as well")
        return
    (status, updated, *one), (status_there, updated_there, *one_there) = rows
    if status != status_there:
        found.tell(status, status_there)
        found.later = "there" if updated_there > updated else "here"
    for name, here, there in zip(ONE, one, one_there, strict=True):
        if here != there:
            found.tell(f"{name.replace('_', ' ')} {here}", f"{name.replace('_', ' ')} {there}")
            found.only_here, found.only_there = found.only_here + 1, found.only_there + 1
    last = "SELECT level FROM {}rounds WHERE run = ? ORDER BY round DESC LIMIT 1"
    levels = [db.execute(last.format(of), [run]).fetchone() for of in BOTH]
    if levels[0] != levels[1]:
        found.tell(*(f"last round {one[0]}" if one else "no round closed" for one in levels))
    for table in OF_RUNS:
        values = [f"replace({name}, '/' || ?1, '')" if name == '"evaluation"' else name for name in columns(db, table)]
        # A question that nobody has answered yet is filled in later.
        which = " AND decision <> ''" if table == "answers" else ""
        found.count(table, _counts(db, ", ".join(values), f"{{}}{table} WHERE run = ?1{which}", run))
    if db.execute("SELECT 1 FROM from_calls LIMIT 1").fetchone():
        found.count("calls", _calls(db, run))


def holds(db: Database, run: str) -> bool:
    """Whether a run that others descend from has here all the rounds that these began at."""
    last = "SELECT max(coalesce(parent_round, 1e9)) FROM from_runs WHERE parent = ?1"
    lacks = [
        f"SELECT 1 FROM (SELECT {names} FROM from_{table} WHERE run = ?1 AND round <= coalesce(({last}), 1e9)"
        f" EXCEPT SELECT {names} FROM main.{table}) LIMIT 1"
        for table in ("rounds", "candidates", "standing")
        for names in [", ".join(columns(db, table))]
    ]
    there = db.execute("SELECT 1 FROM main.runs WHERE id = ?", [run]).fetchone()
    return there is not None and not any(db.execute(sql, [run]).fetchone() for sql in lacks)


BOTH = ("main.", "from_")


def _counts(db: Database, values: str, where: str, key: str) -> Counts:
    here, there = (f"SELECT {values} FROM {where.format(of)}" for of in BOTH)
    asked = (f"{here} EXCEPT {there}", f"{there} EXCEPT {here}", here, there)
    one, other, all_here, all_there = (int(db.execute(f"SELECT count(*) FROM ({sql})", [key]).fetchone()[0]) for sql in asked)
    return one, other, all_here, all_there


def _calls(db: Database, run: str) -> Counts:
    """The same of the calls that a run has paid, whatever keys they stand under."""
    lacking = "SELECT count(*) FROM {}calls f WHERE f.run = ? AND NOT EXISTS (SELECT 1 FROM {}calls m WHERE {} AND {})"
    every = "SELECT count(*) FROM {}calls WHERE run = ?"
    here, there = BOTH
    asked = (
        lacking.format(here, there, SAME_PLACE, SAME_CALL), lacking.format(there, here, SAME_PLACE, SAME_CALL),
        every.format(here), every.format(there),
    )  # fmt: skip
    one, other, all_here, all_there = (int(db.execute(sql, [run]).fetchone()[0]) for sql in asked)
    return one, other, all_here, all_there
