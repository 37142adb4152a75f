"""Examples given in Python, as plain rows: lists, tables of pandas and Polars, data sets, paths, anything of mappings.

Libraries are known by what their objects can do, so that none is imported here.
"""

from collections.abc import Iterable, Mapping
from math import isnan, nan
from os import PathLike, fspath
from typing import Any

from ..rows.split_names import by_split, split_named
from .arrow import Record, dataset_records, is_dataset
from .named import Named, is_named
from .plain import NotPlain, fields_of, is_plain, plain
from .several import taken

WANTED = "is a file, a list of rows with named fields, or one of either per split"
EMPTY = "is empty; name a file or write rows"


def plain_examples(value: Any) -> Any:
    """What a person gave as examples, as JSON has it: a name, a block that names a data set, rows, or one of these per split.

    Raises ValueError, in words, that names example and field.
    """
    if not isinstance(value, Mapping) or is_named(value):
        return _part(value, "")
    if not value:
        raise ValueError(EMPTY)
    if all(is_dataset(part) for part in value.values()):
        splits = taken(list(map(str, value)), "the data set", lambda name: f"data[{name!r}]")
        if list(splits.values()) == [""]:
            return _part(next(iter(value.values())), "")
        return {split: _part(value[name], f"{split} ") for name, split in splits.items()}
    if columns := _columns(value):
        return _part(columns, "")
    return {split: _part(part, f"{split} ") for split, part in by_split({str(k): v for k, v in value.items()}).items()}


def _columns(value: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """The rows of columns by name; nothing where the names are those of splits, or the columns differ in length."""
    lists = [list(one) for one in value.values() if isinstance(one, list | tuple) or hasattr(one, "tolist")]
    if len(lists) < len(value) or any(map(split_named, value)) or len({len(one) for one in lists}) != 1:
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]


def _part(value: Any, split: str) -> Any:
    if isinstance(value, str | PathLike):
        written = fspath(value)
        if not isinstance(written, str) or not written.strip():
            raise ValueError(EMPTY)
        if is_named(written):
            Named.parse(written)
        return written
    if is_named(value):
        Named.parse(value)
        return {str(key): one if isinstance(one, str) else str(one) for key, one in value.items()}
    rows = [_row(row, f"{split}example {number}") for number, row in enumerate(_records(value), 1)]
    if not rows:
        raise ValueError(EMPTY)
    return rows


def _records(value: Any) -> Iterable[Any]:
    """The rows of a table, a data set, or anything that gives one after the other."""
    if hasattr(value, "iloc") and hasattr(value, "columns"):
        return _of_pandas(value)
    if is_dataset(value):
        return dataset_records(value)
    for name in ("to_dicts", "to_pylist"):
        if hasattr(value, name):
            rows: Iterable[Any] = getattr(value, name)()
            return rows
    if hasattr(value, "collect_schema") and hasattr(value, "collect"):
        raise ValueError("is a lazy table; collect it first")
    if isinstance(value, Mapping | bytes | bytearray) or not isinstance(value, Iterable):
        raise ValueError(WANTED)
    return value


def _of_pandas(table: Any) -> Iterable[Any]:
    names = list(table.columns)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two columns are named {twice!r}; rename one")
    rows: list[dict[Any, Any]] = table.to_dict(orient="records")
    for name in names:
        if table[name].dtype.kind == "f":
            for row, number in zip(rows, _numbers(table[name]), strict=True):
                row[name] = number
    return rows


def _numbers(column: Any) -> list[Any]:
    """A column of floats: integers again where one that is missing made them floats, and short floats as they are written."""
    short = column.dtype.itemsize < 8
    numbers = [nan if str(one) == "<NA>" else float(one) for one in (column.astype(str) if short else column)]
    if any(map(isnan, numbers)) and all(isnan(one) or one.is_integer() for one in numbers):
        return [None if isnan(one) else int(one) for one in numbers]
    return numbers


def _row(row: Any, place: str) -> dict[str, Any]:
    if type(row) is dict and is_plain(row):
        return dict(row)
    values, lacks = row if isinstance(row, Record) else (fields_of(row), {})
    if values is None:
        raise ValueError(f"{WANTED}; {place} is {row!r:.60}, write {{'question': ..., 'answer': ...}}")
    if lacks:
        name, why = next(iter(lacks.items()))
        raise ValueError(f"{place}, field '{name}' {why}; or leave the column out")
    try:
        kept: dict[str, Any] = plain(values)
    except NotPlain as error:
        raise ValueError(f"{place}, {error}") from None
    return kept
