"""How a system prompt does on one task, over several user prompts and against another system prompt. Pure functions."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import stdev

from ..domain.intervals import Difference, Statistic, paired_difference
from ..domain.results import Evaluation
from . import metrics


@dataclass(frozen=True, slots=True)
class Side:
    """One system prompt on one task: scores in [0, 1], one for each user prompt.

    `mean` comes with its 95% bootstrap interval over examples; `spread` is the standard deviation
    over user prompts; `unparsed` the share of replies without a readable answer.
    """

    scores: list[float]
    mean: Difference
    spread: float
    unparsed: float


@dataclass(frozen=True, slots=True)
class TaskGeneralization:
    """One task: both sides on the same user prompts and examples, and how they compare.

    `wins`, `ties` and `losses` count user prompts; `win_rate` counts a tie as half a win. `majority`
    is the score of always giving the commonest answer.
    """

    task: str
    metric: str
    constrained: bool
    examples: int
    majority: float
    ours: Side
    theirs: Side
    difference: Difference
    wins: int
    ties: int
    losses: int

    @property
    def win_rate(self) -> float:
        """The share of user prompts under which ours does better, ties counted half."""
        return (self.wins + self.ties / 2) / (self.wins + self.ties + self.losses)


def score_on(metric: str, found: Sequence[Evaluation], golds: Sequence[str]) -> Statistic:
    """The mean over evaluations of their score on the examples at given positions; `golds` in split order."""
    if metric == "macro_f1":
        pairs = [[(o.answer, gold) for o, gold in zip(e.outcomes, golds, strict=True)] for e in found]
        return lambda at: sum(metrics.macro_f1_of_pairs(Counter(map(own.__getitem__, at))) for own in pairs) / len(pairs)
    # The mean over evaluations of a mean over examples is the mean of each example's own mean.
    each = [sum(e.outcomes[i].score for e in found) / len(found) for i in range(len(golds))]
    return lambda at: sum(map(each.__getitem__, at)) / len(at)


@dataclass(frozen=True)
class Sides:
    """Two system prompts scored on one task; `ours` and `theirs` in the same order of user prompts, `golds` in split order."""

    task: str
    metric: str
    constrained: bool
    golds: Sequence[str]
    ours: Sequence[Evaluation]
    theirs: Sequence[Evaluation]

    @cached_property
    def on_ours(self) -> Statistic:
        """Our score on any resample of the examples."""
        return score_on(self.metric, self.ours, self.golds)

    @cached_property
    def on_theirs(self) -> Statistic:
        """Their score on any resample of the examples."""
        return score_on(self.metric, self.theirs, self.golds)

    def difference(self, at: Sequence[int]) -> float:
        """Our score less theirs on the same resample."""
        return self.on_ours(at) - self.on_theirs(at)

    def compare(self) -> TaskGeneralization:
        """How the two do on this task."""
        size = len(self.golds)
        pairs = [(a.score, b.score) for a, b in zip(self.ours, self.theirs, strict=True)]
        wins, losses = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
        return TaskGeneralization(
            task=self.task,
            metric=self.metric,
            constrained=self.constrained,
            examples=size,
            majority=metrics.majority(self.golds, self.metric),
            ours=_side(self.ours, size, self.on_ours),
            theirs=_side(self.theirs, size, self.on_theirs),
            difference=paired_difference([(size, self.difference)]),
            wins=wins,
            ties=len(pairs) - wins - losses,
            losses=losses,
        )


@dataclass(frozen=True, slots=True)
class Overall:
    """The mean over tasks, each task weighing the same, with 95% intervals over examples."""

    ours: Difference
    theirs: Difference
    difference: Difference


def over_tasks(every: Sequence[Sides]) -> Overall:
    """Both sides and their difference as means over tasks."""
    return Overall(
        *(
            paired_difference([(len(sides.golds), getattr(sides, name)) for sides in every])
            for name in ("on_ours", "on_theirs", "difference")
        )
    )


def _side(found: Sequence[Evaluation], size: int, statistic: Statistic) -> Side:
    scores = [one.score for one in found]
    return Side(
        scores=scores,
        mean=paired_difference([(size, statistic)]),
        spread=stdev(scores) if len(scores) > 1 else 0.0,
        unparsed=sum(one.unparsed for one in found) / (size * len(found)),
    )
