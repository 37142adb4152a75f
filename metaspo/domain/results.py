"""How an answer was judged, one example at a time and over a split."""

from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a task: the question as text and the accepted gold answers, best first."""

    id: str
    question: str
    answers: tuple[str, ...]

    @property
    def answer(self) -> str:
        """The gold answer, the first one where several are accepted."""
        return self.answers[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example: the parsed answer (None = unparsed) and a score in [0, 1]."""

    example: str
    call: str
    answer: str | None
    score: float
    failed: bool
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A (system prompt, user prompt) pair scored on one split of one task, or on a part that is not `whole`.

    Outcomes are in split order.
    """

    id: str
    task: str
    system: str
    user: str
    split: Split
    score: float
    outcomes: tuple[Outcome, ...]
    whole: bool = True

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that count as wrong."""
        return tuple(outcome for outcome in self.outcomes if outcome.failed)

    @property
    def unparsed(self) -> int:
        """How many replies held no readable answer."""
        return sum(outcome.answer is None for outcome in self.outcomes)
