"""How each field of a task's answers did on the test examples, before and after: worked out from recorded answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from ..domain.results import Evaluation
from ..store import evaluations
from ..tasks.scores.fields import nearest
from ..tasks.scores.metric_spec import MetricSpec


@dataclass(frozen=True, slots=True)
class FieldReport:
    """The mean score of one field in [0, 1], with the seed prompts and with those that the run ended with.

    `examples` have it in their gold answer. What could not be read scores 0 in every field.
    """

    field: str
    examples: int
    before: float
    after: float


def field_reports(db: Database, task: str, before: Evaluation, after: Evaluation) -> list[FieldReport]:
    """The fields of a task's answers in the order in which they are compared; none where its metric looks at no fields."""
    name, spec = evaluations.task_metric(db, task)
    if name != "fields":
        return []
    metric = MetricSpec.model_validate(spec["metric"])
    accepted = evaluations.accepted_answers(db, task)
    first, last = (_scores(metric, one, accepted) for one in (before, after))
    return [FieldReport(field, len(last[field]), _mean(first.get(field, {})), _mean(last[field])) for field in last]


def _scores(metric: MetricSpec, found: Evaluation, accepted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, list[float]]]:
    """By field and example the scores of all base models' answers."""
    scores: dict[str, dict[str, list[float]]] = {}
    for one in found.counted:
        for outcome in one.outcomes:
            for part in nearest(metric.fields, outcome.answer, accepted[outcome.example]):
                scores.setdefault(part.field, {}).setdefault(outcome.example, []).append(part.score)
    return scores


def _mean(scores: Mapping[str, Sequence[float]]) -> float:
    every = [score for of_example in scores.values() for score in of_example]
    return sum(every) / len(every) if every else 0.0
