"""Two scores of one task on the same examples, and how sure their difference is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import stdev

from sqlite_utils import Database

from ...domain.intervals import Difference, Statistic, paired_difference
from ...domain.results import Evaluation, graded_together
from ...domain.significance import Change, Exchange, change, paired_test
from ...store import evaluations
from ..majority import majority_score
from . import metrics
from .exchange import exchange_of


@dataclass(frozen=True, slots=True)
class PromptScores:
    """One system prompt on one task: scores in [0, 1], one for each user prompt.

    `mean` comes with its 95% bootstrap interval over examples; `spread` is the standard deviation
    over user prompts; `unparsed` the share of replies without a readable answer.
    """

    scores: list[float]
    mean: Difference
    spread: float
    unparsed: float


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Two system prompts on one task, with the same user prompts and examples.

    `wins`, `ties` and `losses` of the candidate count user prompts; `win_rate` counts a tie as half a
    win. `majority` is the score of the best constant answer, None where nobody can tell.
    """

    task: str
    metric: str
    constrained: bool
    examples: int
    majority: float | None
    candidate: PromptScores
    baseline: PromptScores
    difference: Difference
    wins: int
    ties: int
    losses: int

    @property
    def win_rate(self) -> float:
        """The share of user prompts under which the candidate does better, ties counted half."""
        return (self.wins + self.ties / 2) / (self.wins + self.ties + self.losses)


def score_on(metric: str, found: Sequence[Evaluation], golds: Sequence[str]) -> Statistic:
    """The mean score of evaluations of the same examples on any resample of these; `golds` in their order."""
    if metric == "macro_f1":
        counted = [part for e in found for part in e.counted]
        pairs = [[(o.answer, gold) for o, gold in zip(e.outcomes, golds, strict=True)] for e in counted]
        return lambda at: sum(metrics.macro_f1_of_pairs(Counter(map(own.__getitem__, at))) for own in pairs) / len(pairs)
    # The mean over evaluations of a mean over examples is the mean of each example's own mean.
    each = [sum(e.outcomes[i].score for e in found) / len(found) for i in range(len(golds))]
    return lambda at: sum(map(each.__getitem__, at)) / (len(at) or 1)


@dataclass(frozen=True)
class Paired:
    """One task scored with a candidate and with a baseline, on the same examples: `golds` in their order.

    Several evaluations of each are those of several user prompts, in the same order; their mean counts.
    `majority` is the score of the best constant answer, None where nobody can tell.
    """

    task: str
    metric: str
    constrained: bool
    golds: Sequence[str]
    candidate: Sequence[Evaluation]
    baseline: Sequence[Evaluation]
    majority: float | None = None

    @property
    def examples(self) -> int:
        """How many examples both were scored on."""
        return len(self.golds)

    @cached_property
    def candidate_on(self) -> Statistic:
        """The candidate's score on any resample of the examples."""
        return score_on(self.metric, self.candidate, self.golds)

    @cached_property
    def baseline_on(self) -> Statistic:
        """The baseline's score on any resample of the examples."""
        return score_on(self.metric, self.baseline, self.golds)

    def difference_on(self, at: Sequence[int]) -> float:
        """The candidate's score less the baseline's on the same resample."""
        return self.candidate_on(at) - self.baseline_on(at)

    @cached_property
    def difference(self) -> Difference:
        """The candidate's score less the baseline's, with its interval."""
        return paired_difference([(self.examples, self.difference_on)])

    @cached_property
    def exchange(self) -> Exchange:
        """What a paired test exchanges."""
        return exchange_of(self.metric, self.candidate, self.baseline, self.golds)

    def compare(self) -> TaskComparison:
        """How the two do on this task."""
        pairs = [(a.score, b.score) for a, b in zip(self.candidate, self.baseline, strict=True)]
        wins, losses = sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)
        return TaskComparison(
            task=self.task,
            metric=self.metric,
            constrained=self.constrained,
            examples=self.examples,
            majority=self.majority,
            candidate=_scores(self.candidate, self.examples, self.candidate_on),
            baseline=_scores(self.baseline, self.examples, self.baseline_on),
            difference=self.difference,
            wins=wins,
            ties=len(pairs) - wins - losses,
            losses=losses,
        )


def read_paired(
    db: Database, task: evaluations.RunTask, candidate: Sequence[Evaluation], baseline: Sequence[Evaluation]
) -> Paired:
    """A candidate and a baseline on a task of a run, on what all of them have a score for, with what the store says of it."""
    both = graded_together(*candidate, *baseline)
    candidate, baseline = both[: len(candidate)], both[len(candidate) :]
    accepted = evaluations.accepted_answers(db, task.task)
    metric, spec = evaluations.task_metric(db, task.task)
    order = {outcome.example: accepted[outcome.example] for outcome in baseline[0].outcomes}
    golds = [answers[0] if answers else "" for answers in order.values()]
    majority = majority_score(db, task, spec, order)
    return Paired(task.name, metric, bool(spec.get("constrain")), golds, candidate, baseline, majority)


@dataclass(frozen=True, slots=True)
class Overall:
    """The mean over tasks, each task weighing the same, with 95% intervals over examples, and a test of the difference."""

    candidate: Difference
    baseline: Difference
    difference: Change


def over_tasks(every: Sequence[Paired]) -> Overall:
    """Both scores and their difference as means over tasks."""
    return Overall(
        paired_difference([(one.examples, one.candidate_on) for one in every]),
        paired_difference([(one.examples, one.baseline_on) for one in every]),
        mean_change(every),
    )


def mean_difference(every: Sequence[Paired]) -> Difference:
    """The mean over tasks of the differences, with its interval."""
    return paired_difference([(one.examples, one.difference_on) for one in every])


def mean_change(every: Sequence[Paired]) -> Change:
    """The same with a paired test, which alone says whether it is real."""
    return change(mean_difference(every), paired_test([one.exchange for one in every]))


def _scores(found: Sequence[Evaluation], size: int, statistic: Statistic) -> PromptScores:
    scores = [one.score for one in found]
    return PromptScores(
        scores=scores,
        mean=paired_difference([(size, statistic)]),
        spread=stdev(scores) if len(scores) > 1 else 0.0,
        unparsed=sum(one.unparsed for one in found) / (size * len(found)),
    )
