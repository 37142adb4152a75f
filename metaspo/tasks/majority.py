"""What the majority answer scores on a task in the store: the control that every score stands beside."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ..domain.errors import MetaspoError
from ..store import evaluations, runs
from ..store.evaluations import RunTask
from .catalogue import TaskSource, read_task
from .scores.constant import best_constant
from .scores.metric_spec import MetricSpec
from .scores.structures import scorer_of
from .task import Task


def majority_score(db: Database, task: RunTask, spec: dict[str, Any], accepted: Mapping[str, Sequence[str]]) -> float | None:
    """The score in [0, 1] of the best constant answer by the metric of a task of a run; see metaspo/tasks/scores/constant.py.

    That is the commonest gold answer where one is right or wrong. None where no answer is scored without a reply, as by
    a judge, and where a person's own metric is not to be had any more. `accepted` are the accepted answers of each
    example by its id, best first.
    """
    metric = spec["metric"]
    score = scorer_of(MetricSpec.model_validate(metric))
    if score is not None:
        return best_constant(list(accepted.values()), metric["kind"], score)
    if metric["kind"] == "judge" or not accepted:
        return None
    try:
        # Their code may be anywhere, and what it needs may be gone: a report is read without it then.
        # Those that look like it are read first: a run may have hundreds.
        likely = sorted(_sources(db, task.run), key=lambda source: not _may_be(source, task.name))
        own = next((found for source in likely if (found := read_task(source)).name == task.name), None)
        examples = [example for example in evaluations.examples(db, task.task) if example.id in accepted]
        return Task(own, {}).majority_of(examples) if own else None
    except MetaspoError:
        return None


def _sources(db: Database, run: str) -> list[TaskSource]:
    """The tasks of a run as they were written: only there is it known where a metric's code is."""
    problem = runs.find(db, run).config["problem"]
    return [source for key in ("tasks", "targets") for source in problem.get(key) or []]


def _may_be(source: TaskSource, name: str) -> bool:
    """Whether a task looks like the one of that name before it is read."""
    return source.get("name") == name if isinstance(source, dict) else name in (str(source), Path(str(source)).stem)
