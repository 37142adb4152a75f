"""A run followed from another process: what it tells, how it stands, and what to do when that ends. Only ever read."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sqlite_utils import Database

from ..approval.request import asks_a_person
from ..domain.errors import StoreError
from ..store import calls, leases, prompts, runs
from ..store.database import Store, open_store
from ..store.events import told
from ..workspace.events import Spent
from ..workspace.generalization import GENERALIZE
from .commands import command
from .gained import gained_says
from .report import report

EVERY = 1.0
"""Seconds between two looks."""

PATIENCE = 5.0
"""Seconds within which the placebo of a run that is done begins, where it has one and the same process goes on with it."""

EXIT = {"done": 0, "waiting": 4, "taken back": 1, "killed": 1}

NOTHING = (-1, 0.0)
"""Position and time of the last event where there is none yet."""

Kind = Literal["done", "waiting", "stopped", "killed", "taken back"]


@dataclass(frozen=True, slots=True)
class End:
    """Why there is nothing more to watch: how the run stands, why, the command to go on with, "" where there is none.

    A run is `killed` when it says that it is running and no living process works on it.
    """

    kind: Kind
    reason: str
    command: str

    @property
    def exit_code(self) -> int:
        """What the run's own process has ended with, or would have."""
        if self.kind != "stopped":
            return EXIT[self.kind]
        if asks_a_person(self.reason):
            return 4
        if self.reason.endswith("is spent"):
            return 3
        return 130 if self.reason.startswith(("interrupted", "it was cancelled")) else 1


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a run found: the events since the last one, with the times (seconds since 1970) when they were told.

    `anew` says that they are told from the beginning, since the run was taken back to an earlier point. `holder` is who
    works on it: process, machine, since when. `end` is set by the last look.
    """

    run: str
    told: list[tuple[float, dict[str, Any]]]
    anew: bool
    holder: tuple[int, str, str] | None
    end: End | None = None


def run_to_watch(path: str | Path, name: str | None = None) -> str:
    """The id of the run of that name; of none the newest that is at work, or the newest of all. Raises StoreError."""
    with open_store(path, migrates=False) as store:
        if name is None and (newest := runs.newest(store.db, leases.at_work(store.db))):
            return newest
        return runs.find(store.db, name or "last").id


def gained_by(path: str | Path, run: str) -> str:
    """What a run that is done has gained, in a sentence; "" for a comparison of two prompts, whose table says it."""
    with open_store(path, migrates=False) as store:
        found = runs.find(store.db, run)
        return "" if found.method == GENERALIZE else gained_says(report(store, found))


def watch(path: str | Path, run: str, every: float = EVERY) -> Iterator[Look]:
    """Look at a run every so many seconds until nobody works on it any more, and at its placebo if that follows it."""
    for look in _looks(path, run, every):
        if look.end is not None and look.end.kind == "done" and _placebo_follows(path, run, every):
            yield replace(look, end=None)
            for control in _looks(path, runs.placebo_id(run), every):
                yield replace(control, end=None)
            yield replace(look, told=[], anew=False)
            return
        yield look


def _looks(path: str | Path, run: str, every: float) -> Iterator[Look]:
    watched = _Watched(path, run)
    while True:
        look = watched.look()
        yield look
        if look.end is not None:
            return
        time.sleep(every)


def _placebo_follows(path: str | Path, run: str, every: float) -> bool:
    """Whether somebody goes on with the placebo of a run that is done."""
    until = time.monotonic() + PATIENCE
    while True:
        with open_store(path, migrates=False) as store:
            placebo = runs.placebo_id(run)
            stands = runs.stands(store.db, placebo)
            if leases.is_held(store.db, placebo):
                return True
            if stands is not None or not runs.has_placebo(store.db, run) or not _just_now(store.db, run):
                return False
        if time.monotonic() > until:
            return False
        time.sleep(min(every, 0.2))


def _just_now(db: Database, run: str) -> bool:
    row = db.execute("SELECT strftime('%s', updated) FROM runs WHERE id = ?", [run]).fetchone()
    return row is not None and time.time() - float(row[0] or 0) < 2 * PATIENCE


@dataclass
class _Watched:
    path: str | Path
    run: str
    _at: tuple[int, float] = NOTHING
    _rounds: int = 0
    _stood: str = "running"

    def look(self) -> Look:
        """How the run is right now; a file that was about to change hands is looked at again."""
        for _ in range(3):
            with contextlib.suppress(FileNotFoundError, StoreError):
                with open_store(self.path, migrates=False) as store:
                    return self._look(store)
            time.sleep(0.1)
        with open_store(self.path, migrates=False) as store:
            return self._look(store)

    def _look(self, store: Store) -> Look:
        db = store.db
        # Before what is told, so that nothing that is told before an end is missed.
        stands, held = runs.stands(db, self.run), leases.is_held(db, self.run)
        if stands is None:
            return Look(self.run, [], False, None, End("taken back", "it is in the store no more", ""))
        events = told(db, self.run, max(self._at[0], 0) - 1)
        anew = self._at[0] >= 0 and (not events or events[0][:2] != self._at)
        if anew:
            events = told(db, self.run)
        elif self._at[0] >= 0:
            events = events[1:]
        if events or anew:
            self._at = events[-1][:2] if events else NOTHING
        found = [(when, event) for _, when, event in events]
        if self._at[0] < 0:
            found = self._as_earlier_versions(db)
        return Look(self.run, found, anew, leases.holder(db, self.run), self._end(*stands, held))

    def _end(self, status: runs.Status, reason: str | None, held: bool) -> End | None:
        stood, self._stood = self._stood, status
        # One that is held and not at work is about to be given back, or just taken up.
        if held and (status == "running" or stood != status):
            return None

        def go_on(name: str) -> str:
            return command(name, self.run, str(self.path))

        if status == "running":
            return End("killed", "the process that worked on it is gone", go_on("resume"))
        if status == "done":
            return End("done", reason or "", go_on("show"))
        return End(status, reason or "nobody goes on with it", go_on("approve" if asks_a_person(reason) else "resume"))

    def _as_earlier_versions(self, db: Database) -> list[tuple[float, dict[str, Any]]]:
        """The rounds that closed, of a run that an earlier version works on, which tells nothing."""
        rows = prompts.rounds(db, self.run)
        new, self._rounds = rows[self._rounds :], len(rows)
        spent = _spent(db, self.run) if new else None
        return [
            (time.time(), {"event": "round_closed", "round": row.round, "level": row.level, "score": row.score,
             "accepted": row.accepted, "dropped": row.dropped, "incumbent": "", "spent": spent}) for row in new
        ]  # fmt: skip


def _spent(db: Database, run: str) -> Spent:
    usage = calls.usage(db, run)
    return {
        "calls": usage.total_calls, "cached": usage.cached, "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens, "cached_tokens": usage.cached_tokens, "cost": usage.cost,
        "unpriced": usage.unpriced, "estimated": usage.estimated, "budget": {},
    }  # fmt: skip
