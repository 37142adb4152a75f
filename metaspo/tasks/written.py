"""What the blocks of a task that people write have in common."""

from collections.abc import Iterator
from functools import cache
from reprlib import Repr
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from ..domain.complaints import WRONG_KIND, as_written

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
CALLABLE = r"[\w.]+:[\w.]+"
"""How a Python callable is named: package.module:function."""

VERSION = "package.module:function: stands for its code, which is then not followed; another one means other scores."


class Exact(BaseModel):
    """What people fill in, where true is no number, 1 is not true, and no text holds a NUL, which nothing can carry."""

    @field_validator("*", mode="before")
    @classmethod
    def _as_it_is(cls, value: Any, info: ValidationInfo) -> Any:
        texts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("holds a NUL, a character that no file and no endpoint can take; take it out")
        kinds, of_items = _kinds(cls, info.field_name or "")
        if said := _mixed(value, kinds) or next((said for one in _items(value) if (said := _mixed(one, of_items))), None):
            raise ValueError(said)
        return value

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What was set, long values by their beginnings: a notebook prints it, and a task may hold thousands of rows."""
        for name, value in super().__repr_args__():
            if name in self.model_fields_set:
                yield name, _Said(SHORT.repr(value))


class _Said(str):
    """A value as it is shown."""

    __slots__ = ()
    __repr__ = str.__str__


SHORT = Repr()
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = SHORT.maxlevel = 4
SHORT.maxstring = SHORT.maxother = 120


def _items(value: Any) -> list[Any]:
    return [*value] if isinstance(value, list | tuple) else []


def _mixed(value: Any, kinds: frozenset[Any]) -> str | None:
    """What is wrong with true where a number belongs, and the other way round."""
    numbers = kinds & {int, float}
    if isinstance(value, bool) and numbers and bool not in kinds:
        return f"{as_written(value)} is {WRONG_KIND['int' if float not in kinds else 'float']}"
    if isinstance(value, int | float) and not isinstance(value, bool) and bool in kinds and not numbers:
        return f"{as_written(value)} is {WRONG_KIND['bool']}"
    return None


@cache
def _kinds(model: type[BaseModel], name: str) -> tuple[frozenset[Any], frozenset[Any]]:
    """The types that a field takes, and those that the items of a list take there."""
    every = forms(model.model_fields[name].annotation)
    items = [forms(get_args(one)[0]) for one in every if get_origin(one) in (list, tuple) and get_args(one)]
    return frozenset(every), frozenset(kind for one in items for kind in one)


def forms(annotation: Any) -> list[Any]:
    """The types that an annotation allows, each by itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return forms(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in forms(one)]
    return [type(one) for one in get_args(annotation)] if origin is Literal else [annotation]


class Written(Exact):
    """A block of a task as a person writes it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def word(value: Any) -> Any:
    """A label or a version as text, whatever YAML took it for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value.strip() if isinstance(value, str) else value


def text_keys(value: Any) -> Any:
    """Nested data with its keys as JSON has them, so that it is the same after being stored: 0 and true become text."""
    if isinstance(value, dict):
        return {word(key): text_keys(inner) for key, inner in value.items()}
    return [text_keys(inner) for inner in value] if isinstance(value, list) else value
