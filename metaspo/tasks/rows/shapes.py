"""The rows in nested data: at the path that `rows` names, or in a form that says by itself where they are."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from ...domain.errors import TaskError
from .paths import PathError, follow, kind, outline, parts
from .split_names import WANTED, by_split, split_named

FORMS = "a list of objects, or {'train': [...], 'test': [...]}"
CUSTOMARY = (
    "examples", "data", "rows", "items", "records", "instances", "questions", "entries", "samples", "dataset", "test_cases",
)  # fmt: skip
"""What the list of examples is called in files that have something beside it."""
SCALARS = (str, int, float, bool)


class Found(NamedTuple):
    """A row, the place in the data at which it stands ('examples[0]', 'item 1'), and how `rows` would name that list."""

    where: str
    split: str
    values: Any
    path: str = ""


def rows_at(data: Any, path: str, place: str, around: Mapping[str, Any] | None = None) -> Iterator[Found]:
    """The rows at a path: the items of the list there, or everything that `*` stands for.

    Text and numbers of the items that a `*` passes are part of the rows inside, where these have none of that name: a
    question in a paragraph has the paragraph's context. `around` are such values from outside. Raises TaskError.
    """
    segments: list[list[str]] = [[]]
    for part in parts(path):
        segments.append([]) if part == "*" else segments[-1].append(part)
    for one in _walk(data, [".".join(segment) for segment in segments], "", partial(_nowhere, place, path), around):
        yield one._replace(path=one.path or path) if one.path != "*" else one._replace(path=f"{path}.*")


def _nowhere(place: str, path: str, where: str, said: str) -> TaskError:
    return TaskError(f"{place}{f', {where}' if where else ''}: 'rows: {path}' leads to no rows: {said}")


def _walk(
    value: Any, segments: list[str], where: str, error: Callable[[str, str], TaskError], around: Mapping[str, Any] | None
) -> Iterator[Found]:
    """`around` is None as long as no item was passed: what stands there may yet have a form of its own."""
    head, *rest = segments
    try:
        found = follow(value, head) if head else value
    except PathError as problem:
        raise error(where, str(problem)) from None
    where = f"{where}.{head}".strip(".") if head else where
    if rest and not isinstance(found, Mapping | list):
        raise error(where, f"that is {kind(found)}, no list")
    if rest:
        items: Any = found.items() if isinstance(found, Mapping) else enumerate(found)
        for name, item in items:
            more = scalars(item) if any(rest) else {}
            yield from _walk(item, rest, f"{where}[{name}]", error, {**(around or {}), **more})
    elif isinstance(found, list):
        yield from (Found(f"{where}[{at}]", "", _within(item, around), "*") for at, item in enumerate(found))
    elif around is not None:
        yield Found(where, "", _within(found, around))
    else:
        yield from rows_in(found, lambda said: error(where, said), where)


def scalars(item: Any) -> dict[str, Any]:
    """The fields of an item that hold text, a number or a truth value."""
    return {name: value for name, value in item.items() if isinstance(value, SCALARS)} if isinstance(item, Mapping) else {}


def _within(item: Any, around: Mapping[str, Any] | None) -> Any:
    return {**around, **item} if around and isinstance(item, Mapping) else item


def rows_in(data: Any, error: Callable[[str], TaskError], where: str = "") -> Iterator[Found]:
    """The rows of data that is a list, splits, a list under a customary name, columns, or records by id.

    Raises what `error` makes of words where it is none of these, or more than one.
    """
    prefix = f"{where}." if where else ""
    if isinstance(data, list):
        numbered = (f"{where}[{at}]" if where else f"item {at + 1}" for at in range(len(data)))
        yield from (Found(name, "", item, f"{prefix}*") for name, item in zip(numbered, data, strict=True))
    elif not isinstance(data, Mapping):
        raise error(f"expected {FORMS}, found {kind(data)}")
    elif (columns := _columns(data)) is not None:
        yield from (Found(f"{prefix}row {at + 1}", "", item) for at, item in enumerate(columns))
    elif (splits := _splits(data, error)) is not None:
        for name, part in splits.items():
            for found in rows_in(part, error, f"{prefix}{name}"):
                yield found._replace(split=split_named(name) or "")
    elif (listed := _named(data, error)) is not None:
        yield from _listed(data[listed], f"{prefix}{listed}", error)
    elif _by_id(data):
        yield from (Found(f"{prefix}{name}", "", item, f"{prefix}*") for name, item in data.items())
    else:
        raise error(f"expected {FORMS}" + _instead(data))


def _listed(items: list[Any], path: str, error: Callable[[str], TaskError]) -> Iterator[Found]:
    """A list under its name; in an answer of the Hugging Face hub's server each item holds its row."""
    if all(isinstance(item, Mapping) and "row_idx" in item and isinstance(item.get("row"), Mapping) for item in items):
        yield from (Found(f"{path}[{at}].row", "", item["row"], f"{path}.*.row") for at, item in enumerate(items))
    else:
        yield from rows_in(items, error, path)


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _rows(value: Any) -> bool:
    """Whether a value is a list of rows: of objects, or of lists, whose fields `columns` names."""
    return _objects(value) or (isinstance(value, list) and bool(value) and all(isinstance(item, list) for item in value))


def _splits(data: Mapping[str, Any], error: Callable[[str], TaskError]) -> dict[str, Any] | None:
    """The parts of data by split, as they are named; None where its keys are no splits."""
    found = {name: value for name, value in data.items() if split_named(name)}
    sure = any(_objects(part) or isinstance(part, Mapping) for part in found.values()) or sum(map(_rows, found.values())) > 1
    if not found or not (len(found) == len(data) or sure):
        return None
    others = [name for name, value in data.items() if name not in found and _rows(value)]
    if others:
        raise error(f"expected {FORMS}, found key {others[0]!r}; {WANTED}, or name the list with 'rows'")
    try:
        by_split(found)
    except ValueError as problem:
        raise error(str(problem)) from None
    return found


def _columns(data: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of data that is a table: lists by column, or as pandas writes it."""
    values = list(data.values())
    if all(map(split_named, data)) or sum(_rows(column) for name, column in data.items() if split_named(name)) > 1:
        return None
    if isinstance(names := data.get("columns"), list) and isinstance(rows := data.get("data"), list):
        if rows and all(isinstance(row, list) and len(row) == len(names) for row in rows):
            return [dict(zip(map(str, names), row, strict=True)) for row in rows]
    if len(values) > 1 and all(isinstance(column, list) for column in values) and not all(map(_objects, values)):
        known = any(_objects(data.get(name)) for name in CUSTOMARY)
        if not known and len({len(column) for column in values}) == 1:
            return [dict(zip(data, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(column, Mapping) and column for column in values):
        keys = [list(column) for column in values]
        if all(key.isdecimal() for key in keys[0]) and all(other == keys[0] for other in keys):
            return [{name: column[key] for name, column in data.items()} for key in keys[0]]
    return None


def _named(data: Mapping[str, Any], error: Callable[[str], TaskError]) -> str | None:
    """The one key of a customary name that holds a list of objects."""
    names = [name for name, value in data.items() if _objects(value)]
    customary = [name for name in names if name.lower() in CUSTOMARY]
    if len(customary) > 1:
        raise error(f"several lists may be the examples; write one of {', '.join(f'rows: {name}' for name in customary)}")
    return customary[0] if customary else None


def _by_id(data: Mapping[str, Any]) -> bool:
    records = list(data.values())
    if len(records) < 2 or not all(isinstance(record, Mapping) for record in records):
        return False
    return bool(set.intersection(*(set(record) for record in records)))


def _instead(data: Mapping[str, Any]) -> str:
    """What to write where the rows could not be found."""
    inner = [
        name
        for name, value in data.items()
        if isinstance(value, Mapping) and value and (all(map(split_named, value)) or _by_id(value) or _columns(value))
    ]
    lists = inner or list(dict.fromkeys(path.rpartition(".*.")[0] for path in outline(data) if ".*." in path))
    if lists:
        return f"; name the list, such as {' or '.join(f'rows: {path}' for path in sorted(lists, key=len)[:3])}"
    return f", found key {sorted(map(str, data))[0]!r}" if data else ", found {}"


def deeper(path: str, values: Any, field: str) -> str:
    """What to write under `rows` where a field stands in a list inside a row; "" where it doesn't."""
    name = field.rpartition(".")[2].casefold()
    inside = (one for one in outline(values) if ".*." in one and one.rpartition(".")[2].casefold() == name)
    found = next(inside, None)
    if found is None:
        return ""
    whole = ".".join(part for part in (path, found.rpartition(".*.")[0]) if part)
    return f"write rows: {whole}.* if its items are the examples"
