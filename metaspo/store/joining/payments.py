"""Calls of two stores: what was paid once is one row, what was paid twice is two, and the first reply to a call stays.

Two machines may have asked an endpoint the same, and may have been told different things. Then what is here stays the
fact, and what the other file's runs were told goes on under a key of theirs. `spoken` says under which key a call of the
file is found here by whoever relied on it there; calls that it does not name keep their keys.
"""

import hashlib
from typing import Any

from sqlite_utils import Database

from ...domain.calls import NO_REPLY
from ..calls import make_room
from .chosen import insert

AGAIN = "/again"
"""What the key of a call ends with that was paid by two runs, who were told the same: nobody asks for that row."""

PAID = (
    "run", "role", "model", "finish", "input_tokens", "output_tokens", "latency", "cost", "estimated", "cached_tokens", "reply",
    "steps",
)  # fmt: skip
SAID = ("reply", "finish", "input_tokens", "output_tokens", "estimated", "steps")

BASE = "iif(instr(f.key, '/'), substr(f.key, 1, instr(f.key, '/') - 1), f.key)"
"""The key that a call was asked under, whatever key it stands under."""

OWN = f"{BASE} || '/' || f.run"


# The plus keeps SQLite from looking a call up by its run, which may have paid for thousands.
SAME_CALL = " AND ".join(f"+m.{name} IS f.{name}" for name in PAID)
"""What tells that two rows are of the same payment: when it was recorded may differ, where two stores collected one batch."""

SAME_WORDS = " AND ".join(f"m.{name} IS f.{name}" for name in SAID)
"""What tells that two payments brought the same."""

ELSEWHERE = f"{BASE}, {OWN}, {OWN} || '{AGAIN}'"
"""The keys under which a call may stand in another store."""

SAME_PLACE = f"m.key IN (f.key, {ELSEWHERE})"


def join_calls(db: Database) -> int:
    """Take over the calls that are not here; how many of the file's were here already."""
    db.conn.create_function("fingerprint", -1, _fingerprint, deterministic=True)
    _facts_first(db)
    for name in ("paid", "moved"):
        db.execute(f"DROP TABLE IF EXISTS temp.{name}")
        db.execute(f"CREATE TEMP TABLE {name} (old TEXT PRIMARY KEY, new TEXT NOT NULL, said INTEGER NOT NULL) WITHOUT ROWID")
    alike = f"SELECT f.key, m.key, 0 FROM from_calls f JOIN main.calls m ON m.key IN ({{}}) AND {SAME_CALL}"
    known = f"INSERT OR IGNORE INTO temp.paid {alike}"
    db.execute(known.format("f.key"))
    rest = " WHERE f.key NOT IN (SELECT old FROM temp.paid)"
    db.execute(known.format(ELSEWHERE) + rest)
    _move(db, known)
    here = int(db.execute("SELECT count(*) FROM temp.paid").fetchone()[0])
    new = "coalesce((SELECT new FROM temp.moved WHERE old = f.key), f.key)"
    insert(db, "calls", rest.strip(), {"key": new})
    _say(db)
    return here


def _move(db: Database, known: str) -> None:
    """Find a key for calls that somebody else has paid for here."""
    mark = f"fingerprint({', '.join(f'f.{name}' for name in PAID)})"
    taken = f"iif({SAME_WORDS}, '{AGAIN}', '')"
    db.execute(
        f"INSERT INTO temp.moved SELECT f.key, iif(instr(f.key, '/'), f.key || '/' || {mark}, {OWN} || {taken}), {SAME_WORDS}"
        " FROM from_calls f JOIN main.calls m ON m.key = f.key WHERE f.key NOT IN (SELECT old FROM temp.paid)"
    )
    free = "new IN (SELECT key FROM main.calls) OR new IN (SELECT key FROM from_calls)"
    db.execute(
        f"UPDATE temp.moved SET new = new || '/' || (SELECT {mark} FROM from_calls f WHERE f.key = old)"
        f" WHERE ({free}) AND NOT instr(old, '/')"
    )
    # Such a call may have come before, under just that key.
    there = (
        "SELECT v.old, v.new, v.said FROM temp.moved v JOIN from_calls f ON f.key = v.old JOIN main.calls m ON m.key = v.new"
    )
    db.execute(f"INSERT INTO temp.paid {there} WHERE {SAME_CALL}")


def _say(db: Database) -> None:
    """Fill `spoken`."""
    db.execute("DROP TABLE IF EXISTS temp.spoken")
    db.execute("CREATE TEMP TABLE spoken (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID")
    base = f"iif(new LIKE '%{AGAIN}', substr(new, 1, instr(new, '/') - 1), new)"
    every = "SELECT old, new, said FROM temp.paid UNION SELECT old, new, said FROM temp.moved"
    db.execute(f"INSERT OR IGNORE INTO temp.spoken SELECT old, {base} AS at FROM ({every}) WHERE NOT said AND {base} <> old")


def _facts_first(db: Database) -> None:
    """What earlier versions kept here under the key of a fact, though it is none, makes room for one."""
    none = "m.finish IN ({}) OR trim(m.reply, char(9, 10, 11, 12, 13, 32)) = ''".format(
        ", ".join(f"'{end}'" for end in NO_REPLY)
    )
    fact = none.replace("m.", "f.")
    asked = (
        f"SELECT f.key FROM from_calls f JOIN main.calls m ON m.key = f.key"
        f" WHERE NOT instr(f.key, '/') AND ({none}) AND NOT ({fact})"
    )
    make_room(db, [key for (key,) in db.execute(asked).fetchall()])


def _fingerprint(*values: Any) -> str:
    return hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).hexdigest()[:12]
