"""Two runs on the same test examples: what each ended with, task by task, or why that can't be compared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils import Database

from ..domain.counting import counted
from ..domain.results import Evaluation
from ..domain.significance import Change
from ..store import evaluations, runs
from ..store.evaluations import Role, RunTask
from ..tasks.scores.paired import Paired, mean_change, read_paired
from .claims import points, tested
from .confirmation import on_both
from .pairs import RunPairs, run_pairs

SCORING = ("reader", "metric", "constrain", "max_tokens")
"""What a task's score on an example depends on, beside the example, the prompts and the model."""


@dataclass(frozen=True, slots=True)
class TaskOfBoth:
    """A task of two runs: what each ended with on test, in [0, 1], None where that was not tested.

    `change` is the second's score less the first's on the `shared` examples that both tested, with its paired test;
    `why_not` says why there is none. `roles` are what the task was to each run, None where it did not have it.
    """

    task: str
    roles: tuple[Role | None, Role | None]
    first: float | None
    second: float | None
    shared: int
    change: Change | None
    why_not: str

    @property
    def is_unseen(self) -> bool:
        """Whether neither run had it to learn from."""
        return "source" not in self.roles


@dataclass(frozen=True, slots=True)
class PairedRuns:
    """Every task of two runs, and the mean changes over those source and unseen tasks that can be compared."""

    tasks: list[TaskOfBoth]
    source: Change | None
    unseen: Change | None


def paired_runs(db: Database, first: str, second: str) -> PairedRuns:
    """Read what two runs ended with."""
    sides = run_pairs(db, first), run_pairs(db, second)
    names = dict.fromkeys(task.name for side in sides for task in side.tasks)
    found, means = [], dict[bool, list[Paired]]({True: [], False: []})
    for name in names:
        task, paired = _of_both(sides, name)
        found.append(task)
        if paired is not None:
            means[task.is_unseen].append(paired)
    source, unseen = (mean_change(every) if every else None for every in (means[False], means[True]))
    return PairedRuns(found, source, unseen)


def _of_both(sides: tuple[RunPairs, RunPairs], name: str) -> tuple[TaskOfBoth, Paired | None]:
    tasks = [next((task for task in side.tasks if task.name == name), None) for side in sides]
    scores = [side.score(task, "test", side.ended[name]) if task else None for side, task in zip(sides, tasks, strict=True)]
    roles = (tasks[0].role if tasks[0] else None, tasks[1].role if tasks[1] else None)
    why = _why_not(sides[0].db, tasks, scores)
    paired = None if why else _paired(sides, tasks)
    if not why and paired is None:
        why = "no example was tested by both"
    change = mean_change([paired]) if paired else None
    return TaskOfBoth(name, roles, scores[0], scores[1], paired.examples if paired else 0, change, why), paired


def _why_not(db: Database, tasks: Sequence[RunTask | None], scores: Sequence[float | None]) -> str:
    """Why the scores of two runs on a task can't be compared; "" where they can."""
    first, second = tasks
    if first is None or second is None:
        return f"only the {'second' if first is None else 'first'} run has this task"
    if None in scores:
        both = scores[0] is None and scores[1] is None
        return f"not tested by {'either run' if both else 'the first run' if scores[0] is None else 'the second run'}"
    specs = [evaluations.task_metric(db, task.task)[1] for task in (first, second)]
    differing = [name for name in SCORING if specs[0].get(name) != specs[1].get(name)]
    if differing:
        return f"the task is not scored alike: {', '.join(differing)} differ{'s' * (len(differing) == 1)}"
    judges = [specs[0]["metric"].get("model") or _optimizer(db, task.run) for task in (first, second)]
    if specs[0]["metric"]["kind"] == "judge" and judges[0] != judges[1]:
        return "two judges graded: each run's optimizer its own"
    if first.task != second.task and any(":" in str(specs[0][part].get("kind")) for part in ("reader", "metric")):
        return "the task's own code may have changed between the two, which is not on record"
    return ""


def _optimizer(db: Database, run: str) -> object:
    known = runs.known(db, run)
    return known and known.config.get("context", {}).get("optimizer")


def _paired(sides: tuple[RunPairs, RunPairs], tasks: Sequence[RunTask | None]) -> Paired | None:
    """Both runs' last pairs on the examples that both tested; None where there are none."""
    first, second = tasks
    assert first is not None and second is not None
    old = sides[0].evaluation(first, "test", sides[0].ended[first.name])
    new = sides[1].evaluation(second, "test", sides[1].ended[second.name])
    if old is None or new is None:
        return None
    new, old = (_in_order(one) for one in on_both(new, old))
    # The examples of both, with their answers, are recorded with either task.
    return read_paired(sides[0].db, first, [new], [old]) if new.outcomes else None


def _in_order(found: Evaluation) -> Evaluation:
    """The outcomes by example, since two runs may have dealt the same examples in other orders."""
    outcomes = tuple(sorted(found.outcomes, key=lambda outcome: outcome.example))
    return replace(found, outcomes=outcomes, parts=tuple(map(_in_order, found.parts)))


def difference_says(where: str, change: Change) -> str:
    """What a difference of two runs says, in a sentence; `where` is its beginning."""
    on = f"on {counted(change.examples, 'example')} that both tested"
    if not change.differing:
        return f"{where}: no difference {on}."
    if not change.is_real:
        return f"{where}: {points(change.value)} {on}, within noise: no real difference is shown ({tested(change)})."
    return f"{where}: {points(change.value)} {on}, a real difference ({tested(change)})."
