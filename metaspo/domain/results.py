"""How an answer was judged, one example at a time and over a split."""

import hashlib
import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Literal

from .messages import Message, as_data, text_of

Split = Literal["train", "validation", "test"]

Counting = Literal["mean", "worst"]
"""What counts of a pair's scores on several models."""

UNGRADED = "the judge gave no grade"
"""The explanation of an outcome whose answer got no grade: that is not the same as a bad one."""

UNSCORED = "the metric gave no score"
"""The same where a person's own metric grades."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a task: the question as text and the accepted gold answers, best first; none where the metric needs none.

    `row` is the whole row as canonical JSON where the task's metric looks at it, and empty elsewhere. `messages` are those
    of a question that is more than one text, a conversation or one that shows images: the question is how these read.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    row: str = ""
    messages: tuple[Message, ...] = ()

    @property
    def answer(self) -> str:
        """The gold answer, the first one where several are accepted, empty where there is none."""
        return self.answers[0] if self.answers else ""

    @property
    def last_turn(self) -> str:
        """What the user said last: of a conversation its last user turn, of any other question all of it."""
        said = [text_of(content) for role, content in self.messages if role == "user"]
        return said[-1] if said else self.question


def example_id(question: str, answers: Sequence[str], messages: Sequence[Message] = (), row: str = "") -> str:
    """The name of an example: a fingerprint of all that a score can depend on, in 16 hexadecimal digits."""
    told = [json.dumps([*map(as_data, messages)], sort_keys=True, ensure_ascii=False)] if messages else []
    looked_at = ["", row] if row else []  # No answer is empty: what follows an empty one is the row.
    return hashlib.sha256("\0".join([question, *answers, *told, *looked_at]).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one example: the parsed answer (None = unparsed) and a score in [0, 1].

    One that is not `graded` has no score: its 0 stands for none, and no mean counts it.
    """

    example: str
    call: str
    answer: str | None
    score: float
    failed: bool
    explanation: str = ""

    @property
    def graded(self) -> bool:
        """Whether there is a score: the judge of an answer, or a person's own metric, may have given none."""
        return not self.explanation.startswith((UNGRADED, UNSCORED))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A (system prompt, user prompt) pair scored on one split of one task, or on a part that is not `whole`.

    Outcomes are in split order. One that combines a pair's evaluations on several models has these as `parts`, and in
    `counting` how.
    """

    id: str
    task: str
    system: str
    user: str
    split: Split
    score: float
    outcomes: tuple[Outcome, ...]
    whole: bool = True
    parts: "tuple[Evaluation, ...]" = ()
    counting: Counting | None = None

    @property
    def counted(self) -> "tuple[Evaluation, ...]":
        """The evaluations whose mean score is this one's: its parts where that is how they count, itself elsewhere."""
        return self.parts if self.counting == "mean" else (self,)

    def on(self, examples: Set[str]) -> "Evaluation":
        """The same with the outcomes on these examples alone; its score stays."""
        kept = tuple(outcome for outcome in self.outcomes if outcome.example in examples)
        return replace(self, outcomes=kept, parts=tuple(part.on(examples) for part in self.parts))

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The outcomes that count as wrong."""
        return tuple(outcome for outcome in self.outcomes if outcome.failed)

    @property
    def unparsed(self) -> int:
        """How many replies held no readable answer."""
        return sum(outcome.answer is None for outcome in self.outcomes)

    @property
    def ungraded(self) -> int:
        """How many answers the judge, or a person's own metric, gave no grade."""
        return sum(not outcome.graded for outcome in self.outcomes)


def graded_together(*found: Evaluation) -> list[Evaluation]:
    """Evaluations of the same examples, in one order, less the examples that any of them has no grade for."""
    without = {outcome.example for one in found for outcome in one.outcomes if not outcome.graded}
    if not without:
        return [*found]
    kept = {outcome.example for outcome in found[0].outcomes} - without
    return [one.on(kept) for one in found]
