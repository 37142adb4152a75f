"""Values of Python and its libraries as JSON has them."""

import base64
import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from metaspo.tasks.sources.plain import NotPlain, is_plain, plain

from ...helpers.pictures import png

PNG = png(3)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    names: tuple[str, ...]


class Pair(NamedTuple):
    left: int
    right: Any


class Model(BaseModel):
    text: str
    inner: dict[str, float]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.uint8(3), 3),
        (np.float64(0.5), 0.5),
        (np.float32(0.1), 0.1),
        (np.bool_(True), True),
        (np.str_("yes"), "yes"),
        (np.array([1, 2]), [1, 2]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.array([[1.5, 2]]), [[1.5, 2.0]]),
        (np.array(7), 7),
        (np.datetime64("2024-05-06"), "2024-05-06"),
        (np.array(["2024-05-06"], dtype="M8[D]"), ["2024-05-06"]),
        (pd.Timestamp("2024-05-06 12:30"), "2024-05-06T12:30:00"),
        (pd.NaT, None),
        (pd.NA, None),
        (np.datetime64("NaT"), None),
        (float("nan"), None),
        (Decimal("NaN"), None),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        (dt.datetime(2024, 5, 6, 12, 30), "2024-05-06T12:30:00"),
        (dt.date(2024, 5, 6), "2024-05-06"),
        (dt.time(12, 30), "12:30:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Point(1, ("a", "b")), {"x": 1, "names": ["a", "b"]}),
        (Pair(1, np.int8(2)), {"left": 1, "right": 2}),
        (Model(text="a", inner={"b": 0.5}), {"text": "a", "inner": {"b": 0.5}}),
        ({"b", "a"}, ["a", "b"]),
        (pd.Series([1, 2]), [1, 2]),
        (range(2), [0, 1]),
        ({1: "a", np.int64(2): "b"}, {"1": "a", "2": "b"}),
        (10**400, 10**400),
        (PNG, DATA_URL),
        ({"bytes": bytearray(PNG), "path": None}, {"bytes": DATA_URL, "path": None}),
        (SimpleNamespace(mode="RGB", format="PNG", save=lambda to, format: to.write(PNG)), DATA_URL),
        ([HumanMessage("hi"), AIMessage("ho")], [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_plain(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected and type(found) is type(expected)
    assert json.loads(json.dumps(found, allow_nan=False)) == expected
    assert not is_plain(value) or found == value
    assert is_plain(found) or found == 10**400


def loop() -> list[Any]:
    inside: list[Any] = []
    inside.append(inside)
    return inside


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\x89PNG", "field 'row.deep' holds bytes that are no image; write text, or the path of a file"),
        (float("inf"), "field 'row.deep' is inf, which is no JSON"),
        (np.array([0.5, np.nan]), "field 'row.deep.1' is nan, which is no JSON"),
        ({"a": {1: 2}}, "field 'row.deep.a' cannot be written: its key 1 is no text"),
        (Decimal("-Infinity"), "is -inf"),
        ("a\0b", "holds a NUL character"),
        ("half \ud83d of it", "half of a character"),
        (10**5000, "more than 4300 digits; write it as text"),
        (object(), "is of the type object"),
        (len, "is of the type builtin"),
        ({(1, 2): 3}, r"its key \(1, 2\) is no text"),
        (loop(), "nested deeper than 64 levels"),
        ([{"a": [b""]}], r"field 'row.deep.0.a.0' holds bytes"),
    ],
    ids=["bytes", "inf", "nan", "number", "decimal", "nul", "half", "huge", "object", "function", "key", "loop", "inside"],
)
def test_what_cannot_be_plain_is_said_in_words_with_its_place(value: Any, says: str) -> None:
    assert not is_plain({"row": {"deep": value}})
    with pytest.raises(NotPlain, match=says):
        plain({"row": {"deep": value}})
