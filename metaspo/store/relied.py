"""What the state of a thread relies on, and how much of it a store holds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlite_utils import Database


@dataclass(frozen=True, slots=True)
class Relied:
    """A run with what its thread names of it: the rounds that it has closed, and ids of prompts, evaluations and calls."""

    run: str
    rounds: frozenset[int] = frozenset()
    prompts: set[str] = field(default_factory=set)
    evaluations: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a store has not got of what is relied on: the run itself, or rounds, or what its round at work came to.

    `last` is the last round that the store knows of the run, None where it knows none.
    """

    run: bool
    rounds: frozenset[int] = frozenset()
    last: int | None = None


def lacking(db: Database, relied: Relied) -> Lacking | None:
    """What is not there, None where everything is."""
    if not db.execute("SELECT 1 FROM runs WHERE id = ?", [relied.run]).fetchone():
        return Lacking(run=True)
    known = {round for (round,) in db.execute("SELECT round FROM rounds WHERE run = ?", [relied.run])}
    lost = relied.rounds - known
    there = (
        _there(db, "prompts", "id", relied.prompts),
        _there(db, "evaluations", "id", relied.evaluations),
        _there(db, "calls", "key", relied.calls),
    )
    return None if all(there) and not lost else Lacking(False, lost, max(known, default=None))


def _there(db: Database, table: str, key: str, ids: Iterable[str]) -> bool:
    asked = f"SELECT 1 FROM json_each(?) WHERE value NOT IN (SELECT {key} FROM {table}) LIMIT 1"
    return db.execute(asked, [json.dumps([*ids])]).fetchone() is None
