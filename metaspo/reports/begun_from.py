"""The run whose prompts a run began with, and what changed in the data between the two."""

from dataclasses import dataclass

from ..store import runs
from ..tasks.changes import DataChanges


@dataclass(frozen=True, slots=True)
class BegunFrom:
    """The earlier run by its id, what changed in the data since, and sentences on that and on what else is to be known."""

    run: str
    says: list[str]
    changes: DataChanges


def begun_from(run: runs.Run) -> BegunFrom | None:
    """What a run has on record of the one that it began from; None where it began with seeds, or as a branch."""
    problem = run.config.get("problem", {})
    found = problem.get("from_run")
    if not found or problem.get("start"):
        return None
    return BegunFrom(found["run"], [*found["says"]], DataChanges.from_data(found["changes"]))
