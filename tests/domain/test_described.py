"""Objects that differ anywhere that counts are told apart, and equal ones are not."""

import dataclasses
import datetime
import operator
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from metaspo.domain.described import described

from ..models.test_identity import Says


@dataclasses.dataclass
class Holder:
    word: str


def private(word: str) -> Any:
    model = Says("a")
    model._hidden = {"word": word}  # type: ignore[assignment]
    return model


def of_class(word: str) -> Any:
    class Made:
        said = word

    return Made()


def of_property(word: str) -> Any:
    class Made:
        @property
        def said(self) -> str:
            return word

    return Made()


def of_static(word: str) -> Any:
    class Made:
        @staticmethod
        def said() -> str:
            return word

    return Made()


def of_globals(word: str) -> Any:
    module: dict[str, Any] = {"__name__": "__main__"}
    exec(f"def helper(): return {word!r}\ndef said(): return helper()", module)
    return module["said"]


def beyond_fields(word: str) -> Any:
    holder = Holder("a")
    vars(holder)["more"] = word
    return holder


MAKERS: list[Callable[[str], Any]] = [
    private, of_class, of_property, of_static, of_globals, beyond_fields, operator.itemgetter, re.compile, Holder,
    lambda word: datetime.date(2020, 1, 1 + len(word)), lambda word: httpx.Client(headers={"x-route": word}), str.encode,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_what_counts_tells_objects_apart_and_nothing_else_does(make: Callable[[str], Any]) -> None:
    assert described(make("a")) == described(make("a")) != described(make("bb"))
