"""What became of every example: with the prompts that a run began with, and with those that it ended with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..domain.results import Evaluation, Outcome, Split
from ..store.evaluations import RunTask
from .answered import by_base
from .pairs import RunPairs

Change = Literal["gained", "lost", "same", "unknown"]
"""A higher score than before, a lower one, the same, or nothing to compare: one of the two has no score."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One example as one base model answered it; `before` is None where the seed prompts were not scored on it.

    `base` names the model where several answered, and is "" elsewhere.
    """

    example: str
    base: str
    before: Outcome | None
    after: Outcome

    @property
    def by(self) -> float | None:
        """The score after less that before, in [-1, 1]; None where one of them has none."""
        if self.before is None or not (self.before.graded and self.after.graded):
            return None
        return self.after.score - self.before.score

    @property
    def change(self) -> Change:
        """What that is in a word."""
        if self.by is None:
            return "unknown"
        return "gained" if self.by > 0 else "lost" if self.by < 0 else "same"


@dataclass(frozen=True, slots=True)
class TaskCompared:
    """A task's examples on one split, in its order; `untouched` where the run ended with the prompts that it began with."""

    task: RunTask
    split: Split
    untouched: bool
    examples: Sequence[Compared]


def compared(pairs: RunPairs) -> list[TaskCompared]:
    """The tasks that were scored: on the test split, or where there was no test on what selects."""
    every = (_compared(pairs, task) for task in pairs.tasks)
    return [found for found in every if found]


def last_evaluation(pairs: RunPairs, task: RunTask) -> Evaluation | None:
    """How the prompts that a run ended with did on a task: on the test split, or where it was not tested on what selects."""
    pair = pairs.ended[task.name]
    return pairs.evaluation(task, "test", pair) or pairs.evaluation(task, pairs.selecting, pair)


def _compared(pairs: RunPairs, task: RunTask) -> TaskCompared | None:
    after = last_evaluation(pairs, task)
    if after is None:
        return None
    untouched = pairs.seeds[task.name] == pairs.ended[task.name]
    before = after if untouched else pairs.evaluation(task, after.split, pairs.seeds[task.name])
    known = {(base, one.example): one for base, one in by_base(pairs.db, before)} if before else {}
    examples = [Compared(one.example, base, known.get((base, one.example)), one) for base, one in by_base(pairs.db, after)]
    return TaskCompared(task, after.split, untouched, examples)
