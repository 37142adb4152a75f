"""A metric of a person's own: what it wants to know, and what it returns."""

import asyncio
import contextvars
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...domain.redaction import without_keys
from ...domain.results import Example

WORDS = ("explanation", "words", "feedback", "reason", "reasoning", "comment")
"""What the words beside a score may be called, in a mapping or an object that a metric returns."""

KNOWN = ("answer", "answers", "question", "reply", "row", "messages")
"""What a metric may take, by the names of its parameters."""

_thread = ThreadPoolExecutor(1, thread_name_prefix="metaspo metric")
"""Metrics that are not async run here, one after the other: none has to expect threads, and none holds up the event loop."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A score in [0, 1], None where a metric gives none, and what it says about it."""

    score: float | None
    words: str = ""


@dataclass(frozen=True)
class Judged:
    """What a metric can be told of one example and what became of it.

    `reply` is the text of the reply as it came, `messages` the whole exchange: what was asked, a program's steps and the
    reply, as dicts with `role` and `content`.
    """

    answer: str
    example: Example
    reply: str
    messages: Sequence[Mapping[str, Any]]

    def named(self, name: str) -> Any:
        """What goes by one of the names in `KNOWN`; fresh, so that a metric may change what it gets."""
        if name == "answers":
            return list(self.example.answers)
        if name == "messages":
            return json.loads(json.dumps(list(self.messages)))
        if name == "row":
            return json.loads(self.example.row) if self.example.row else {}
        return {"answer": self.answer, "question": self.example.question, "reply": self.reply}[name]


@dataclass(frozen=True)
class OwnMetric:
    """A function that scores an answer, and how it is called.

    `names` are what it takes by name, of those in `KNOWN`; `by_place` says that it is given the answer and the accepted
    answers as its first two parameters, whatever these are called.
    """

    function: Callable[..., Any]
    names: tuple[str, ...]
    by_place: bool

    @cached_property
    def is_async(self) -> bool:
        """Whether it has to be awaited."""
        call = getattr(self.function, "__call__", None)  # noqa: B004, an object's own method
        return any(map(inspect.iscoroutinefunction, (self.function, getattr(self.function, "func", None), call)))

    def call(self, judged: Judged) -> Any:
        """What it returns; an awaitable where it is async."""
        placed = (judged.answer, list(judged.example.answers)) if self.by_place else ()
        return self.function(*placed, **{name: judged.named(name) for name in self.names})

    def _call(self, judged: Judged) -> Any:
        try:
            return self.call(judged)
        except StopIteration as error:  # No future can hold one.
            raise RuntimeError("there was no next one") from error

    async def called(self, judged: Judged) -> Any:
        """The same, once it is there. One that is not async runs in a thread of its own, in the order of the calls."""
        if self.is_async:
            return await self.call(judged)
        context = contextvars.copy_context()
        found = await asyncio.get_running_loop().run_in_executor(_thread, lambda: context.run(self._call, judged))
        return await found if inspect.isawaitable(found) else found


def own_metric(function: Callable[..., Any]) -> OwnMetric:
    """A function as a metric; raises ValueError, in words, where it wants to know what there is not."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return OwnMetric(function, (), True)  # Written in C, without any names.
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name in KNOWN]
    needed = [one for one in parameters if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    unknown = [one.name for one in needed if one.name not in named]
    if named and not unknown:
        return OwnMetric(function, tuple(named), False)
    placed = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)][:2]
    in_place = all(name not in KNOWN or name == at for name, at in zip(placed, KNOWN, strict=False))
    further = tuple(name for name in named if name not in placed)
    if in_place and _binds(parameters, further):
        return OwnMetric(function, further, True)
    if not needed and any(one.kind == one.VAR_KEYWORD for one in parameters):
        return OwnMetric(function, KNOWN, False)
    wanted = f"wants to know {', '.join(unknown)}, which there is not" if unknown else "takes nothing"
    raise ValueError(
        f"{wanted}; a metric may take {', '.join(KNOWN)} by these names, or the answer and the list of accepted answers as "
        "its two parameters"
    )


def _binds(parameters: Sequence[inspect.Parameter], names: Sequence[str]) -> bool:
    """Whether a function can be called with two values by their places, and these by name."""
    try:
        inspect.Signature(parameters).bind("answer", ["answers"], **dict.fromkeys(names))
    except TypeError:
        return False
    return True


def graded(returned: Any) -> Graded:
    """What a metric returned: a score, (score, words), or a mapping or an object with both.

    Raises ValueError saying what else it is.
    """
    score, words = _parts(returned)
    if words is not None and not isinstance(words, str):
        raise ValueError(f"returned words that are {type(words).__name__}, not text")
    said = without_keys((words or "").replace("\0", "").encode("utf-8", "replace").decode("utf-8")).strip()
    if score is None:
        return Graded(None, said)
    try:
        value = float(score)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"returned {_shown(score)}; return a score from 0 to 1, (score, words), or None where there is none"
        ) from None
    if not 0 <= value <= 1:
        raise ValueError(f"returned {value}; a score is between 0 and 1")
    return Graded(value, said)


def _parts(returned: Any) -> tuple[Any, Any]:
    if isinstance(returned, tuple):
        if len(returned) != 2:
            raise ValueError(f"returned {len(returned)} values; return a score, or (score, words)")
        return returned
    if isinstance(returned, Mapping):
        if "score" not in returned:
            there = ", ".join(map(str, returned)) or "nothing"
            raise ValueError(f"returned a mapping without 'score' (it has: {there}); return one with score and explanation")
        return returned["score"], next((returned[name] for name in WORDS if name in returned), None)
    if hasattr(returned, "score") and not hasattr(returned, "__float__"):
        return returned.score, next((getattr(returned, name) for name in WORDS if hasattr(returned, name)), None)
    return returned, None


def _shown(value: Any) -> str:
    shown = repr(value)
    kind = "" if isinstance(value, int | float) else f"{type(value).__name__} "
    return kind + (shown if len(shown) <= 60 else f"{shown[:60]}...")
