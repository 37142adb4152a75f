"""What a worker had paid for when nobody could take it in any more is brought in by whoever comes to its node next."""

import asyncio
from pathlib import Path

from sqlite_utils import Database

from ...domain.errors import StoreError
from ...models.sharing.messages import PAGE
from ...store import calls
from ...store.calls import Call
from ...store.database import open_store
from .line import RayLine
from .own_store import left_behind


async def bring_in(line: RayLine, study: str) -> None:
    """Bring what workers of a study have left on this node into its store, and remove it.

    All but the last calls are there already: a call is recorded in the study's store first. Raises LineLost.
    """
    for store in left_behind(study):
        try:
            begun, paid = await asyncio.to_thread(_paid, store)
        except StoreError:
            continue
        # A study that was begun anew wants nothing of the one before it.
        if paid and await line.are_mine(begun):
            for at in range(0, len(paid), PAGE):
                page = paid[at : at + PAGE]
                known = await line.ask("find", [call.key for call in page])
                if missing := [call for call, there in zip(page, known, strict=True) if there is None]:
                    await line.ask("record", missing)


def _paid(store: Path) -> tuple[dict[str, str], list[Call]]:
    """When the runs of a store were begun, and the calls that those who are not done have paid for."""
    with open_store(store) as opened:
        return _read(opened.db)


def _read(db: Database) -> tuple[dict[str, str], list[Call]]:
    begun = dict(db.execute("SELECT id, created FROM runs WHERE status <> 'done'").fetchall())
    marks = ", ".join("?" * len(begun))
    keys = [key for (key,) in db.execute(f"SELECT key FROM calls WHERE run IN ({marks})", [*begun])]
    return begun, [call for call in calls.rows(db, keys) if call is not None]
