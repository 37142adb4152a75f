"""Functions in the place of models, for tests and for trying things out without any model."""

import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from ..domain.calls import Reply, Request
from ..domain.errors import ModelError
from ..domain.messages import text_of
from .faults import fault_of_program
from .spec import ModelSpec, code_identity, imported

Script = Callable[[Request], "str | Reply | Awaitable[str | Reply]"]
"""What answers a request: text, or a whole reply. May be async and may raise a Fault."""


class Scripted:
    """A model whose replies a function writes; words are counted as tokens."""

    def __init__(self, spec: ModelSpec) -> None:
        """Find the function that `spec` names: "dice", "novice", or package.module:function."""
        self.identity: dict[str, Any] = {"script": spec.name}
        self._script = BUILT_IN.get(spec.name) or _load(spec)
        if spec.name not in BUILT_IN:
            self.identity |= code_identity(spec)

    async def ready(self) -> None:
        """There is nothing to start."""

    async def complete(self, request: Request) -> Reply:
        """Ask the function; see `Backend`."""
        try:
            answer = self._script(request)
            said = await answer if inspect.isawaitable(answer) else answer
        except Exception as error:
            raise fault_of_program(error) from error
        if isinstance(said, Reply):
            return said
        read = sum(len(text_of(content).split()) for _, content in request.messages)
        return Reply(said, input_tokens=read, output_tokens=len(said.split()))

    async def close(self) -> None:
        """Nothing to close."""


def _load(spec: ModelSpec) -> Script:
    if ":" not in spec.name:
        raise ModelError(f"{spec.label}: write scripted:dice, scripted:novice or scripted:package.module:function")
    script = imported(spec)
    if not callable(script):
        raise ModelError(f"{spec.label} is not a function")
    return script  # type: ignore[no-any-return]


def dice(request: Request) -> str:
    """A model without any sense that can play both roles, the same way every time.

    As base model it throws a die among the allowed answers, weighted by the system prompt, so that
    prompts differ in quality. As optimizer it writes a numbered prompt.
    """
    text = "\n".join(text_of(content) for _, content in request.messages)
    throw = Random(hashlib.sha256(f"{text}\0{request.sample}".encode()).digest())
    if "<prompt>" in text:
        end = " {question}" if "{question}" in text else ""
        return f"<prompt>Take your time, step {throw.randrange(10**6)}.{end}</prompt>"
    return throw.choice(request.choices) if request.choices else f"<answer>{throw.randrange(10)}</answer>"


VIRTUES = (
    (r"\bcheck", "Check your answer once more before you give it."),
    (r"\bcare|attenti|conscientious|closely|correctly", "Read every word with care."),
)
"""What a novice has to be told, each with a sentence that does."""


def novice(request: Request) -> str:
    """A model that knows odd numbers from even ones and has to be told to take care: what its prompts say decides its score.

    As base model it answers yes or no to questions such as "Is 7 odd?". It is wrong about as often as a coin where nothing
    is asked of it, and less with each of the two things that its prompts may ask for, see `VIRTUES`. As optimizer it writes
    a prompt that asks for one or both of these.
    """
    said = [text_of(content) for _, content in request.messages]
    text = "\n".join(said)
    if "<prompt>" in text:
        throw = Random(hashlib.sha256(f"{text}\0{request.sample}".encode()).digest())
        sentences = " ".join(sentence for _, sentence in throw.sample(VIRTUES, throw.randint(1, 2)))
        end = " Answer yes or no.\n\n{question}" if "{question}" in text else ""
        return f"<prompt>You are a helpful assistant. {sentences}{end}</prompt>"
    question = said[-1].rpartition("\n")[2]
    number = re.search(r"\d+", question)
    asked = sum(bool(re.search(words, text, re.IGNORECASE)) for words, _ in VIRTUES)
    wrong = Random(hashlib.sha256(question.encode()).digest()).random() < 0.5 - 0.24 * asked
    return "yes" if (number is not None and int(number[0]) % 2 == 1) != wrong else "no"


BUILT_IN: dict[str, Script] = {"dice": dice, "novice": novice}
"""The functions that have a name of their own."""
