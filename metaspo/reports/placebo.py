"""What a run's placebo came to: as many unrelated texts, chosen in the same way and tested on the same examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlite_utils import Database

from ..domain.calls import Usage
from ..domain.errors import StoreError
from ..domain.significance import Change
from ..store import calls, runs
from ..store.evaluations import Role
from ..tasks.scores.paired import Paired, mean_change, read_paired
from .controls import tested
from .pairs import RunPairs, run_pairs


@dataclass(frozen=True, slots=True)
class PlaceboReport:
    """How a run's placebo stands, and what it gained over the same seeds: means over tasks, None where nothing was tested.

    `over_source` and `over_target` are the run's own test scores less the placebo's: what the texts
    brought beside having been chosen. `usage` and `seconds` are the placebo's alone. `status` is
    "not begun" before there is such a run. The placebo of a branch begins with prompts that its parent found,
    which are no unrelated texts, so that it says nothing of where it ends: then `of_branch` is set and none of the
    changes is there.
    """

    run: str
    status: str
    reason: str | None = None
    source: Change | None = None
    target: Change | None = None
    over_source: Change | None = None
    over_target: Change | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    of_branch: bool = False


def read_placebo(db: Database, run: runs.Run, pairs: RunPairs) -> PlaceboReport | None:
    """The placebo of a run; None where none was asked for, or where there was no search to repeat."""
    if not run.config.get("problem", {}).get("placebo"):
        return None
    id = runs.placebo_id(run.id)
    try:
        found = runs.find(db, id)
    except StoreError:
        searched = run.status != "done" or any(row.level in ("user", "system") for row in pairs.rounds)
        return PlaceboReport(id, "not begun") if searched else None
    own = run_pairs(db, id)
    of_branch = run.parent_round is not None
    gained, ahead = ({}, {}) if of_branch else (tested(own), _ahead(pairs, own))
    return PlaceboReport(
        run=id,
        status=found.status,
        reason=found.reason,
        source=mean_of(gained, own, "source"),
        target=mean_of(gained, own, "target"),
        over_source=mean_of(ahead, own, "source"),
        over_target=mean_of(ahead, own, "target"),
        usage=calls.usage(db, id),
        seconds=found.seconds,
        of_branch=of_branch,
    )


def mean_of(every: Mapping[str, Paired], pairs: RunPairs, role: Role) -> Change | None:
    """The mean change over the tasks of a role; None where none of them is there."""
    own = [every[task.name] for task in pairs.tasks if task.role == role and task.name in every]
    return mean_change(own) if own else None


def _ahead(pairs: RunPairs, placebo: RunPairs) -> dict[str, Paired]:
    """What the run ended with against what its placebo ended with, on the test examples of each task."""
    every = {}
    for task in pairs.tasks:
        own = pairs.evaluation(task, "test", pairs.ended[task.name])
        other = placebo.evaluation(task, "test", placebo.ended[task.name]) if task.name in placebo.ended else None
        if own and other and own.task == other.task:
            every[task.name] = read_paired(pairs.db, task, [own], [other])
    return every
