"""The `leases` table: one process per run at a time."""

import os
import socket
import time
from dataclasses import dataclass

import psutil
from sqlite_utils import Database

from ..domain.errors import RunHeldError

STALE_AFTER = 60.0
"""Seconds without a sign of life after which a holder on another machine is taken for dead."""

BEAT_EVERY = 10.0
"""Seconds between two signs of life."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a run. `holder` names one process, beyond the reuse of its pid."""

    run: str
    holder: str


def acquire(db: Database, run: str, now: str) -> Lease:
    """Take the lease of a run, or raise RunHeldError naming who has it.

    A holder on this machine is dead when its process is gone; one on another machine when it gave
    no sign of life for `STALE_AFTER` seconds. A dead holder's lease is taken over.
    """
    started = psutil.Process().create_time()
    lease = Lease(run, f"{socket.gethostname()}/{os.getpid()}/{started}/{time.monotonic_ns()}")
    db.execute("BEGIN IMMEDIATE")
    try:
        row = db.execute("SELECT holder, pid, host, since, beat FROM leases WHERE run = ?", [run]).fetchone()
        if row and _alive(*row):
            _, pid, host, since, _ = row
            raise RunHeldError(
                f"run {run} is being worked on by process {pid} on {host} since {since}; "
                "wait for it, or stop that process and try again"
            )
        db.execute(
            "INSERT OR REPLACE INTO leases (run, holder, pid, host, since, beat) VALUES (?, ?, ?, ?, ?, ?)",
            [run, lease.holder, os.getpid(), socket.gethostname(), now, time.time()],
        )
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return lease


def is_held(db: Database, run: str) -> bool:
    """Whether a living process works on a run."""
    row = db.execute("SELECT holder, pid, host, since, beat FROM leases WHERE run = ?", [run]).fetchone()
    return row is not None and _alive(*row)


def _alive(holder: str, pid: int, host: str, since: str, beat: float) -> bool:
    if host != socket.gethostname():
        return time.time() - beat < STALE_AFTER
    try:
        return str(psutil.Process(pid).create_time()) == holder.split("/")[-2]
    except psutil.NoSuchProcess:
        return False


def beat(db: Database, lease: Lease) -> bool:
    """Give a sign of life; False when the lease has passed to somebody else."""
    updated = db.execute("UPDATE leases SET beat = ? WHERE run = ? AND holder = ?", [time.time(), lease.run, lease.holder])
    return bool(updated.rowcount)


def release(db: Database, lease: Lease) -> None:
    """Give the lease back."""
    db.execute("DELETE FROM leases WHERE run = ? AND holder = ?", [lease.run, lease.holder])
