"""Gold answers that are structures: JSON values, and sets of labels. Each is kept as the text that an answer is read as."""

import json
from collections.abc import Callable
from typing import Any

from ..domain.errors import TaskError
from .answers.json_reader import read_alone
from .answers.json_text import form
from .answers.label_sets import read_labels
from .answers.readers import canonical, labels_of
from .answers.schemas import complaints, text_of
from .spec import TaskSpec


def structured_golds(spec: TaskSpec, place: str, field: str, value: Any) -> tuple[str, ...]:
    """The accepted answers in a field of a row that stands at `place`, for a reader of kind 'json' or 'labels'.

    A judge's reference may be any text. A list is one answer: for 'json' it holds several accepted ones where the field
    is called "answers", for 'labels' where its elements are lists. Raises TaskError with place and field for what is no
    such answer.
    """
    several = isinstance(value, list) and (
        field == "answers" if spec.reader.kind == "json" else any(isinstance(one, list) for one in value)
    )
    read: Callable[[TaskSpec, Any], str] = _json if spec.reader.kind == "json" else _labels
    try:
        return tuple(dict.fromkeys(read(spec, one) for one in (value if several else [value])))
    except ValueError as problem:
        raise TaskError(
            f"{place}: the answer in field '{field}' {problem}; fix the row or the reader of '{spec.name}'"
        ) from None


def _json(spec: TaskSpec, value: Any) -> str:
    if spec.metric.kind == "judge" and isinstance(value, str):
        return value.strip()
    try:
        answer = read_alone(value) if isinstance(value, str) else form(value)
    except ValueError as problem:
        raise ValueError(f"is no JSON: {problem}") from None
    if answer is None:
        raise ValueError(f'is no JSON: {str(value)[:60]!r}; write a value such as {{"name": "Ann"}}')
    if isinstance(spec.reader.json_schema, dict) and (wrong := complaints(text_of(spec.reader.json_schema), answer)):
        raise ValueError(f"breaks the schema: {'; '.join(wrong)}")
    if spec.metric.kind == "fields" and not isinstance(json.loads(answer), dict) and not spec.metric.fields:
        raise ValueError(f"has no fields that the metric could compare: {answer[:60]}")
    return answer


def _labels(spec: TaskSpec, value: Any) -> str:
    if spec.metric.kind == "judge" and isinstance(value, str):
        return value.strip()
    labels = labels_of(spec.reader)
    text = form(value) if isinstance(value, list) else str(value)
    answer = canonical(spec.reader, text) if isinstance(value, str | list | int | float) else None
    if answer is None or read_labels(answer, labels) != answer:
        raise ValueError(
            f"is no set of the labels {', '.join(labels.labels)}: {text[:60]!r}; write some of them, or [] for none"
        )
    return answer
