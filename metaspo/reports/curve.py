"""A run's scores round by round: what selected, and what the test split says of the same prompts."""

from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from ..store import evaluations, prompts, runs
from ..store.database import open_store
from .notebook.shown import Shown
from .pairs import AFTER_SEARCH


@dataclass(frozen=True, slots=True)
class Point:
    """A task's best pair after a round: its score where prompts are selected, and on test, None until tested; in [0, 1]."""

    round: int
    task: str
    selecting: float
    test: float | None


class Points(Shown, list[Point]):
    """The points of a run, first round to last."""


def open_curve(path: str | Path, name: str = "last") -> Points:
    """Every round of the search, first to last, task by task; test scores are there for runs with `curve` set.

    The pair of a round is the one that train or validation chose then; no test score chooses anything.
    """
    with open_store(path) as store:
        return points(store.db, runs.find(store.db, name).id)


def points(db: Database, run: str) -> Points:
    """The same of an opened store."""
    known = evaluations.whole_evaluations(db, run).items()
    tested = {(task, system, user): score for (task, split, system, user), (_, score) in known if split == "test"}
    ids = {task.name: task.task for task in evaluations.run_tasks(db, run)}
    search = {row.round for row in prompts.rounds(db, run) if row.level not in AFTER_SEARCH}
    best = [pair for pair in prompts.rounds_best(db, run) if pair.round in search]
    return Points(
        Point(pair.round, pair.task, pair.score, tested.get((ids.get(pair.task, ""), pair.system, pair.user))) for pair in best
    )
