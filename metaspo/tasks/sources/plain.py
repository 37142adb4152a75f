"""Values of Python, numpy, pandas and Arrow as JSON has them. No library is imported: values are known by what they are."""

import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite, isnan, log10
from os import PathLike, fspath
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from ...domain.visible import half_character, visible
from ..rows.images import encoded, type_of

DEEPEST = 64
"""How deep a value may be nested."""


class NotPlain(ValueError):
    """A value that JSON cannot hold; `where` are the names and positions that lead to it, `why` is a sentence's end."""

    def __init__(self, why: str, where: tuple[str | int, ...] = ()) -> None:
        """Say what it is and what to write instead."""
        self.why, self.where = why, where
        super().__init__(f"field '{visible('.'.join(map(str, where)))}' {why}" if where else why)


def is_plain(value: Any, deep: int = 0) -> bool:
    """Whether a value is plain already, told quickly: most rows are. False also where only `plain` can tell."""
    kind = type(value)
    if kind is str:
        return "\0" not in value and (value.isascii() or half_character(value) is None)
    if kind is float:
        return isfinite(value)
    if kind is dict:
        return deep < DEEPEST and all(type(key) is str and is_plain(key) and is_plain(value[key], deep + 1) for key in value)
    if kind is list:
        return deep < DEEPEST and all(is_plain(one, deep + 1) for one in value)
    return value is None or kind is bool or (kind is int and -(2**63) <= value < 2**63)


def plain(value: Any, where: tuple[str | int, ...] = ()) -> Any:
    """The value as None, bool, int, float, str, or lists and dicts of them. Missing values (NaT, NA, NaN) are None.

    Dates and times are in ISO form, decimals are text that keeps their digits, images are data URLs. Raises NotPlain,
    also for a NaN inside a field: there it is more likely a mistake than a missing value.
    """
    if len(where) > DEEPEST:
        raise NotPlain(f"is nested deeper than {DEEPEST} levels; give flat rows", where[:3])
    if value is None or _missing(value, where):
        return None
    if isinstance(value, Enum):
        return plain(value.value, where)
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(str(value), where)
    if isinstance(value, int):
        return _integer(int(value), where)
    if isinstance(value, float):
        return _number(float(value), where)
    if isinstance(value, Decimal):
        _number(float(value), where)
        return format(value, "f")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, UUID | PathLike | timedelta):
        return _text(fspath(value) if isinstance(value, PathLike) else str(value), where)
    return _composed(value, where)


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """What an object with named fields holds: a mapping, a dataclass, a pydantic model, a named tuple. None for others."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, BaseModel):
        return _message(value) or dict(value.model_dump())
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return dict(value._asdict())
    return None


def _composed(value: Any, where: tuple[str | int, ...]) -> Any:
    named = fields_of(value)
    if named is not None:
        return {_name(key, where): plain(one, (*where, str(key))) for key, one in named.items()}
    if hasattr(value, "save") and hasattr(value, "mode"):
        value = encoded(value)
    if isinstance(value, bytes | bytearray | memoryview):
        media_type = type_of(bytes(value))
        if media_type:
            return f"data:{media_type};base64,{b64encode(value).decode()}"
        raise NotPlain("holds bytes that are no image; write text, or the path of a file", where)
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return plain(_array(value).tolist(), where)
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, Iterable):
        return [plain(one, (*where, position)) for position, one in enumerate(value)]
    raise NotPlain(f"is of the type {type(value).__name__}; write text, a number, a list or a mapping", where)


def _array(value: Any) -> Any:
    """An array or a scalar of numpy and its like, such that its list has what is written there: dates, and 0.1 as 0.1."""
    kind, size = getattr(value.dtype, "kind", ""), getattr(value.dtype, "itemsize", 8)
    if kind in ("M", "m"):
        return value.astype(str)
    return value.astype(str).astype(float) if kind == "f" and size < 8 else value


def _missing(value: Any, where: tuple[str | int, ...]) -> bool:
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, float | Decimal):
        return isnan(value) and len(where) <= 1
    return getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m") and str(value) == "NaT"


def _text(value: str, where: tuple[str | int, ...]) -> str:
    if "\0" in value:
        raise NotPlain("holds a NUL character; clean or remove it", where)
    half = half_character(value)
    if half is not None:
        around = visible(value[max(0, half - 20) : half + 20])
        raise NotPlain(f"holds half of a character (a lone surrogate) in {around!r}; write it again", where)
    return value


def _integer(value: int, where: tuple[str | int, ...]) -> int:
    most = sys.get_int_max_str_digits()
    if most and value.bit_length() * log10(2) > most:
        raise NotPlain(f"is an integer of more than {most} digits; write it as text", where)
    return value


def _number(value: float, where: tuple[str | int, ...]) -> float:
    if not isfinite(value):
        raise NotPlain(f"is {value}, which is no JSON; write a number or leave it empty", where)
    return value


def _name(key: Any, where: tuple[str | int, ...]) -> str:
    if isinstance(key, str):
        return _text(str(key), where)
    if not where and (isinstance(key, int) or getattr(getattr(key, "dtype", None), "kind", "") in ("i", "u")):
        # Columns may be numbered.
        return str(key)
    raise NotPlain(f"cannot be written: its key {key!r} is no text", where)


ROLES = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}
"""What chat messages of LangChain are called elsewhere."""


def _message(value: BaseModel) -> Mapping[str, Any] | None:
    """A chat message of LangChain in the form that data files have."""
    if type(value).__module__.startswith("langchain_core.messages") and getattr(value, "type", "") in ROLES:
        kept = ("tool_calls", "tool_call_id") if value.type != "human" else ()  # type: ignore[attr-defined]
        more = {name: found for name in kept if (found := getattr(value, name, None))}
        return {"role": ROLES[value.type], "content": value.content, **more}  # type: ignore[attr-defined]
    return None
