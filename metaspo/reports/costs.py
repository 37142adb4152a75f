"""What the costs of runs rest on: prices of a list, and models without a price."""

from collections.abc import Iterable

from sqlite_utils import Database

from ..models.priced import lists_say, unknown_says
from ..store import runs


def cost_notes(db: Database, ids: Iterable[str]) -> list[str]:
    """Sentences on what the recorded costs of runs rest on and leave out; none where all prices were set and known."""
    found = [run for id in {*ids} if (run := runs.known(db, id))]
    known = sorted(found, key=lambda run: (run.created, run.id))
    told = lists_say(one for run in known for one in run.config.get("prices", []))
    marks = ", ".join("?" * len(known))
    query = f"SELECT DISTINCT model FROM calls WHERE cost IS NULL AND run IN ({marks}) ORDER BY model"
    unknown = [model for (model,) in db.execute(query, [run.id for run in known])]
    return told + ([unknown_says(unknown)] if unknown else [])
