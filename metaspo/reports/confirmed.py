"""Whether a run's prompts are confirmed, and the newest run of a store whose prompts are."""

from collections.abc import Collection
from pathlib import Path

from sqlite_utils import Database

from ..store import evaluations, runs
from ..store.database import open_store
from ..workspace.generalization import GENERALIZE
from .claims import verdict_says
from .confirmation import Verdict, read_confirmation, verdict_without
from .pairs import run_pairs


def verdict_of(db: Database, run: runs.Run) -> tuple[Verdict, str]:
    """The verdict on the prompts that a search found, and the same in a sentence or a few."""
    pairs = run_pairs(db, run.id)
    found = read_confirmation(pairs)
    verdict, why = (found.verdict, None) if found else verdict_without(run, pairs)
    return verdict, verdict_says(verdict, found, why)


def newest_confirmed(path: str | Path, tasks: Collection[str] = ()) -> runs.Run | None:
    """The run of a store that began last of those that are done and confirmed; with `tasks`, of those on any of them."""
    with open_store(path) as store:
        return newest_confirmed_in(store.db, tasks)


def newest_confirmed_in(db: Database, tasks: Collection[str] = ()) -> runs.Run | None:
    """The same of an open store."""
    for run in reversed(runs.briefly(db)):
        if run.status != "done" or run.method.startswith(runs.PLACEBO) or run.method == GENERALIZE:
            continue
        names = {task.name for task in evaluations.run_tasks(db, run.id) if task.role == "source"}
        if not tasks or names & {*tasks}:
            found = runs.find(db, run.id)
            if verdict_of(db, found)[0] == "confirmed":
                return found
    return None
