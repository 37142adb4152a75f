"""The tables `claims` and `processes`: which calls are being asked right now, and by which process."""

import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from sqlite_utils import Database

from ..domain.calls import Reply
from ..domain.processes import born, host, life
from . import calls
from .by_keys import by_keys
from .calls import Call
from .leases import BEAT_EVERY
from .transactions import writing

STALE_AFTER = 3 * BEAT_EVERY
"""Seconds without a sign of life, by the clock of whoever waits, after which a process that is paused or unseen is dead."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The wish to be the one who asks a call."""

    key: str


@dataclass(frozen=True, slots=True)
class Release:
    """A claimed call was given up."""

    key: str


_here: "WeakValueDictionary[str, Holder]" = WeakValueDictionary()


@dataclass(eq=False, slots=True, weakref_slot=True)
class Holder:
    """One open store as a holder of claims: known to others by `id`, beside the process that it is in.

    `held` are the calls that it has claimed. Used on the store's thread.
    """

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    held: set[str] = field(default_factory=set)
    _beaten: float | None = None
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def has(self, key: str) -> bool:
        """Whether a call is sure to be claimed still: since the last sign of life nobody can have taken this one for dead."""
        return key in self.held and self._beaten is not None and time.monotonic() - self._beaten < 2 * BEAT_EVERY

    def beat(self, db: Database) -> None:
        """Give a sign of life where one is due; the first one makes the holder known."""
        now = time.monotonic()
        if self._beaten is not None and now - self._beaten < BEAT_EVERY / 2:
            return
        if not db.execute("UPDATE processes SET beat = beat + 1 WHERE id = ?", [self.id]).rowcount:
            self.held.clear()  # others took this one for dead, and its claims with it
            _here[self.id] = self
            self._forget_dead(db)
            row = [self.id, os.getpid(), host(), born(os.getpid()), round(time.time())]
            db.execute("INSERT INTO processes (id, pid, host, born, since, beat) VALUES (?, ?, ?, ?, ?, 0)", row)
        self._beaten = now

    def doubt(self) -> None:
        """A sign of life may not have reached the file, nor the claims with it."""
        self.held.clear()
        self._beaten = None

    def lives(self, db: Database, other: str) -> bool:
        """Whether a holder is at work, as far as can be told from here."""
        row = db.execute("SELECT pid, host, born, beat FROM processes WHERE id = ?", [other]).fetchone()
        if row is None:
            return False
        pid, name, birth, beat = row
        seen = life(pid, name, birth)
        if seen == "alive" and pid == os.getpid():
            return other in _here  # A holder of this process may be gone before the process is.
        if seen in ("stopped", "unknown"):
            last, since = self._seen.get(other, (None, 0.0))
            if last != beat:
                self._seen[other] = beat, time.monotonic()
            return last != beat or time.monotonic() - since < STALE_AFTER
        return seen == "alive"

    def leave(self, db: Database) -> None:
        """Give up every claim; nobody has to find out that this holder is gone."""
        if self._beaten is not None:
            _forget(db, self.id)

    def _forget_dead(self, db: Database) -> None:
        for (other,) in db.execute("SELECT id FROM processes").fetchall():
            if not self.lives(db, other):
                _forget(db, other)


def _forget(db: Database, holder: str) -> None:
    db.execute("DELETE FROM claims WHERE holder = ?", [holder])
    db.execute("DELETE FROM processes WHERE id = ?", [holder])


def write(db: Database, holder: Holder, items: Sequence[Call | Claim | Release]) -> list[Reply | bool]:
    """Do everything in one transaction.

    The result for a call is the reply that stands under its key, its own if it is the first. For a claim
    it is whether it is the holder's now; otherwise somebody has it who lives.
    """
    try:
        with writing(db):
            holder.beat(db)
            standing = iter(calls.record(db, [item for item in items if isinstance(item, Call)]))
            # Whatever stands behind the key of a call in the key that it is recorded under.
            done = [item.key.partition("/")[0] for item in items if not isinstance(item, Claim)]
            db.conn.executemany("DELETE FROM claims WHERE key = ? AND holder = ?", [(key, holder.id) for key in done])
            ours = take(db, holder, [item.key for item in items if isinstance(item, Claim)])
    except BaseException:
        holder.doubt()
        raise
    holder.held.difference_update(done)
    holder.held.update(ours)
    return [
        item.key in ours if isinstance(item, Claim) else next(standing) if isinstance(item, Call) else True for item in items
    ]


def take(db: Database, holder: Holder, keys: Sequence[str]) -> set[str]:
    """Claim those of some calls that nobody else has claimed who lives."""
    held = _held(db, keys)
    dead = {other for other in set(held.values()) - {holder.id} if not holder.lives(db, other)}
    for other in dead:
        _forget(db, other)
    ours = {key for key in keys if held.get(key, holder.id) in dead | {holder.id}}
    now = round(time.time())
    db.conn.executemany(
        "INSERT OR IGNORE INTO claims (key, holder, since) VALUES (?, ?, ?)", [(key, holder.id, now) for key in ours]
    )
    return ours


def free(db: Database, holder: Holder, keys: Sequence[str]) -> list[str]:
    """Those of some keys that no other holder who lives asks any more."""
    held = _held(db, keys)
    living = {other for other in set(held.values()) - {holder.id} if holder.lives(db, other)}
    return [key for key in keys if held.get(key) not in living]


def _held(db: Database, keys: Sequence[str]) -> dict[str, str]:
    return dict(by_keys(db, "SELECT key, holder FROM claims WHERE key IN {keys}", keys))
