"""Demonstrations: solved training examples as they stand in a user prompt, and how they are found there again."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from ..domain.errors import TaskError
from ..domain.prompts import QUESTION
from ..domain.results import Example
from .task import Task

HEAD, TAIL = "Solved examples:\n\n", "Solve this one in the same way:\n\n"
"""What stands before and after the demonstrations in a user prompt."""

ANSWER = "\nAnswer: "

FORMS = ("{}", "<answer>{}</answer>", "Answer: {}", "The answer is {}.", "#### {}", "\\boxed{{{}}}")
"""How an answer may have to be written for a task's reader to find it."""


def demonstration(task: Task, example: Example) -> str | None:
    """A solved example as it stands in a user prompt, or None for one that cannot stand there, as a conversation cannot."""
    text = None if example.messages else _solved(task, example)
    # A prompt has one place for the question, and this would be another.
    return None if text is None or QUESTION in text else text


def _solved(task: Task, example: Example) -> str | None:
    if not example.answers:
        return None
    forms = sorted(FORMS, key=lambda form: form != FORMS[1]) if task.spec.reader.source == "tag" else FORMS
    for form in forms:
        answer = form.format(example.answer)
        with suppress(TaskError):
            if task.read(answer) == example.answer:
                return f"{_asked(example)}{answer}"
    return None


def _asked(example: Example) -> str:
    return f"Question: {example.question}{ANSWER}"


def block(task: Task, examples: Sequence[Example]) -> str:
    """Demonstrations as they stand in a user prompt, from the first line to the empty one after the last; "" for none."""
    found = "".join(_paragraphs(task, examples))
    return f"{HEAD}{found}{TAIL}" if found else ""


def _paragraphs(task: Task, examples: Iterable[Example]) -> list[str]:
    return [f"{text}\n\n" for example in examples if (text := demonstration(task, example))]


def carrying(instructions: str, block: str) -> str:
    """A user prompt with demonstrations, on lines of their own before the one that holds the question."""
    head, found, tail = instructions.partition(QUESTION)
    if not block or not found:
        return instructions
    before, line, same = head.rpartition("\n")
    return f"{before}{line}{block}{same}{found}{tail}"


def apart(task: Task, user_prompt: str) -> tuple[str, str]:
    """A user prompt without its demonstrations, and these as they stood there; "" where it carries none.

    They are told by their whole text, so that nothing in a question can end them too early.
    """
    start = user_prompt.find(HEAD)
    while start >= 0:
        end = _end(task, user_prompt, start + len(HEAD))
        if end is not None:
            return user_prompt[:start] + user_prompt[end:], user_prompt[start:end]
        start = user_prompt.find(HEAD, start + 1)
    return user_prompt, ""


def _end(task: Task, text: str, at: int) -> int | None:
    """Where the demonstrations end that begin at a place of a text, or None where there are none."""
    known = (example for example in task.examples.values() if _asked(example) in text)
    # The longest first: one may begin as another one reads.
    solved, first = sorted(_paragraphs(task, known), key=len, reverse=True), at
    while one := next((one for one in solved if text.startswith(one, at)), None):
        at += len(one)
    return at + len(TAIL) if at > first and text.startswith(TAIL, at) else None


def carried(task: Task, user_prompt: str) -> frozenset[str]:
    """The examples of a task, by id, whose question stands in a user prompt as a demonstration.

    They must not count where the prompt is judged: their answers are given away. A branch may have drawn one for
    another split than its parent did, so that all splits are looked at.
    """
    if ANSWER not in user_prompt:
        return frozenset()
    return frozenset(example.id for example in task.examples.values() if _asked(example) in user_prompt)
