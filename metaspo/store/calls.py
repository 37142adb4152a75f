"""The `calls` table: every model call with the full text of request and reply."""

import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from ..domain.calls import NO_REPLY, Reply, Role, Usage
from ..domain.messages import Message, message_of
from .by_keys import by_keys

COLUMNS = "reply, finish, input_tokens, output_tokens, latency, cost, estimated, cached_tokens, steps"


@dataclass(frozen=True, slots=True)
class Call:
    """One row: a request, the reply to it and the run that paid for it."""

    key: str
    run: str
    role: str
    model: str
    request: dict[str, Any]
    reply: Reply
    created: str

    def row(self) -> tuple[object, ...]:
        """The values in the order of `INSERT`."""
        reply = self.reply
        request = json.dumps(self.request, ensure_ascii=False)
        return (
            self.key, self.run, self.role, self.model, request, reply.error or reply.text, reply.finish,
            reply.input_tokens, reply.output_tokens, reply.latency, reply.cost, int(reply.estimated),
            reply.cached_tokens, reply.steps, self.created,
        )  # fmt: skip


INSERT = f"INSERT OR IGNORE INTO calls (key, run, role, model, request, {COLUMNS}, created) VALUES ({', '.join('?' * 15)})"


def record(db: Database, rows: Sequence[Call]) -> list[Reply]:
    """Insert calls and return the replies that stand, in order: a key that is known already keeps its first one.

    What was paid a second time, by two processes of which one was taken for dead, is kept under a key that nobody asks for.
    """
    make_room(db, [call.key for call in rows if call.reply.is_fact])
    before = db.conn.total_changes
    db.conn.executemany(INSERT, [call.row() for call in rows])
    if db.conn.total_changes - before == len(rows):
        return [call.reply for call in rows]
    standing = dict(zip([call.key for call in rows], find(db, [call.key for call in rows]), strict=True))
    late = [call for call in rows if standing[call.key] != call.reply]
    db.conn.executemany(INSERT, [replace(call, key=f"{call.key}/{uuid.uuid4().hex}").row() for call in late])
    return [standing[call.key] or call.reply for call in rows]


def key_in_run(key: str, run: str) -> str:
    """Where the outcome of a call is kept that is no fact: it stands for the run that asked, and for no other."""
    return f"{key}/{run}"


def make_room(db: Database, keys: Sequence[str]) -> None:
    """Move what earlier versions kept under the keys of facts, though it is none, to the runs that asked for it."""
    for key, known in zip(keys, find(db, keys), strict=True):
        if known is not None and not known.is_fact:
            [(run,)] = db.execute("SELECT run FROM calls WHERE key = ?", [key]).fetchall()
            own = key_in_run(key, run)
            db.execute("UPDATE OR IGNORE calls SET key = ? WHERE key = ?", [own, key])
            db.execute("UPDATE outcomes SET call = ? WHERE call = ?", [own, key])
            # Where that run has asked again since, its newer outcome stands, and this row is still here.
            db.execute("UPDATE calls SET key = ? WHERE key = ?", [f"{own}/{uuid.uuid4().hex}", key])


def find(db: Database, keys: Sequence[str]) -> list[Reply | None]:
    """The recorded replies to `keys`, None where there is none."""
    rows = by_keys(db, f"SELECT key, {COLUMNS} FROM calls WHERE key IN {{keys}}", keys)
    found = {key: _reply(*values) for key, *values in rows}
    return [found.get(key) for key in keys]


def rows(db: Database, keys: Sequence[str]) -> list[Call | None]:
    """The whole rows under `keys`, None where there is none."""
    found = {call.key: call for call in map(_call, by_keys(db, f"{_ROWS} WHERE key IN {{keys}}", keys))}
    return [found.get(key) for key in keys]


def last(db: Database) -> int:
    """Where the calls end that are recorded now; later ones come behind it."""
    return int(db.execute("SELECT coalesce(max(rowid), 0) FROM calls").fetchone()[0])


def since(db: Database, after: int) -> list[Call]:
    """The calls that were recorded behind a place, see `last`."""
    return [_call(row) for row in db.execute(f"{_ROWS} WHERE rowid > ?", [after])]


def paid_by(db: Database, run: str, after: int, most: int) -> tuple[list[Call], int | None]:
    """The calls that a run has paid for, behind a place and `most` at a time; and the place behind them, None at the end."""
    where = "FROM calls WHERE run = ? AND rowid > ? ORDER BY rowid LIMIT ?"
    found = db.execute(f"SELECT rowid, {_COLUMNS} {where}", [run, after, most]).fetchall()
    return [_call(row) for _, *row in found], found[-1][0] if len(found) == most else None


def unknown_to(db: Database, run: str, others: Collection[str]) -> list[Call]:
    """The calls that a run has paid for whose keys are none of `others`."""
    keys = [key for (key,) in db.execute("SELECT key FROM calls WHERE run = ? ORDER BY rowid", [run]) if key not in others]
    return [call for call in rows(db, keys) if call is not None]


def make_way(db: Database, key: str, instead: Sequence[Call]) -> None:
    """Move a row that nothing refers to yet to the key of the last of some others, of which the first takes its place."""
    db.execute("UPDATE OR IGNORE calls SET key = ? WHERE key = ?", [instead[-1].key, key])
    keep(db, instead)


def keep(db: Database, calls: Sequence[Call]) -> None:
    """Have rows of another store here too, as they are; those that are here already stay."""
    db.conn.executemany(INSERT, [call.row() for call in calls])


_COLUMNS = f"key, run, role, model, request, created, {COLUMNS}"
_ROWS = f"SELECT {_COLUMNS} FROM calls"


def _call(row: Sequence[Any]) -> Call:
    key, run, role, model, request, created, *told = row
    return Call(key, run, role, model, json.loads(request), _reply(*told), created)


def _reply(text: str, finish: str, *told: Any) -> Reply:
    *counts, estimated, cached, steps = told
    reply = replace(Reply(text, finish, *counts), estimated=bool(estimated), cached_tokens=cached, steps=steps)
    # What an endpoint said in the place of a reply must not be read as one.
    return replace(reply, text="", error=reply.text) if reply.finish in NO_REPLY else reply


def requests(db: Database, keys: Sequence[str]) -> dict[str, list[Message]]:
    """The messages that recorded calls asked with."""
    rows = by_keys(db, "SELECT key, request FROM calls WHERE key IN {keys}", keys)
    return {key: [message_of(message) for message in json.loads(request)["messages"]] for key, request in rows}


def keys_of(db: Database, role: Role) -> list[str]:
    """The keys of all calls of a role, in the order in which they were recorded."""
    return [key for (key,) in db.execute("SELECT key FROM calls WHERE role = ? ORDER BY rowid", [role])]


def count(db: Database) -> int:
    """How many calls are recorded."""
    return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])


def lost(db: Database) -> int:
    """How many calls were recorded and are gone: nothing here deletes one, and rows are numbered as they come."""
    return int(db.execute("SELECT coalesce(max(rowid) - count(*), 0) FROM calls").fetchone()[0])


def usage(db: Database, run: str) -> Usage:
    """What a run has paid for so far."""
    return _usage(db, "run = ?", run)


def usage_since(db: Database, moment: str) -> Usage:
    """What all runs have paid for since a moment, written as `created` has it."""
    return _usage(db, "created >= ?", moment)


def _usage(db: Database, which: str, value: str) -> Usage:
    total = Usage()
    sums = "sum(input_tokens), sum(output_tokens), sum(cost), sum(estimated), sum(cached_tokens), sum(cost IS NULL)"
    query = f"SELECT role, count(*), {sums} FROM calls WHERE {which} GROUP BY role"
    for role, count, *sums_of_role in db.execute(query, [value]):
        total.include(Usage({role: count}, 0, *sums_of_role))
        total.of(role).include(Usage({role: count}, 0, *sums_of_role))
    return total
