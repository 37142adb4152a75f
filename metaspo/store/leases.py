"""The `leases` table: one process per run at a time."""

import os
import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlite_utils import Database

from ..domain.errors import RunHeldError
from ..domain.processes import born, host, life
from .transactions import writing

BEAT_EVERY = 10.0
"""Seconds between two signs of life of a holder."""

STALE_AFTER = 60.0
"""Seconds without a sign of life after which a holder that can't be seen from here is suspected to be dead."""

WATCH = 2.5 * BEAT_EVERY
"""Seconds without a sign of life, while somebody watches, after which a suspect is dead. Two machines' clocks may differ."""


class SilentHolder(RunHeldError):
    """Whoever has the run can't be seen from here and was silent for long; `beat` is the last sign of life."""

    def __init__(self, message: str, beat: float) -> None:
        """Say who has the run."""
        super().__init__(message)
        self.beat = beat


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run. `holder` names one process, beyond the reuse of its pid."""

    run: str
    holder: str


def acquire(db: Database, run: str, now: str, silent: float | None = None, thread: str | None = None) -> Lease:
    """Take the lease of a run, or raise RunHeldError naming who has it, or another run of its `thread`.

    A holder on this machine is dead when its process is gone, whatever the clock says. One that can't be
    seen from here (another machine, another container) raises SilentHolder when its last sign of life is
    `STALE_AFTER` seconds old by this machine's clock: watch it for `WATCH` seconds, and come again with
    that sign as `silent`. If it is still the last one, the lease is taken over.
    """
    lease = Lease(run, f"{host()}/{os.getpid()}/{born(os.getpid())}/{time.monotonic_ns()}")
    with writing(db):
        refuse_others(db, run, thread or run)
        row = db.execute("SELECT holder, pid, host, beat, since FROM leases WHERE run = ?", [run]).fetchone()
        if row and _alive(*row[:4], silent=silent):
            _, pid, name, beat, since = row
            says = f"run {run} is being worked on by process {pid} on {name} since {since}; "
            if silent is not None or _alive(*row[:4], silent=beat):
                raise RunHeldError(f"{says}wait for it, or stop that process and try again")
            raise SilentHolder(f"{says}it was silent for long: try again in a minute", beat)
        db.execute(
            "INSERT OR REPLACE INTO leases (run, holder, pid, host, since, beat) VALUES (?, ?, ?, ?, ?, ?)",
            [run, lease.holder, os.getpid(), host(), now, time.time()],
        )
    return lease


def refuse_others(db: Database, run: str, thread: str) -> None:
    """Raise RunHeldError where a living process works on another run of the thread: both would write its checkpoints."""
    held = "SELECT l.run FROM leases l JOIN runs r ON r.id = l.run WHERE coalesce(r.thread, r.id) = ? AND r.id != ?"
    for (other,) in db.execute(held, [thread, run]).fetchall():
        if is_held(db, other):
            raise RunHeldError(f"run {other} is at work in the same thread; wait for it, or stop it and try again")


def is_held(db: Database, run: str) -> bool:
    """Whether a living process works on a run; one that can't be seen from here does as long as it isn't silent for long."""
    row = db.execute("SELECT holder, pid, host, beat FROM leases WHERE run = ?", [run]).fetchone()
    return row is not None and _alive(*row, silent=row[3])


def at_work(db: Database) -> list[str]:
    """The runs that a living process works on."""
    return [*living(db)]


def living(db: Database, schema: str = "main") -> dict[str, tuple[int, str, str]]:
    """The runs that a living process works on, in one of the files of a database: the process, its machine and since when."""
    rows = db.execute(f"SELECT run, holder, pid, host, beat, since FROM {schema}.leases").fetchall()
    return {run: (row[1], row[2], since) for run, *row, since in rows if _alive(*row, silent=row[3])}


def refuse_held(db: Database, runs: Collection[str], schema: str = "main", where: str = "") -> None:
    """Raise RunHeldError where a living process works on one of some runs."""
    for run, (pid, name, since) in living(db, schema).items():
        if run in runs:
            says = f"run {run} is being worked on by process {pid} on {name} since {since}{where}"
            raise RunHeldError(f"{says}; wait for it, or stop that process and try again")


def holder(db: Database, run: str) -> tuple[int, str, str] | None:
    """Who has a run: the process, its machine and since when; None where nobody has."""
    row = db.execute("SELECT pid, host, since FROM leases WHERE run = ?", [run]).fetchone()
    return (row[0], row[1], row[2]) if row else None


def _alive(holder: str, pid: int, name: str, beat: float, *, silent: float | None) -> bool:
    """Whether a holder lives; one that can't be seen does unless its last sign of life is old, and the one called `silent`."""
    seen = life(pid, name, holder.split("/")[-2])
    return seen in ("alive", "stopped") or (seen == "unknown" and (beat != silent or abs(time.time() - beat) < STALE_AFTER))


def beat(db: Database, lease: Lease) -> bool:
    """Give a sign of life; False when the lease has passed to somebody else."""
    updated = db.execute("UPDATE leases SET beat = ? WHERE run = ? AND holder = ?", [time.time(), lease.run, lease.holder])
    return bool(updated.rowcount)


def release(db: Database, lease: Lease) -> None:
    """Give the lease back."""
    db.execute("DELETE FROM leases WHERE run = ? AND holder = ?", [lease.run, lease.holder])
