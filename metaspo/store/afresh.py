"""A run that never had an answer begins again from nothing: only what it paid for stays on record."""

import uuid
from collections.abc import Callable

from sqlite_utils import Database

from ..domain.calls import Reply
from . import calls
from .transactions import writing

TAKEN = ("rounds", "candidates", "standing", "run_evaluations", "answers", "events")
USELESS = """
    SELECT e.id FROM evaluations e JOIN run_tasks t ON t.task = e.task AND t.run = ?
    WHERE NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.evaluation = e.id AND o.answer IS NOT NULL AND o.call NOT LIKE ?)
    AND NOT EXISTS (SELECT 1 FROM run_evaluations r WHERE r.evaluation = e.id)
"""
"""Evaluations on a run's tasks that hold no answer but of this run, and that no other run relied on."""


def begin_afresh(db: Database, run: str, empty: Callable[[Reply], object]) -> None:
    """Forget what a run took from its replies, and keep those that are `empty` or no facts where nobody asks for them.

    What made them so is being mended, be it a setting of the server that no key holds.
    """
    own = calls.key_in_run("%", run)
    with writing(db):
        for table in TAKEN:
            db.execute(f"DELETE FROM {table} WHERE run = ?", [run])
        for row in db.execute(USELESS, [run, own]).fetchall():
            db.execute("DELETE FROM outcomes WHERE evaluation = ?", row)
            db.execute("DELETE FROM evaluations WHERE id = ?", row)
        unused = "run = ? AND key NOT IN (SELECT call FROM outcomes)"
        keys = [key for (key,) in db.execute(f"SELECT key FROM calls WHERE {unused}", [run])]
        for key, reply in zip(keys, calls.find(db, keys), strict=True):
            if reply is not None and (empty(reply) or not reply.is_fact):
                db.execute("UPDATE calls SET key = ? WHERE key = ?", [f"{key}/{uuid.uuid4().hex}", key])
