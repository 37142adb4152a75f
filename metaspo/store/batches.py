"""The tables `batches` and `batch_requests`: calls that an endpoint was sent together, to answer them within a day.

A batch is `sending` from before the endpoint hears of it, `waiting` once it has a name there, and `ended` when what it
brought is recorded. Its requests stand here until they are answered, with all that whoever collects them has to know.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlite_utils import Database

from . import calls
from .by_keys import by_keys
from .claims import Holder
from .transactions import writing

COLUMNS = "id, endpoint, model, holder, batch, state, requests, created"

State = Literal["sending", "waiting", "ended"]


@dataclass(frozen=True, slots=True)
class Batch:
    """One row: `id` is ours, `batch` the endpoint's name for it once that is known, `holder` whoever sends it."""

    id: str
    endpoint: str
    model: str
    holder: str
    batch: str | None
    state: State
    requests: int
    created: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in a batch: the key of its call, who pays for it, and what is asked."""

    key: str
    run: str
    role: str
    model: str
    request: dict[str, Any]


def begin(db: Database, holder: Holder, batch: Batch, asked: Sequence[Asked]) -> set[str]:
    """Record that a batch is about to be sent; the keys of those requests that no other batch holds and no fact answers."""
    with writing(db):
        holder.beat(db)
        keys = [one.key for one in asked]
        ours = [
            one
            for one, held, known in zip(asked, holding(db, keys), calls.find(db, keys), strict=True)
            if held is None and not (known and known.is_fact)
        ]
        if not ours:
            return set()
        db.execute(
            f"INSERT INTO batches ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [batch.id, batch.endpoint, batch.model, batch.holder, batch.batch, batch.state, len(ours), batch.created],
        )
        rows = [(batch.id, o.key, o.run, o.role, o.model, json.dumps(o.request, ensure_ascii=False)) for o in ours]
        db.conn.executemany(
            "INSERT INTO batch_requests (batch, key, run, role, model, request) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        return {one.key for one in ours}


def sent(db: Database, id: str, batch: str) -> None:
    """The endpoint has a batch, under this name."""
    db.execute("UPDATE batches SET batch = ?, state = 'waiting' WHERE id = ?", [batch, id])


def find(db: Database, id: str) -> Batch | None:
    """A batch by our id."""
    row = db.execute(f"SELECT {COLUMNS} FROM batches WHERE id = ?", [id]).fetchone()
    return Batch(*row) if row else None


def holding(db: Database, keys: Sequence[str]) -> list[str | None]:
    """The batch that has not ended yet, by its id, that holds each of some keys; None where none does."""
    asked = "SELECT r.key, r.batch FROM batch_requests r JOIN batches b ON b.id = r.batch"
    held = dict(by_keys(db, f"{asked} WHERE b.state != 'ended' AND r.key IN {{keys}}", keys))
    return [held.get(key) for key in keys]


def requests(db: Database, id: str) -> list[Asked]:
    """What a batch that has not ended asks, in the order in which it was sent."""
    rows = db.execute("SELECT key, run, role, model, request FROM batch_requests WHERE batch = ? ORDER BY rowid", [id])
    return [Asked(key, run, role, model, json.loads(request)) for key, run, role, model, request in rows]


def tries(db: Database, keys: Sequence[str], run: str) -> dict[str, int]:
    """How many batches of a run have ended without a reply to each of some keys."""
    asked = "SELECT r.key, count(*) FROM batch_requests r JOIN batches b ON b.id = r.batch"
    ended = f"{asked} WHERE b.state = 'ended' AND r.run = ? AND r.key IN {{keys}} GROUP BY r.key"
    return dict(by_keys(db, ended, keys, run))


def end(db: Database, id: str, answered: Sequence[str]) -> None:
    """A batch has ended and the calls that it answered are recorded; of the others it is kept that it did not."""
    with writing(db):
        db.conn.executemany("DELETE FROM batch_requests WHERE batch = ? AND key = ?", [(id, key) for key in answered])
        db.execute("UPDATE batch_requests SET request = '' WHERE batch = ?", [id])
        db.execute("UPDATE batches SET state = 'ended' WHERE id = ?", [id])


def forget(db: Database, id: str) -> None:
    """A batch that the endpoint never had, or refused: nobody waits for it any more."""
    with writing(db):
        db.execute("DELETE FROM batch_requests WHERE batch = ?", [id])
        db.execute("DELETE FROM batches WHERE id = ? AND state != 'ended'", [id])


def is_orphan(db: Database, holder: Holder, id: str) -> bool:
    """Whether whoever was about to send a batch is gone, so that nobody knows whether the endpoint has it."""
    found = find(db, id)
    return found is not None and found.state == "sending" and (found.holder == holder.id or not holder.lives(db, found.holder))
