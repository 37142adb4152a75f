"""System prompts and user prompts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .messages import Message, text_of, wrapped

QUESTION = "{question}"
"""What a user prompt holds exactly once: the place of the question."""

Level = Literal["user", "system"]
"""The inner loop optimizes user prompts, the outer loop the system prompt (paper, section 3)."""

RoundLevel = Literal["seed", "branch", "user", "system", "confirm", "test"]
"""What a round is for: scoring the first prompts or those that a branch carries over, one of the levels, meeting the seeds on
validation, or the final test."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A system or a user prompt; two prompts with the same text are the same prompt."""

    kind: Level
    text: str

    @property
    def id(self) -> str:
        """16 hexadecimal digits of the sha256 of kind and text."""
        return hashlib.sha256(f"{self.kind}\0{self.text}".encode()).hexdigest()[:16]


def fill(user_prompt: str, question: str) -> str:
    """Put a question in its place, in a single pass: braces in either text are content.

    `user_prompt` holds `{question}` once; everything else is left as it is.
    """
    head, _, tail = user_prompt.partition(QUESTION)
    return f"{head}{question}{tail}"


def asked(system: str, user_prompt: str, messages: Sequence[Message]) -> tuple[Message, ...]:
    """A conversation put to a model: the system prompt leads, and the user prompt goes around the last user turn.

    What the conversation says to the system itself follows the prompt in the one system message: many endpoints take no
    second one, and none elsewhere.
    """
    head, _, tail = user_prompt.partition(QUESTION)
    told = [text for text in (system, *(text_of(content) for role, content in messages if role == "system")) if text]
    turns = [(role, content) for role, content in messages if role != "system"]
    last = max(at for at, (role, _) in enumerate(turns) if role == "user")
    turns[last] = "user", wrapped(head, turns[last][1], tail)
    return (*([("system", "\n\n".join(told))] if told else []), *turns)


def with_answer_format(user_prompt: str, answer_format: str) -> str:
    """A user prompt with the answer format added where it is missing.

    A question that ends the prompt, on a line of its own, still ends it: endpoints keep in a cache
    what the requests before one began with, and they all differ from the question on.
    """
    if answer_format in user_prompt:
        return user_prompt
    text = user_prompt.rstrip()
    head = text.removesuffix(f"\n{QUESTION}")
    if head == text or not head.strip():
        return f"{text}\n\n{answer_format}"
    return f"{head.rstrip()}\n\n{answer_format}\n\n{QUESTION}"


def complaint_about_user_prompt(text: str, answer_format: str) -> str | None:
    """What keeps `text` from being a user prompt, or None.

    It must hold `{question}` exactly once and, word for word, the task's answer format.
    """
    count = text.count(QUESTION)
    if count != 1:
        return f"holds {QUESTION} {count} times, not exactly once"
    if answer_format and answer_format not in text:
        return f"does not hold the answer format {answer_format!r}"
    if not text.replace(QUESTION, "").replace(answer_format, "").strip():
        return "holds no instruction beside the question and the answer format"
    return None
