"""What the prompts that a run ended with still get wrong, with the replies: read from the store, example by example."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ..domain.errors import ConfigError
from ..domain.results import Evaluation, Outcome, Split
from ..store import evaluations, runs
from ..store.database import open_store
from ..workspace.generalization import GENERALIZE
from .answered import Answered, answered, by_base
from .changed import last_evaluation
from .controls import kind_of
from .notebook.shown import Shown
from .pairs import run_pairs

LONGEST = 20
"""Examples of a task that are shown where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Failure(Answered):
    """One example that is not right, with the reply. `base` names the base model where several answered."""

    question: str
    expected: Sequence[str]
    base: str
    example: str


@dataclass(frozen=True, slots=True)
class TaskFailures:
    """A task's examples on one split, and those that are not right, the first so many of them."""

    task: str
    split: Split
    examples: int
    wrong: int
    unparsed: int
    ungraded: int
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True, repr=False)
class RunFailures(Shown):
    """The same of all tasks of a run; `without` are the names of those whose last prompts have not been scored."""

    run: str
    tasks: Sequence[TaskFailures]
    without: Sequence[str]

    def as_data(self) -> dict[str, Any]:
        """Plain data, for scripts."""
        return asdict(self)


def open_failures(path: str | Path, name: str = "last", task: str | None = None, most: int = LONGEST) -> RunFailures:
    """What a run, by the beginning of its id, still gets wrong: on the test split, or where it was not tested on what selects.

    `task` asks for one alone, `most` is how many examples of each task are wanted, 0 for all. Raises StoreError when there
    is no such run, ConfigError for a task that it does not have and for a run that searched nothing.
    """
    with open_store(path) as store:
        run = runs.find(store.db, name)
        if run.method == GENERALIZE:
            raise ConfigError(f"run {run.id[:8]} compares two prompts and has no winner; --errors is for a search")
        pairs = run_pairs(store.db, run.id)
        names = [one.name for one in pairs.tasks]
        if task is not None and task not in names:
            raise ConfigError(f"run {run.id[:8]} has no task {task!r}; it has {', '.join(names)}")
        chosen = [one for one in pairs.tasks if task in (None, one.name)]
        found = [(one, last_evaluation(pairs, one)) for one in chosen]
        tasks = [_of_task(store.db, one, scored, most) for one, scored in found if scored is not None]
        return RunFailures(run.id, tasks, [one.name for one, scored in found if scored is None])


def _of_task(db: Database, task: evaluations.RunTask, scored: Evaluation, most: int) -> TaskFailures:
    outcomes = by_base(db, scored)
    kinds = [kind_of(outcome) for _, outcome in outcomes]
    missed = [found for kind, found in zip(kinds, outcomes, strict=True) if kind != "right"]
    shown = list(_failures(db, task, missed[: most or None]))
    counts = {kind: kinds.count(kind) for kind in ("wrong", "unparsed", "ungraded")}
    return TaskFailures(task.name, scored.split, len(outcomes), **counts, failures=shown)


def _failures(db: Database, task: evaluations.RunTask, missed: Sequence[tuple[str, Outcome]]) -> Iterator[Failure]:
    examples = {example.id: example for example in evaluations.examples(db, task.task)}
    for (base, outcome), found in zip(missed, answered(db, [outcome for _, outcome in missed]), strict=True):
        example = examples.get(outcome.example)
        question, expected = (example.question, list(example.answers)) if example else ("", [])
        yield Failure(**asdict(found), question=question, expected=expected, base=base, example=outcome.example)
