"""Regular expressions that people write, none of which may take long: a repeat within a repeat can take for ever."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import prod
from time import monotonic
from typing import Any

import regex

LONGEST = 1.0
"""Seconds that a pattern may take on one text."""

MOST_REPEATED = 100_000
"""How often a pattern may ask for one thing: each of them is a thing of its own once it is compiled."""


_until: ContextVar[float] = ContextVar("until", default=float("inf"))


@contextmanager
def altogether(seconds: float) -> Iterator[None]:
    """Within, all matches together may take so many seconds, where texts are many and each takes a little."""
    token = _until.set(monotonic() + seconds)
    try:
        yield
    finally:
        _until.reset(token)


def limited(pattern: str) -> bool:
    """Whether matches of a pattern can be held to a time; a few that Python knows cannot."""
    return not isinstance(_compiled(pattern), re.Pattern)


def found(pattern: str, text: str) -> list[str]:
    """What group 1 of every match holds, in order; "" where it took no part. Raises TimeoutError, in words."""
    return [match[1] or "" for match in _matches(pattern, text)]


def first(pattern: str, text: str) -> str | None:
    """What group 1 of the first match holds, None where there is no match. Raises TimeoutError, in words."""
    return next((match[1] or "" for match in _matches(pattern, text, 1)), None)


def matches(pattern: str, text: str) -> bool:
    """Whether a text has a match. Raises TimeoutError, in words."""
    return bool(_matches(pattern, text, 1))


def _matches(pattern: str, text: str, most: int | None = None) -> list[Any]:
    compiled = _compiled(pattern)
    if isinstance(compiled, re.Pattern):
        return [*compiled.finditer(text)] if most is None else [one for one in [compiled.search(text)] if one]
    left = min(LONGEST, _until.get() - monotonic())
    try:
        if left <= 0:
            raise TimeoutError
        if most is None:
            return [*compiled.finditer(text, timeout=left)]
        one = compiled.search(text, timeout=left)
    except TimeoutError:
        raise TimeoutError(
            f"the pattern {pattern[:60]!r} takes longer than {LONGEST:g} s, or too long on all texts; "
            "write one without repeats within repeats"
        ) from None
    return [one] if one else []


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    if prod(max(1, int(number[:9])) for number in re.findall(r"\{(\d+)", pattern)) > MOST_REPEATED:
        return re.compile(pattern)
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError):  # It takes a little less than Python's own.
        return re.compile(pattern)
