"""The `events` table: what a run told while it was at work, in the order in which it was told.

A run that goes on after a kill tells a round again that it had not closed, and one that was taken back goes another way:
the last word on a round counts.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database


def tell(db: Database, run: str, event: Mapping[str, Any]) -> None:
    """Keep an event of a run."""
    last = "SELECT ?1, coalesce(max(position), -1) + 1, ?2, ?3 FROM events WHERE run = ?1"
    db.execute(f"INSERT INTO events {last}", [run, time.time(), json.dumps(event, ensure_ascii=False)])


def told(db: Database, run: str, since: int = -1) -> list[tuple[int, float, dict[str, Any]]]:
    """The events of a run after position `since`: position, when (seconds since 1970), and the event itself.

    A run of an earlier version has told none.
    """
    asked = "SELECT position, at, event FROM events WHERE run = ? AND position > ? ORDER BY position"
    return [(position, at, json.loads(event)) for position, at, event in db.execute(asked, [run, since])]
