"""From rows to examples: the question is put together, the gold answer checked, duplicates found."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from ..domain.errors import TaskError
from ..domain.messages import as_text, with_more_images
from ..domain.paths import path_of
from ..domain.results import Example, example_id
from .golds import golds
from .likeness import comparable
from .own_code import looks_at_rows
from .rows.cells import opened
from .rows.conversations import Conversation, conversation, is_conversation, placed
from .rows.files import read_rows
from .rows.questions import COLUMN, chat, field, is_template, question, sendable, text
from .rows.row import Row
from .rows.selection import selected
from .rows.split_names import WANTED, split_named
from .sources.named import is_named
from .sources.opening import open_source
from .sources.tools import filled
from .spec import TaskSpec

Pools = dict[str, list[Example]]
"""The examples by the split that the data assigns; under "" those that it assigns to none."""


_read: ContextVar[dict[tuple[str, str, Callable[[str], str]], Pools] | None] = ContextVar("read", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Within, files of examples are read once for all runs that name them, as for the plan of a study."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def load_pools(spec: TaskSpec, alike: Callable[[str], str] = comparable, left_out: Counter[str] | None = None) -> Pools:
    """As `_loaded`; within `read_once` what has been read is not read again."""
    known = _read.get()
    if known is None or left_out is not None or not isinstance(spec.examples, str):
        return _loaded(spec, alike, left_out)
    key = spec.model_dump_json(), str(spec._folder), alike
    if key not in known:
        pools = _loaded(spec, alike, None)
        if spec._images.found:  # A spec keeps the images of its own rows.
            return pools
        known[key] = pools
    return {split: [*examples] for split, examples in known[key].items()}


def _loaded(spec: TaskSpec, alike: Callable[[str], str], left_out: Counter[str] | None) -> Pools:
    """Every example of a task by assigned split; questions of which `alike` makes the same text are one.

    `left_out` counts the rows that become no example, by the setting that leaves them out.
    Raises TaskError with file, line and fix for missing fields, empty questions, labels outside the
    set, questions that come twice, unknown split names.
    """
    pools: Pools = {}
    seen: dict[str, tuple[str, str]] = {}
    left_out = Counter() if left_out is None else left_out
    every = list(_rows(spec))
    rows = selected(spec, every)
    left_out["where and drop"] += len(every) - len(rows)
    column, whole = spec.split or _own_column(spec, rows), looks_at_rows(spec)
    for row in rows:
        example = _example(spec, row, whole)
        split = _split(spec, row, column)
        asked = alike(example.question)
        if asked not in seen:
            seen[asked] = row.place, split
            pools.setdefault(split, []).append(example)
        elif spec.duplicates == "error":
            raise TaskError(
                f"{row.place}: task '{spec.name}' has this question already at {seen[asked][0]}; "
                "remove one, or set 'duplicates: drop' to keep the first"
            )
        else:
            left_out["duplicates"] += 1
    _check(spec, pools, seen)
    return pools


def _check(spec: TaskSpec, pools: Pools, seen: Mapping[str, tuple[str, str]]) -> None:
    """Raise TaskError where there are no examples, or only some have a split; `seen` are places and splits by question."""
    if not pools:
        raise TaskError(f"task '{spec.name}' holds no examples; add some under 'examples'")
    if "" in pools and len(pools) > 1:
        place = next(place for place, split in seen.values() if not split)
        raise TaskError(
            f"{place}: has no split, but other examples of task '{spec.name}' have one; assign train, validation or test "
            "to all examples or to none"
        )


def _rows(spec: TaskSpec) -> Iterable[Row]:
    per_split = isinstance(spec.examples, dict) and not is_named(spec.examples)
    for split, part in spec.examples.items() if per_split else [("", spec.examples)]:
        if isinstance(part, str) or is_named(part):
            for row in open_source(part, spec._folder, lambda path: read_rows(path, spec.form)):
                yield replace(row, split=split or row.split)
        else:
            for position, values in enumerate(part, 1):
                yield filled(Row(f"task '{spec.name}', {f'{split} ' if split else ''}example {position}", split, values))


def _example(spec: TaskSpec, row: Row, whole: bool) -> Example:
    asked = _asked(spec, row)
    said = sendable(as_text(asked.messages), row, spec.question)
    if not said.strip():
        raise TaskError(f"{row.place}: field '{spec.question}': the question is empty; fill it in or remove the row")
    answers = golds(spec, row, asked.gold)
    if len(answers) > 1 and spec.metric.kind == "macro_f1":
        raise TaskError(f"{row.place}: has {len(answers)} accepted answers, and macro_f1 takes one per example; use accuracy")
    messages = () if asked.messages == (("user", said),) else asked.messages
    looked_at = _whole(row) if whole else ""
    return Example(example_id(said, answers, messages, looked_at), said, answers, looked_at, messages)


def _whole(row: Row) -> str:
    """A row as canonical JSON, for a metric that looks at it."""
    values = {str(name): value for name, value in row.values.items()}
    written = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return sendable(written, row, "row")


def _asked(spec: TaskSpec, row: Row) -> Conversation:
    """The question as messages: most often one, of the user's, with nothing but text."""
    own = path_of(spec.image_folder, spec._folder) if spec.image_folder else None
    folders = [folder for folder in (own, row.folder, spec._folder) if folder]

    def shown(value: Any, where: str) -> str:
        return spec._images.url(value, folders, where)

    images = [shown(value, f"{row.place}: field '{key}'") for key, value in _images(spec, row)]
    written: Any = None if is_template(spec.question) else field(spec, row, spec.question, "question")
    if isinstance(written, str) and chat(messages := opened(written)):
        written = messages  # As a cell of a table keeps them.
    if is_conversation(written):
        return conversation(written, f"{row.place}: field '{spec.question}'", shown, images)
    content, left = placed(question(spec, row), images)
    return Conversation((("user", with_more_images(content, left)),))


def _images(spec: TaskSpec, row: Row) -> Iterator[tuple[str, Any]]:
    """The images that a row names beside its question, each with its column; where that holds nothing, there is none."""
    for key in [spec.images] if isinstance(spec.images, str) else spec.images:
        value = field(spec, row, key, "images", or_null=True) if key else None
        value = opened(value) if isinstance(value, str) else value
        yield from ((key, one) for one in (value if isinstance(value, list | tuple) else [value]) if one not in (None, ""))


def _own_column(spec: TaskSpec, rows: list[Row]) -> str | None:
    """The column that says which split a row is in, where nobody named one: one called "split" whose values say so.

    Raises TaskError where only some of its values do, which is for a person to decide. A file whose rows are all
    marked train assigns nothing.
    """
    used = {spec.question, spec.answer, *(spec.answer_columns or ()), *COLUMN.findall(spec.question)}
    name = next((str(key) for row in rows for key in row.values if str(key).strip().lower() == "split"), None)
    if name is None or name in used or any(row.split for row in rows):
        return None
    told = [(row, split_named(str(row.values.get(name) or ""))) for row in rows]
    known = [split for _, split in told if split]
    if not known or (set(known) == {"train"} and len(known) == len(rows)):
        return None
    odd = next((row for row, split in told if not split), None)
    if odd is not None:
        raise TaskError(
            f"{odd.place}: field '{name}' is {odd.values.get(name)!r}, where other rows say {known[0]}; write train, "
            "validation or test in all of them, or rename the field if it means something else"
        )
    return name


def _split(spec: TaskSpec, row: Row, column: str | None) -> str:
    if column is None:
        return row.split
    said = text(field(spec, row, column, "split"), row, column).strip()
    split = split_named(said)
    if said and split is None:
        raise TaskError(f"{row.place}: field '{column}': unknown split {said!r}; {WANTED}")
    return split or ""
