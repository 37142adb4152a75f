"""What a model replied to an example and what came of it, as people see it: with the reply, which a score does not hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from ..domain.calls import Reply
from ..domain.results import Evaluation, Outcome
from ..store import calls, evaluations
from .controls import kind_of

GONE = Reply("", "gone", error="no such call in the store")
"""What stands for a reply that the store has no more."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One reply: `kind` is right, wrong, unparsed (no answer in the reply) or ungraded (no grade by the judge).

    `score` is in [0, 1], None where there is no grade. `steps` are what a program did before its reply, as JSON text;
    `finish` is why the reply ended, `error` what an endpoint said instead of one.
    """

    kind: str
    reply: str
    answer: str | None
    score: float | None
    explanation: str
    finish: str
    error: str
    steps: str


def answered(db: Database, outcomes: Sequence[Outcome]) -> list[Answered]:
    """Outcomes with their replies, in order."""
    replies = calls.find(db, [outcome.call for outcome in outcomes])
    return [_answered(outcome, reply or GONE) for outcome, reply in zip(outcomes, replies, strict=True)]


def by_base(db: Database, scored: Evaluation) -> list[tuple[str, Outcome]]:
    """The outcomes of an evaluation, each with the name of its base model where several answered and "" elsewhere."""
    every = evaluations.by_model(db, scored.id) or {"": scored}
    return [(base, outcome) for base, one in every.items() for outcome in one.outcomes]


def _answered(outcome: Outcome, reply: Reply) -> Answered:
    return Answered(
        kind=kind_of(outcome),
        reply=reply.text,
        answer=outcome.answer,
        score=outcome.score if outcome.graded else None,
        explanation=outcome.explanation,
        finish=reply.finish,
        error=reply.error,
        steps=reply.steps,
    )
