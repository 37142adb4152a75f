"""From rows to examples: the question is put together, the gold answer checked, duplicates found."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from os.path import expanduser
from pathlib import Path
from typing import Any

from ..domain.errors import TaskError
from ..domain.messages import as_text, with_more_images
from ..domain.results import Example, example_id
from .conversations import Conversation, conversation, is_conversation
from .files import Row, read_rows
from .likeness import comparable
from .own_code import looks_at_rows
from .readers import canonical
from .spec import TaskSpec
from .structured_golds import structured_golds

SPLITS = ("train", "validation", "test")
COLUMN = re.compile(r"\{([^{}]+)\}")

Pools = dict[str, list[Example]]
"""The examples by the split that the data assigns; under "" those that it assigns to none."""


def load_pools(spec: TaskSpec, alike: Callable[[str], str] = comparable) -> Pools:
    """Every example of a task by assigned split; questions of which `alike` makes the same text are one.

    Raises TaskError with file, line and fix for missing fields, empty questions, labels outside the
    set, questions that come twice, unknown split names.
    """
    pools: Pools = {}
    seen: dict[str, tuple[str, str]] = {}
    rows = list(_rows(spec))
    column, whole = spec.split or _own_column(spec, rows), looks_at_rows(spec)
    for row in rows:
        example = _example(spec, row, whole)
        split = _split(spec, row, column)
        question = alike(example.question)
        if question not in seen:
            seen[question] = row.place, split
            pools.setdefault(split, []).append(example)
        elif spec.duplicates == "error":
            raise TaskError(
                f"{row.place}: task '{spec.name}' has this question already at {seen[question][0]}; "
                "remove one, or set 'duplicates: drop' to keep the first"
            )
    if not pools:
        raise TaskError(f"task '{spec.name}' holds no examples; add some under 'examples'")
    if "" in pools and len(pools) > 1:
        place = next(place for place, split in seen.values() if not split)
        raise TaskError(
            f"{place}: has no split, but other examples of task '{spec.name}' have one; assign train, validation or test "
            "to all examples or to none"
        )
    return pools


def _rows(spec: TaskSpec) -> Iterable[Row]:
    parts = list(spec.examples.items()) if isinstance(spec.examples, dict) else [("", spec.examples)]
    for split, part in parts:
        if isinstance(part, str):
            path = _resolve(spec, part)
            for row in read_rows(path, spec.encoding):
                yield Row(row.place, split or row.split, row.values, path.parent)
        else:
            for position, values in enumerate(part, 1):
                yield Row(f"task '{spec.name}', {f'{split} ' if split else ''}example {position}", split, values)


def _resolve(spec: TaskSpec, path: str) -> Path:
    written = Path(expanduser(path))
    return written if written.is_absolute() or spec._folder is None else spec._folder / written


def _example(spec: TaskSpec, row: Row, whole: bool) -> Example:
    asked = _asked(spec, row)
    question = _sendable(as_text(asked.messages), row, spec.question)
    if not question.strip():
        raise TaskError(f"{row.place}: the question is empty; fill it in or remove the row")
    answers = _golds(spec, row, asked.gold)
    if len(answers) > 1 and spec.metric.kind == "macro_f1":
        raise TaskError(f"{row.place}: has {len(answers)} accepted answers, and macro_f1 takes one per example; use accuracy")
    messages = () if asked.messages == (("user", question),) else asked.messages
    looked_at = _whole(row) if whole else ""
    return Example(example_id(question, answers, messages, looked_at), question, answers, looked_at, messages)


def _whole(row: Row) -> str:
    """A row as canonical JSON, for a metric that looks at it."""
    values = {str(name): value for name, value in row.values.items()}
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return _sendable(text, row, "row")


def _asked(spec: TaskSpec, row: Row) -> Conversation:
    """The question as messages: most often one, of the user's, with nothing but text."""
    folders = [folder for folder in (row.folder, spec._folder) if folder]

    def shown(value: Any, where: str) -> str:
        return spec._images.url(value, folders, where)

    images = [shown(value, f"{row.place}: field '{key}'") for key, value in _images(spec, row)]
    written: Any = row.values.get(spec.question)
    if is_conversation(written):
        return conversation(written, f"{row.place}: field '{spec.question}'", shown, images)
    return Conversation((("user", with_more_images(_question(spec, row), images)),))


def _images(spec: TaskSpec, row: Row) -> Iterator[tuple[str, Any]]:
    """The images that a row names beside its question, each with its column; where that holds nothing, there is none."""
    for key in [spec.images] if isinstance(spec.images, str) else spec.images:
        value = None if not key or row.values.get(key, "") is None else _field(spec, row, key, "images")
        yield from ((key, one) for one in (value if isinstance(value, list | tuple) else [value]) if one not in (None, ""))


def _question(spec: TaskSpec, row: Row) -> str:
    if not COLUMN.search(spec.question):
        return _text(_field(spec, row, spec.question, "question"), row, spec.question)
    # A single pass, so that braces inside a value are content.
    return COLUMN.sub(lambda match: _text(_field(spec, row, match[1], "question"), row, match[1]), spec.question)


def _golds(spec: TaskSpec, row: Row, last: str | None) -> tuple[str, ...]:
    """The accepted answers as a reply's are read; none where the metric needs none and the row has none."""
    if not spec.metric.needs_golds and "answer" not in spec.model_fields_set and last is None and _has_none(row):
        return ()
    if spec.reader.whole:
        return structured_golds(spec, row.place, *_answer(spec, row, last))
    return tuple(dict.fromkeys(_gold(spec, row, value) for value in _accepted(spec, row, last)))


def _answer(spec: TaskSpec, row: Row, last: str | None) -> tuple[str, Any]:
    """The field of the accepted answers and its value; what a conversation says `last` where the row has none of its own."""
    if last is not None and spec.answer == "answer" and not {"answer", "answers"} & set(row.values):
        return spec.question, last
    key = "answers" if spec.answer == "answer" and isinstance(row.values.get("answers"), list) else spec.answer
    return key, _field(spec, row, key, "answer")


def _accepted(spec: TaskSpec, row: Row, last: str | None) -> list[Any]:
    key, value = _answer(spec, row, last)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise TaskError(f"{row.place}: the list of accepted answers '{key}' is empty; fill it in or remove the row")
    return values


def _has_none(row: Row) -> bool:
    """Whether a row has no gold answer under the usual names."""
    there = [row.values.get(key) for key in ("answer", "answers")]
    return all(value is None or (isinstance(value, str | list) and not (value.strip() if isinstance(value, str) else value))
               for value in there)  # fmt: skip


def _gold(spec: TaskSpec, row: Row, value: Any) -> str:
    text = _text(value, row, spec.answer).strip()
    if not text:
        raise TaskError(f"{row.place}: the answer is empty; fill it in or remove the row")
    if spec.metric.kind == "judge" or spec.reader.kind == "text":
        return text
    gold: str | None
    if spec.reader.kind == "choice":
        gold = {label.casefold(): label for label in spec.reader.labels or []}.get(text.casefold())
    else:
        gold = canonical(spec.reader, text)
    if gold is None:
        wanted = f"one of the labels {', '.join(spec.reader.labels or [])}" if spec.reader.labels else _span(spec)
        raise TaskError(f"{row.place}: the answer {text[:60]!r} is not {wanted}; fix the row or the reader of '{spec.name}'")
    return gold


def _span(spec: TaskSpec) -> str:
    limits = (("at least", spec.reader.minimum), ("at most", spec.reader.maximum))
    return ", ".join([f"one {spec.reader.kind}", *(f"{words} {limit:g}" for words, limit in limits if limit is not None)])


def _field(spec: TaskSpec, row: Row, key: str, role: str) -> Any:
    if key in row.values and row.values[key] is None:
        raise TaskError(f"{row.place}: field '{key}' is null; fill it in or remove the row")
    if key not in row.values:
        there = ", ".join(str(name) for name in row.values) or "nothing"
        raise TaskError(
            f"{row.place}: no field '{key}' (it has: {there}); set '{role}' of task '{spec.name}' to a field it has"
        )
    return row.values[key]


def _text(value: Any, row: Row, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not isfinite(value):
        raise TaskError(f"{row.place}: field '{key}' is {value}; fill it in or remove the row")
    if isinstance(value, str | int | float):
        return _sendable(str(value), row, key)
    raise TaskError(
        f"{row.place}: field '{key}' is {type(value).__name__}, not text or a number; set '{key}' of each row to one of these"
    )


def _sendable(text: str, row: Row, key: str) -> str:
    """The text, unless no endpoint and no store could take it."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise TaskError(f"{row.place}: field '{key}' holds a NUL or half a surrogate pair; clean or remove the row")
    return text


def _own_column(spec: TaskSpec, rows: list[Row]) -> str | None:
    """The column that says which split a row is in, where nobody named one: one called "split" whose values say so.

    Raises TaskError where only some of its values do, which is for a person to decide. A file whose rows are all
    marked train assigns nothing.
    """
    used = {spec.question, spec.answer, *COLUMN.findall(spec.question)}
    name = next((str(key) for row in rows for key in row.values if str(key).strip().lower() == "split"), None)
    if name is None or name in used or any(row.split for row in rows):
        return None
    told = [(row, str(row.values.get(name) or "").strip().lower()) for row in rows]
    known = [WORDS[value] for _, value in told if value in WORDS]
    if not known or (set(known) == {"train"} and len(known) == len(rows)):
        return None
    odd = next((row for row, value in told if value not in WORDS), None)
    if odd is not None:
        raise TaskError(
            f"{odd.place}: field '{name}' is {odd.values.get(name)!r}, where other rows say {known[0]}; write train, "
            "validation or test in all of them, or rename the field if it means something else"
        )
    return name


WORDS = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "development": "validation", "test": "test", "testing": "test", "holdout": "test",
}  # fmt: skip
"""What people call the splits."""


def _split(spec: TaskSpec, row: Row, column: str | None) -> str:
    split = row.split if column is None else _text(_field(spec, row, column, "split"), row, column).strip()
    split = WORDS.get(split.lower(), split.lower())
    if split and split not in SPLITS:
        raise TaskError(f"{row.place}: unknown split {split!r}; use train, validation or test")
    return split
