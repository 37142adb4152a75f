"""Dotted paths into a row: `inputs.question`, `messages.-1.content`, `choices.*.text`. Pure functions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .cells import opened

MOST = 12
"""How many fields an error lists."""
DEEPEST = 6
"""How deep the fields of a row are listed."""


class PathError(LookupError):
    """A path leads nowhere; the words say how far it could be followed and what is there."""


def follow(values: Any, path: str) -> Any:
    """What stands at a path in nested mappings and lists.

    A part is a key, the index of a list (from its end where negative) or `*` for everything in a list or mapping, which
    gives a list, a flat one where there are several `*`. Keys that hold dots themselves are taken first, so that a column
    `a.b` is found by its name. Text is looked into where it spells a list or a mapping, as cells of tables do.
    Raises PathError.
    """
    if isinstance(values, Mapping):
        for name in (path, path.strip()):
            if name in values:
                return values[name]
    return _follow(values, parts(path), ())


def outline(values: Any, path: str = "") -> Iterator[str]:
    """The paths to everything in a row that is no mapping and no list of mappings."""
    if path.count(".") < DEEPEST:
        if isinstance(values, Mapping) and values:
            for name, value in values.items():
                yield from outline(value, f"{path}.{name}" if path else str(name))
            return
        if path and isinstance(values, list | tuple) and values and isinstance(values[0], Mapping):
            yield from outline(values[0], f"{path}.*")
            return
    if path:
        yield path


def fields(values: Any) -> str:
    """The fields of a row for an error: the first ones by their paths."""
    names = list(outline(values))
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more or "nothing"


def kind(value: Any) -> str:
    """What a value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return f"a mapping of {_some(list(map(str, value)))}" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)} item{'s' * (len(value) != 1)}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST]) + (f" and {len(names) - MOST} more" if len(names) > MOST else "")


def parts(path: str) -> list[str]:
    """The parts of a path; `messages[0].content` is taken for `messages.0.content`."""
    return re.sub(r"\[\s*(-?\d+|\*)\s*\]", r".\1", path.strip()).removeprefix("$").removeprefix(".").split(".")


def _follow(value: Any, names: list[str], done: tuple[str, ...]) -> Any:
    if not names:
        return value
    if isinstance(value, str):
        value = opened(value)
    if isinstance(value, Mapping):
        return _into_mapping(value, names, done)
    if isinstance(value, list | tuple):
        return _into_list(value, names, done)
    raise PathError(f"{_reached(done)} is {kind(value)}, in which there is no '{'.'.join(names)}'")


def _into_mapping(value: Mapping[str, Any], names: list[str], done: tuple[str, ...]) -> Any:
    problem: PathError | None = None
    for length in range(len(names), 0, -1):
        name = ".".join(names[:length])
        if name in value:
            try:
                return _follow(value[name], names[length:], (*done, name))
            except PathError as error:
                # The longest name is the likeliest; what is said is where that one ended.
                problem = problem or error
    if problem is not None:
        raise problem
    if names[0] == "*":
        return _everything(list(value.items()), names[1:], done)
    raise PathError(f"{_reached(done)} has no '{names[0]}' (it has: {_some(list(map(str, value))) or 'nothing'})")


def _into_list(value: list[Any] | tuple[Any, ...], names: list[str], done: tuple[str, ...]) -> Any:
    if names[0] == "*":
        return _everything(list(enumerate(value)), names[1:], done)
    if not re.fullmatch(r"-?\d+", names[0]):
        inside = f"; write '*' for each of them, such as {'.'.join([*done, '*', *names])}, or 0 for the first"
        raise PathError(f"{_reached(done)} is {kind(value)} and has no '{names[0]}'{inside}")
    at = int(names[0])
    if not -len(value) <= at < len(value):
        raise PathError(f"{_reached(done)} is {kind(value)}, so there is no '{names[0]}'")
    return _follow(value[at], names[1:], (*done, names[0]))


def _everything(items: list[tuple[Any, Any]], rest: list[str], done: tuple[str, ...]) -> list[Any]:
    found = [_follow(value, rest, (*done, str(name))) for name, value in items]
    return [one for several in found for one in several] if "*" in rest else found


def _reached(done: tuple[str, ...]) -> str:
    return f"'{'.'.join(done)}'" if done else "it"
