"""Rows of JSON and JSON Lines files."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...domain.errors import TaskError
from ..documents import half_characters
from .paths import kind
from .row import Form, Row
from .shapes import Found, deeper, rows_at, rows_in, scalars

OBJECT = 'write {"question": ..., "answer": ...}'


def json_rows(path: Path, text: str, form: Form) -> Iterator[Row]:
    """The rows of a JSON file, of one with an object a line too; raises TaskError naming line or item."""
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except TaskError as problem:
        raise TaskError(f"{path}: {problem}") from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and _is_object(text.lstrip().partition("\n")[0]):
            yield from jsonl_rows(path, text, form)
            return
        raise TaskError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{path}:1: cannot be read as JSON: {error}") from None
    if form.rows:
        found = rows_at(data, form.rows, str(path))
    else:
        found = rows_in(data, lambda said: TaskError(f"{path}: {said}"))
    yield from (_row(one, f"{path}, {one.where}", form) for one in found)


def jsonl_rows(path: Path, text: str, form: Form) -> Iterator[Row]:
    """The rows of a file with a JSON object a line, or those that `form.rows` names inside each."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            # A mark stands inside where files were put together.
            values = json.loads(line.removeprefix("\ufeff"), object_pairs_hook=_once)
        except TaskError as problem:
            raise TaskError(f"{place}: {problem}") from None
        except json.JSONDecodeError as error:
            raise TaskError(f"{place}: not valid JSON: {error.msg}; a .jsonl file has a whole object on each line") from None
        except (ValueError, RecursionError) as error:
            raise TaskError(f"{place}: cannot be read as JSON: {error}") from None
        if form.rows:
            for one in rows_at(values, form.rows, place, scalars(values)):
                yield _row(one, f"{place}, {one.where}", form)
        else:
            yield _row(Found("", "", values), place, form)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys come once each: of two values under one, the first would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TaskError(f"{twice!r} stands twice in one object, {str(pairs)[:80]}; rename or remove one")
    return found


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _row(found: Found, place: str, form: Form) -> Row:
    values = found.values
    if isinstance(values, list) and form.columns and len(values) == len(form.columns):
        values = dict(zip(form.columns, values, strict=True))
    return Row(place, found.split, checked(values, place), partial(deeper, found.path, values))


def checked(values: Any, place: str) -> Mapping[str, Any]:
    """A row as it is, unless it has no named fields, or holds what no file can keep; then raises TaskError."""
    if not isinstance(values, dict):
        named = ", or name the fields of a list with columns: [...]" if isinstance(values, list) else ""
        found = type(values).__name__ if isinstance(values, list) else kind(values)
        raise TaskError(f"{place}: expected an object with named fields, found {found}; {OBJECT}{named}")
    for where, text in half_characters(values):
        named = ".".join(map(str, where)) or "a name"
        raise TaskError(f"{place}: {named}: half of a character (a lone surrogate) in {text!r}; write it again")
    return values
