"""Whether a run gets any answers at all: one whose first replies hold none is stopped before it has paid for more."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from ..domain.calls import Reply
from ..domain.errors import NoAnswersError
from ..models.spec import ModelSpec

FIRST = 16
"""Replies without an answer, or answers without a grade, after which a run that has had none stops."""

CAUSES = {
    "length": "cut off before an answer: set {length} (now {tokens}) higher, or a lower reasoning_effort",
    "context_length": "too long for the model's context: serve it with more context, or shorten the prompts and questions",
    "content_filter": "held back by the endpoint's content filter",
    "tool": "calls of tools instead of answers: take the tools away from the model, or name another one",
    "refused": "refused by the endpoint",
    "failed": "failures of the endpoint",
    "empty": "empty: see that {length} (now {tokens}) leaves room after the reasoning, and that the server knows the model's "
    "chat template",
}


def without_answer(reply: Reply) -> str | None:
    """Why a reply holds nothing that could have been an answer, as one of `CAUSES`; None where it holds something."""
    if "tool" in reply.finish or "function" in reply.finish:
        return "tool"
    if reply.finish in CAUSES:
        return reply.finish
    return None if reply.said.strip() else "empty"


@dataclass
class FirstReplies:
    """What the base model's replies and the judges' grades of one session came to, until the first good one of each.

    `before` says that an earlier session of the run had answers: then prompts are to blame, not settings. `graded` and
    `ungraded` are by who grades, "judge" or "metric". `seen` are the evaluations that are counted.
    """

    before: bool = False
    causes: Counter[str] = field(default_factory=Counter)
    sample: str = ""
    answered: bool = False
    graded: set[str] = field(default_factory=set)
    ungraded: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seen: set[str] = field(default_factory=set)

    def reply(self, reply: Reply, answer: str | None) -> None:
        """Count a reply with what was read from it."""
        cause = without_answer(reply)
        if answer is not None or cause is None:
            self.answered = True
        elif not self.answered:
            self.causes[cause] += 1
            self.sample = reply.text or self.sample

    def grade(self, grade: float | None, said: str, by: str = "judge") -> None:
        """Count what a judge, or a person's own metric, said of an answer."""
        if grade is not None:
            self.graded.add(by)
        elif by not in self.graded:
            self.ungraded[by].append(said)

    def trouble(self, spec: ModelSpec, tokens: int, *, at_the_end: bool = False) -> NoAnswersError | None:
        """Why the run should stop: all of its first replies held no answer, or no answer got a grade."""
        count, fewest = self.causes.total(), 1 if at_the_end else FIRST
        if not self.answered and not self.before and count >= fewest:
            [(cause, most)] = self.causes.most_common(1)
            said = f": {self.sample[:200]!r}" if self.sample.strip() else ""
            length = "max_completion_tokens" if spec.max_completion_tokens else "max_tokens"
            whole = "all" if most == count else f"{most} of them"
            return NoAnswersError(
                f"{spec.label}: none of the first {count} replies holds an answer; "
                f"{whole} {CAUSES[cause].format(length=length, tokens=tokens)}{said}"
            )
        return None if self.before else next(filter(None, (self._no_grades(by, fewest) for by in self.ungraded)), None)

    def _no_grades(self, by: str, fewest: int) -> NoAnswersError | None:
        ungraded = self.ungraded[by]
        if by in self.graded or len(ungraded) < fewest:
            return None
        if by == "metric":
            return NoAnswersError(
                f"the metric gave none of the first {len(ungraded)} answers a score; it returned None for them; return one "
                f"from 0 to 1 where there is one ({ungraded[0][:200]!r})"
            )
        return NoAnswersError(
            f"the judge gave none of the first {len(ungraded)} answers a grade; it said, such as: {ungraded[0][:200]!r}; it is "
            "to end with <grade>N</grade>, N from 1 to 5: try another judge or rubric, or more max_tokens for it"
        )
