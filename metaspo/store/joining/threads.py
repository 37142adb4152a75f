"""LangGraph's checkpoints of runs that come from another store, with what they name called as it is called here."""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from sqlite_utils import Database

from ...domain.errors import StoreError
from ..apart import SERDE
from .chosen import BLOBS, has_threads, insert
from .scores import claim

NAME = re.compile(r"[0-9a-f]{24}(/.+)?|[0-9a-f]{64}(/.+)?")
"""What the ids of evaluations and the keys of calls look like."""

Renamed = Callable[[str], str]


def prepare_threads(db: Database) -> None:
    """Have the tables of checkpoints in a store, before a transaction begins."""
    if not has_threads(db, "main"):
        SqliteSaver(db.conn).setup()


def join_threads(db: Database, origin: Path) -> None:
    """Take over the checkpoints of the threads whose runs are coming, and what was written at them.

    Raises StoreError where a checkpoint of the file can't be read.
    """
    coming = "WHERE f.thread_id IN (SELECT coalesce(thread, id) FROM from_runs WHERE id IN (SELECT id FROM temp.coming))"
    for table in ("checkpoints", "writes", BLOBS):
        insert(db, table, coming)
    changed = (
        "SELECT 1 FROM temp.clash UNION ALL SELECT 1 FROM temp.spoken UNION ALL SELECT 1 FROM temp.scored WHERE old <> new"
    )
    if not db.execute(f"{changed} LIMIT 1").fetchone():
        return
    for (thread,) in db.execute(f"SELECT DISTINCT thread_id FROM from_checkpoints f {coming}").fetchall():
        try:
            _rename(db, thread)
        except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, RecursionError) as error:
            raise StoreError(
                f"{origin}: a checkpoint of thread {thread} can't be read ({type(error).__name__}: {error}): "
                "the file is damaged, restore it from a copy. Nothing was joined"
            ) from error


def _rename(db: Database, thread: str) -> None:
    asked = (
        "SELECT checkpoint_ns, checkpoint_id, type, checkpoint FROM main.checkpoints WHERE thread_id = ? ORDER BY checkpoint_id"
    )
    renamer = lru_cache(partial(_renamer, db))
    runs: dict[str, str] = {}
    apart: dict[tuple[str, str, str], str] = {}
    for ns, id, kind, blob in db.execute(asked, [thread]).fetchall():
        state = SERDE.loads_typed((kind, blob))
        run = runs[id] = str(state["channel_values"].get("run") or thread)
        for channel, version in state["channel_versions"].items():
            apart.setdefault((ns, channel, str(version)), run)
        if written := _written_anew(state, renamer(run)):
            where = "thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
            db.execute(f"UPDATE main.checkpoints SET type = ?, checkpoint = ? WHERE {where}", [*written, thread, ns, id])
    asked = "SELECT rowid, checkpoint_id, type, value FROM main.writes WHERE thread_id = ?"
    for row, id, kind, blob in db.execute(asked, [thread]).fetchall():
        if written := _written_anew(SERDE.loads_typed((kind, blob)), renamer(runs.get(id, thread))):
            db.execute("UPDATE main.writes SET type = ?, value = ? WHERE rowid = ?", [*written, row])
    asked = f"SELECT rowid, checkpoint_ns, channel, version, type, blob FROM main.{BLOBS} WHERE thread_id = ?"
    for row, ns, channel, version, kind, blob in db.execute(asked, [thread]).fetchall():
        if written := _written_anew(SERDE.loads_typed((kind, blob)), renamer(apart.get((ns, channel, version), thread))):
            db.execute(f"UPDATE main.{BLOBS} SET type = ?, blob = ? WHERE rowid = ?", [*written, row])


def _written_anew(value: Any, renamed: Renamed) -> tuple[str, bytes] | None:
    """A value as it is written with every name in it as it is called here; None where nothing is called otherwise."""
    named = _named(value, renamed)
    return None if named is value else SERDE.dumps_typed(named)


def _renamer(db: Database, run: str) -> Renamed:
    @lru_cache(maxsize=10_000)
    def renamed(text: str) -> str:
        if not NAME.fullmatch(text):
            return text
        found = db.execute("SELECT new FROM temp.spoken WHERE old = ?", [text]).fetchone()
        return str(found[0]) if found else claim(db, run, text)

    return renamed


def _named(value: Any, renamed: Renamed) -> Any:
    """A value with every name in it as it is called here; the very same object where nothing is called otherwise."""
    if isinstance(value, str):
        return renamed(value)
    if isinstance(value, dict):
        found: Any = {key: _named(one, renamed) for key, one in value.items()}
        return found if any(found[key] is not value[key] for key in value) else value
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        items = [_named(one, renamed) for one in value]
        return type(value)(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _named(getattr(value, one.name), renamed) for one in fields(value) if one.init}
        changed = {name: part for name, part in parts.items() if part is not getattr(value, name)}
        return replace(value, **changed) if changed else value
    if hasattr(value, "arg") and hasattr(value, "node"):  # LangGraph's Send
        arg = _named(value.arg, renamed)
        return type(value)(value.node, arg) if arg is not value.arg else value
    return value
