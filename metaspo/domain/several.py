"""One pair of prompts scored on several models: what of their evaluations counts, as an evaluation of its own."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .results import Counting, Evaluation, Outcome


@dataclass(frozen=True, slots=True)
class Combination:
    """Which evaluations one is made of: `counting` says how, `parts` holds the name of each model and the evaluation on it."""

    counting: Counting
    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """The text form, which stands where an evaluation on one model has that model's name."""
        return json.dumps({self.counting: self.parts}, ensure_ascii=False)


def combination(text: str) -> Combination | None:
    """The combination that a text form is of; None for the name of a model."""
    if not text.startswith("{"):
        return None
    [(counting, parts)] = json.loads(text).items()
    return Combination(counting, tuple((name, id) for name, id in parts))


def combined_id(counting: Counting, ids: Sequence[str]) -> str:
    """The content address of what is made of evaluations, by their ids."""
    return hashlib.sha256(json.dumps([counting, *ids]).encode()).hexdigest()[:24]


def combined(id: str, counting: Counting, parts: Sequence[Evaluation]) -> Evaluation:
    """What counts of a pair's evaluations on several models, which are of the same examples in the same order.

    The worst is that with the lowest score. The mean has the mean of their scores, and an example the mean of those that it
    got; its answer is that of the model that did worst, so that a failure that somebody is shown was a real one.
    """
    if counting == "worst":
        return replace(min(parts, key=lambda one: one.score), id=id, parts=tuple(parts), counting=counting)
    outcomes = tuple(map(_mean, zip(*(one.outcomes for one in parts), strict=True)))
    score = sum(one.score for one in parts) / len(parts)
    return replace(parts[0], id=id, score=score, outcomes=outcomes, parts=tuple(parts), counting=counting)


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    graded = [outcome for outcome in outcomes if outcome.graded]
    if not graded:
        return outcomes[0]
    worst = min(graded, key=lambda outcome: (outcome.score, outcome.answer is not None))
    score = sum(outcome.score for outcome in graded) / len(graded)
    return replace(worst, score=score, failed=any(outcome.failed for outcome in graded))
