"""What stands in a row's fields, as text: a question put together from them, by name, by path or by a template."""

import json
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any

from ...domain.errors import TaskError
from .. import patterns
from ..data_spec import DataSpec
from .options import MARKED, Option, marks, options
from .paths import PathError, fields, follow, kind, outline
from .row import Row

COLUMN = re.compile(r"\{([^{}]+)\}")

HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair."""


def field(spec: DataSpec, row: Row, path: str, role: str, *, or_null: bool = False) -> Any:
    """What stands at a path of a row; raises TaskError where there is nothing, or null. `role` names the setting."""
    try:
        value = follow(row.values, path)
    except PathError as problem:
        raise TaskError(f"{row.place}: no field '{path}' {_missing(spec, row, path, str(problem), role)}") from None
    if value is None and not or_null:
        raise TaskError(f"{row.place}: field '{path}' is null; fill it in or remove the row")
    return value


def _missing(spec: DataSpec, row: Row, path: str, problem: str, role: str) -> str:
    far = f": {problem}" if not problem.startswith("it has no ") else ""
    likely = get_close_matches(path, list(outline(row.values)), 1)
    alike = [name for name in outline(row.values) if name.rpartition(".")[2].casefold() == path.rpartition(".")[2].casefold()]
    such = f", such as {role}: {(alike or likely)[0]}" if alike or likely else ""
    hint = row.hint(path)
    return f"(it has: {fields(row.values)}){far}; set '{role}' of task '{spec.name}' to a field it has{such}" + (
        f", or {hint}" if hint else ""
    )


def text(value: Any, row: Row, path: str) -> str:
    """Text, a number or a truth value as text; raises TaskError for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise TaskError(f"{row.place}: field '{path}' is {value}; fill it in or remove the row")
    if isinstance(value, str | int | float):
        return sendable(str(value), row, path)
    raise TaskError(f"{row.place}: field '{path}' is {kind(value)}, not text or a number; {_inside(value, path)}")


def _inside(value: Any, path: str) -> str:
    names = list(outline(value))
    if isinstance(value, list | tuple) and value:
        names = [f"*.{name}" for name in outline(value[0])] or (["0", "*.*"] if isinstance(value[0], list | tuple) else [])
    if names:
        return f"name what is meant in it, such as {' or '.join(f'{path}.{name}' for name in names[:3])}"
    return f"set '{path}' of each row to one of these"


def sendable(said: str, row: Row, path: str) -> str:
    """The text, unless no endpoint and no store could take it."""
    if "\0" in said or (not said.isascii() and HALF.search(said)):
        raise TaskError(f"{row.place}: field '{path}' holds a NUL or half a surrogate pair; clean or remove the row")
    return said


def is_template(question: str) -> bool:
    """Whether a question is put together from fields, rather than one of them."""
    return COLUMN.search(question) is not None


def question(spec: DataSpec, row: Row) -> str:
    """The question of a row: what its field says, or its template; of that what `question_pattern` finds.

    Lists of text are joined, an item a line. In a template, mappings and lists of them are written as JSON.
    """
    if not is_template(spec.question):
        said = _joined(field(spec, row, spec.question, "question"), row, spec.question)
    else:
        # A single pass, so that braces inside a value are content.
        said = COLUMN.sub(lambda match: _filled(spec, row, match[1]), spec.question)
    if spec.question_pattern is None:
        return said
    try:
        found = patterns.first(spec.question_pattern, said)
    except TimeoutError as problem:
        raise TaskError(f"{row.place}: field '{spec.question}': question_pattern: {problem}") from None
    if found is None:
        told = f"question_pattern {spec.question_pattern!r} finds nothing in {said[:60]!r}"
        raise TaskError(f"{row.place}: field '{spec.question}': {told}; mend the pattern, or the row")
    return found


def _filled(spec: DataSpec, row: Row, path: str) -> str:
    marked = MARKED.fullmatch(path) if path not in row.values else None
    if marked:
        return "\n".join(_listed(spec, row, marked))
    value = field(spec, row, path, "question")
    if chat(value):
        return text(value, row, path)
    if isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and any(isinstance(one, Mapping | list) for one in value)
    ):
        return sendable(json.dumps(value, ensure_ascii=False, default=str), row, path)
    return _joined(value, row, path)


def _joined(value: Any, row: Row, path: str) -> str:
    if isinstance(value, list | tuple) and not any(isinstance(one, Mapping | list | tuple) for one in value):
        return "\n".join(text(one, row, f"{path}.{at}") for at, one in enumerate(value))
    return text(value, row, path)


def chat(value: Any) -> bool:
    """Whether a value is a list of messages, each of which says who speaks: nothing to put into the middle of a text."""
    return isinstance(value, list | tuple) and bool(value) and all(
        isinstance(one, Mapping) and ("role" in one or {"from", "value"} <= set(one)) for one in value
    )  # fmt: skip


def row_options(spec: DataSpec, row: Row, path: str, role: str) -> list[Option]:
    """The options in a field of a row; raises TaskError where it holds none."""
    value = field(spec, row, path, role)
    found = options(value)
    if not found:
        raise TaskError(f"{row.place}: field '{path}' is {kind(value)}, no list of options; name one under '{role}'")
    return found


def _listed(spec: DataSpec, row: Row, marked: re.Match[str]) -> Iterator[str]:
    """The options of a row, each with its mark."""
    path, before, first, after = marked.groups()
    found = row_options(spec, row, path, "question")
    try:
        labels = marks(found, first)
    except ValueError as problem:
        raise TaskError(f"{row.place}: field '{path}' has {len(found)} options, {problem}; write {{{path}:1.}}") from None
    for at, (label, one) in enumerate(zip(labels, found, strict=True)):
        yield f"{before}{label}{after} {text(one.said, row, f'{path}.{at}')}"
