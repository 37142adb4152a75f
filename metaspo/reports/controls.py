"""What a task's scores stand beside: what its replies were, how long prompts and replies are, where the format alone gets."""

from collections import Counter
from dataclasses import dataclass, field

from ..domain.excerpts import excerpt, head_and_tail
from ..domain.intervals import Difference
from ..domain.results import Evaluation, Outcome
from ..store import calls, evaluations, prompts
from ..store.evaluations import RunTask
from ..tasks.scores.judge import reasons
from ..tasks.scores.paired import Paired, read_paired
from .field_means import FieldReport, field_reports
from .pairs import Pair, RunPairs

SAMPLE = 3
"""Replies that could not be read of which a report shows the beginning, and words about wrong answers that it shows."""

LONGEST = 300
"""Characters that are shown of such words."""


@dataclass(frozen=True, slots=True)
class Replies:
    """What one pair of prompts brought on a task's test examples.

    The first four are shares in [0, 1] that add up to 1: answers that are right, wrong, could not be read,
    or got no grade from a judge. Lengths are in characters, tokens the mean of a base model's call;
    `estimated` where the endpoint told them not for every call.
    """

    right: float
    wrong: float
    unparsed: float
    ungraded: float
    system_length: int
    user_length: int
    input_tokens: float
    output_tokens: float
    estimated: bool


@dataclass(frozen=True, slots=True)
class ModelScores:
    """One base model's test scores on a task, with the seed prompts and with those that the run ended with; in [0, 1]."""

    model: str
    before: float
    after: float
    difference: Difference


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task's test scores with the seed prompts and with the prompts that the run ended with; all in [0, 1].

    `written` is the score of the seeds without the answer format that was added to them, so that
    `before` is what the format alone brings; None where none was added, or where that was not scored.
    `majority` is what the best constant answer scores (metaspo/tasks/scores/constant.py), None where nobody can tell,
    as where a judge grades. `unread` holds beginnings of replies that could not be read, `said` what a judge or a
    person's own metric said of answers that are wrong. `models` are the same scores by base model, where several
    answered; `fields` those of each field, where answers are scored by field.
    """

    name: str
    role: evaluations.Role
    metric: str
    constrained: bool
    examples: int
    written: float | None
    before: float
    after: float
    difference: Difference
    majority: float | None
    unparsed_before: float
    unparsed_after: float
    replies_before: Replies
    replies_after: Replies
    unread: list[str]
    models: list[ModelScores]
    fields: list[FieldReport] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Splits:
    """The prompts found, by split: means over source tasks in [0, 1], None where they were not scored."""

    train: float | None
    validation: float | None
    test: float | None


@dataclass(frozen=True, slots=True)
class WorstTask:
    """The source task that lost most on the selecting examples, or gained least; `change` in [-1, 1] is against the seeds."""

    task: str
    change: float


def tested(pairs: RunPairs) -> dict[str, Paired]:
    """The tasks whose seed pair and last pair were both scored on the test split, by name."""
    found = {}
    for task in pairs.tasks:
        before, after = (pairs.evaluation(task, "test", side[task.name]) for side in (pairs.seeds, pairs.ended))
        if before and after:
            found[task.name] = read_paired(pairs.db, task, [after], [before])
    return found


def task_report(pairs: RunPairs, task: RunTask, paired: Paired) -> TaskReport:
    """A task's scores and controls."""
    before, after = (pairs.evaluation(task, "test", side[task.name]) for side in (pairs.seeds, pairs.ended))
    assert before is not None and after is not None
    first, last = (_replies(pairs, side, at[task.name]) for side, at in ((before, pairs.seeds), (after, pairs.ended)))
    return TaskReport(
        name=task.name,
        role=task.role,
        metric=paired.metric,
        constrained=paired.constrained,
        examples=paired.examples,
        written=pairs.as_written(task),
        before=before.score,
        after=after.score,
        difference=paired.difference,
        majority=paired.majority,
        unparsed_before=first.unparsed,
        unparsed_after=last.unparsed,
        replies_before=first,
        replies_after=last,
        unread=_unread(pairs, after),
        models=_by_model(pairs, task, before, after),
        said=_said(after),
        fields=field_reports(pairs.db, task.task, before, after),
    )


def by_split(pairs: RunPairs) -> Splits:
    """How the prompts found did on each split: a score that falls from train to test was partly luck."""
    return Splits(pairs.mean("train", pairs.found), pairs.mean("validation", pairs.found), pairs.mean("test", pairs.found))


def worst_task(pairs: RunPairs) -> WorstTask | None:
    """The task that the prompts found serve worst, as `worst_drop` sees it; None where it is not on record."""
    changes = []
    for task in pairs.sources:
        after, before = (pairs.score(task, pairs.selecting, side[task.name]) for side in (pairs.found, pairs.seeds))
        if after is None or before is None:
            return None
        changes.append(WorstTask(task.name, after - before))
    return min(changes, key=lambda one: one.change, default=None)


def kind_of(outcome: Outcome) -> str:
    """What became of an example: "right", "wrong", "unparsed" or "ungraded"."""
    if outcome.answer is None:
        return "unparsed"
    if not outcome.graded:
        return "ungraded"
    return "wrong" if outcome.failed else "right"


def _replies(pairs: RunPairs, found: Evaluation, pair: Pair) -> Replies:
    outcomes = [outcome for one in found.counted for outcome in one.outcomes]
    count, size = Counter(map(kind_of, outcomes)), len(outcomes) or 1
    texts = prompts.prompt_texts(pairs.db, [pair.system, pair.user])
    made = [reply for reply in calls.find(pairs.db, [outcome.call for outcome in outcomes]) if reply]
    return Replies(
        right=count["right"] / size,
        wrong=count["wrong"] / size,
        unparsed=count["unparsed"] / size,
        ungraded=count["ungraded"] / size,
        system_length=len(texts[pair.system]),
        user_length=len(texts[pair.user]),
        input_tokens=sum(reply.input_tokens for reply in made) / (len(made) or 1),
        output_tokens=sum(reply.output_tokens for reply in made) / (len(made) or 1),
        estimated=any(reply.estimated for reply in made),
    )


def _by_model(pairs: RunPairs, task: RunTask, before: Evaluation, after: Evaluation) -> list[ModelScores]:
    """Both scores on each base model that gave both, less the examples that any has no grade for; none where one answered."""
    first, last = (evaluations.by_model(pairs.db, one.id) for one in (before, after))
    found = []
    for model in (model for model in last if model in first):
        paired = read_paired(pairs.db, task, [last[model]], [first[model]])
        found.append(ModelScores(model, first[model].score, last[model].score, paired.difference))
    return found


def _said(found: Evaluation) -> list[str]:
    wrong = [outcome for one in found.counted for outcome in one.outcomes if kind_of(outcome) == "wrong"]
    said = [head_and_tail(reasons(outcome.explanation), LONGEST) for outcome in wrong]
    return [text for text in dict.fromkeys(said) if text][:SAMPLE]


def _unread(pairs: RunPairs, found: Evaluation) -> list[str]:
    keys = [outcome.call for one in found.counted for outcome in one.outcomes if outcome.answer is None]
    return [excerpt(reply.text or reply.error) for reply in calls.find(pairs.db, keys[:SAMPLE]) if reply]
