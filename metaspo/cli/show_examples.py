"""How single examples look in a terminal: what was asked and answered, what was read from it, and how it scored."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from ..domain.excerpts import head_and_tail
from ..domain.messages import text_of
from ..domain.steps import in_words
from ..tasks.scores.judge import reasons
from .screen import console, panel, plain

if TYPE_CHECKING:
    from ..reports.failures import RunFailures
    from ..runs.trial import Trial

LONGEST = 3000
"""Characters of a message or a reply that are shown."""


def show_trial(trial: "Trial") -> None:
    """Every example of a trial, and a line of sums."""
    several = len({one.base for one in trial.tried}) > 1
    if any(one.split == "test" for one in trial.tried):
        console.print(plain(f"{trial.task} has test examples alone: those below are some of what a run tests."))
    for at, one in enumerate(trial.tried, 1):
        by = f", {one.base}" if several else ""
        console.print(
            plain(f"{trial.task}: example {at} of {len(trial.tried)}, {one.split} {one.example.id}{by}", style="bold")
        )
        for role, content in one.messages:
            console.print(panel(shortened(text_of(content)), role))
        show_reply(one.reply.text, one.reply.finish, one.reply.error, one.reply.steps)
        score = one.outcome.score if one.outcome.graded else None
        how = "ungraded" if score is None else "wrong" if one.outcome.failed else "right"
        console.print(came_to(one.outcome.answer, one.example.answers, score, how, one.outcome.explanation))
    for note in trial.notes:
        console.print(plain(f"note: {note}"))
    usage = trial.usage
    known = f" and {usage.cached} known already" if usage.cached else ""
    about = "about " if usage.estimated else ""
    console.print(
        plain(
            f"{trial.task}: {len(trial.tried)} tried, {trial.read} read, {trial.right} right; {usage.total_calls} calls paid"
            f"{known}, {about}{usage.input_tokens:,} tokens in and {usage.output_tokens:,} out, cost {usage.cost_says}, "
            f"{trial.seconds:.1f} s"
        )
    )


def show_reply(text: str, finish: str, error: str, steps: str) -> None:
    """A reply with what a program did before it, and how it ended where that was not of itself."""
    if steps:
        console.print(panel(shortened(in_words(steps)), "steps"))
    said = text or (f"(none: {error})" if error else "(empty)")
    console.print(panel(shortened(said), "reply" if finish == "stop" else f"reply, ended by {finish}"))


def came_to(answer: str | None, expected: Sequence[str], score: float | None, how: str, explanation: str) -> RenderableType:
    """What was read from a reply, what was expected, and the score with the words about it."""
    read = f"answer: {shortened(answer)}" if answer is not None else f"unparsed: {explanation}"
    gold = shortened(" or ".join(expected)) if expected else "(none given)"
    scored = how if score is None else f"score {100 * score:g}, {how}"
    said = reasons(explanation)
    words = f": {shortened(said)}" if said and answer is not None else ""
    return plain(f"{read}\nexpected: {gold}\n{scored}{words}", style="" if how == "right" else "red")


def show_failures(found: "RunFailures") -> None:
    """What a run still gets wrong, task by task."""
    for task in found.tasks:
        of = "test examples" if task.split == "test" else f"{task.split} examples, which selected: there was no test"
        missed = task.wrong + task.unparsed + task.ungraded
        said = f"{task.task}: {missed} of {task.examples} {of}: {task.wrong} wrong, {task.unparsed} unparsed"
        console.print(plain(f"{said}, {task.ungraded} ungraded", style="bold"))
        for one in task.failures:
            by = f", {one.base}" if one.base else ""
            console.print(panel(shortened(one.question), f"question {one.example}{by}"))
            show_reply(one.reply, one.finish, one.error, one.steps)
            console.print(came_to(one.answer, one.expected, one.score, one.kind, one.explanation))
        if missed > len(task.failures):
            console.print(plain(f"... and {missed - len(task.failures)} more of {task.task}; --limit 0 shows all"))
    if found.without:
        console.print(plain(f"Not scored with the prompts that the run ended with: {', '.join(found.without)}."))


def shortened(text: Any) -> str:
    """A text as it is shown, with its beginning and its end where it is long."""
    return head_and_tail(text if isinstance(text, str) else str(text), LONGEST)
