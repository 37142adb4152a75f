"""The gold answers of a row: found, mapped, and read as a reply would be where they are no label yet."""

import re
from collections.abc import Mapping
from typing import Any

from ..domain.errors import TaskError
from . import patterns
from .answers.choices import stated
from .answers.readers import canonical, canonical_number, labels_of
from .data_spec import mapped_key
from .rows.options import MARKED, marks, named
from .rows.questions import field, row_options, text
from .rows.row import Row
from .spec import TaskSpec
from .structured_golds import structured_golds

WRAPPED = re.compile(r"\s*<answer>\s*(.*?)\s*</answer>\s*", re.IGNORECASE | re.DOTALL)
ALIKE = {"true": "1", "false": "0", "1": "true", "0": "false"}
SHOWN = 60
"""How much of an answer an error shows."""


def golds(spec: TaskSpec, row: Row, last: str | None = None) -> tuple[str, ...]:
    """The accepted answers of a row in canonical form, best first, none twice; none where the metric needs none.

    `last` is what a conversation says after its last question. Raises TaskError for what is missing, empty, not in
    `answer_map`, without a match of `answer_pattern`, or no answer that the task's reader reads.
    """
    if (
        not (spec.metric.needs_golds or {"answer", "answer_columns"} & spec.model_fields_set)
        and last is None
        and _has_none(row)
    ):
        return ()
    key, value = _answer(spec, row, last)
    if spec.reader.whole:
        return structured_golds(spec, row.place, key, _prepared(spec, row, key, value))
    value = _held(spec, row, value)
    several = isinstance(value, list | tuple)
    accepted = enumerate(_accepted(spec, row, key, value))
    return tuple(dict.fromkeys(_gold(spec, row, f"{key}.{at}" if several else key, one) for at, one in accepted))


def _answer(spec: TaskSpec, row: Row, last: str | None) -> tuple[str, Any]:
    """The field of the accepted answers and its value; what a conversation says `last` where the row has none of its own."""
    if last is not None and spec.answer == "answer" and not spec.answer_columns and not {"answer", "answers"} & set(row.values):
        return spec.question, last
    if spec.answer_columns:
        return "answer_columns", _marked(spec, row, spec.answer_columns)
    key = "answers" if spec.answer == "answer" and isinstance(row.values.get("answers"), list) else spec.answer
    value = field(spec, row, key, "answer")
    if spec.answer_separator and isinstance(value, str):
        return key, [one.strip() for one in value.split(spec.answer_separator) if one.strip()]
    return key, value


def _marked(spec: TaskSpec, row: Row, columns: list[str]) -> list[str]:
    """Those of columns of 0 and 1, a label each, that hold 1: one of them, but where an answer is a set of labels."""
    said = {name: mapped_key(text(field(spec, row, name, "answer_columns"), row, name).strip()) for name in columns}
    odd = next((name for name, one in said.items() if one not in ("0", "1", "true", "false")), None)
    if odd is not None:
        raise TaskError(f"{row.place}: field '{odd}' of answer_columns is {_short(said[odd])}; write 0 or 1, or name 'answer'")
    marked = [name for name, one in said.items() if one in ("1", "true")]
    if len(marked) != 1 and spec.reader.kind != "labels":
        told = f"holds 1 in {len(marked)} of answer_columns ({', '.join(marked) or 'none'}), and one is the answer"
        raise TaskError(f"{row.place}: {told}; drop or mend the row, or write a reader of kind 'labels'")
    return marked


def _has_none(row: Row) -> bool:
    """Whether a row has no gold answer under the usual names; an empty one is a mistake."""
    return all(row.values.get(key) is None for key in ("answer", "answers"))


def _accepted(spec: TaskSpec, row: Row, key: str, value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = _best(value) or value
    values = list(value) if isinstance(value, list | tuple) else [value]
    if any(isinstance(one, Mapping | list | tuple) for one in values):
        text(value, row, key)
    if not values:
        raise TaskError(f"{row.place}: the list of accepted answers '{key}' is empty; fill it in or remove the row")
    return values


def _held(spec: TaskSpec, row: Row, value: Any) -> Any:
    """What marks each of the row's options with 0 or 1, where `answer_map` names these, as the positions of the marked."""
    if not isinstance(spec.answer_map, str) or not isinstance(value, list | tuple):
        return value
    marked = MARKED.fullmatch(spec.answer_map) if spec.answer_map not in row.values else None
    found = row_options(spec, row, marked[1] if marked else spec.answer_map, "answer_map")
    if len(found) < 2 or len(value) != len(found) or not all(one in (0, 1) for one in value) or not any(value):
        return value
    return [option.label or at for at, (option, one) in enumerate(zip(found, value, strict=True)) if one]


def _prepared(spec: TaskSpec, row: Row, key: str, value: Any) -> Any:
    """A gold answer that is a structure after `answer_pattern` and `answer_map`, which are for each text in a list."""
    if isinstance(value, list | tuple):
        return [_prepared(spec, row, key, one) for one in value]
    if (spec.answer_pattern is None and spec.answer_map is None) or not isinstance(value, str | int | float):
        return value
    return _stated(spec, row, key, value)


def _best(scores: Mapping[str, Any]) -> list[str]:
    """The answers with the highest score, where these are numbers from 0 to 1 (`target_scores`); none elsewhere."""
    numbers = {name: float(score) for name, score in scores.items() if isinstance(score, int | float) and 0 <= score <= 1}
    if len(numbers) < max(2, len(scores)) or not any(numbers.values()):
        return []
    return [name for name, score in numbers.items() if score == max(numbers.values())]


def _stated(spec: TaskSpec, row: Row, key: str, value: Any) -> str:
    """The text of a gold answer: what the pattern finds in it, and what the map makes of that."""
    said = text(value, row, key).strip()
    if said and spec.answer_pattern is not None:
        parts = _parts(spec.answer_pattern, said, f"{row.place}: field '{key}': answer_pattern")
        if not parts or not parts[-1].strip():
            told = f"{row.place}: field '{key}': answer_pattern {spec.answer_pattern!r} finds nothing in {_short(said)}"
            raise TaskError(f"{told}; mend the pattern, or the row")
        said = parts[-1].strip()
    if not said:
        raise TaskError(f"{row.place}: field '{key}': the answer is empty; fill it in or remove the row")
    return said if spec.answer_map is None else _mapped(spec, row, key, said)


def _parts(pattern: str, said: str, where: str) -> list[str]:
    try:
        return patterns.found(pattern, said)
    except TimeoutError as problem:
        raise TaskError(f"{where}: {problem}") from None


def _gold(spec: TaskSpec, row: Row, key: str, value: Any) -> str:
    said = _stated(spec, row, key, value)
    if spec.metric.kind == "judge" or spec.reader.kind == "text":
        wrapped = WRAPPED.fullmatch(said) if spec.reader.source == "tag" else None
        return wrapped[1] if wrapped and wrapped[1] else said
    found = _number(spec, value) or _read(spec, said)
    if found is None:
        wanted = f"one of the labels {', '.join(spec.reader.labels or [])}" if spec.reader.labels else _span(spec)
        raise TaskError(
            f"{row.place}: field '{key}': the answer {_short(said)} is not {wanted}; {_suggestion(spec, said)}"
            f"fix the row or the reader of '{spec.name}'"
        )
    return found


def _number(spec: TaskSpec, value: Any) -> str | None:
    """A gold answer that is a number already, whatever sign texts have before their fractions."""
    as_it_stands = spec.answer_map is None and spec.answer_pattern is None and spec.reader.kind in ("integer", "number")
    return canonical_number(spec.reader, value) if as_it_stands and type(value) in (int, float) else None


def _mapped(spec: TaskSpec, row: Row, key: str, said: str) -> str:
    """What `answer_map` makes of an answer; one that it gives already stays."""
    if isinstance(spec.answer_map, str):
        return _option(spec, row, spec.answer_map, said)
    given = {str(name): str(answer) for name, answer in (spec.answer_map or {}).items()}
    own = mapped_key(said)
    for name in (own, ALIKE.get(own, own)):
        if name in given:
            return given[name]
    if said in given.values():
        return said
    there = ", ".join(f"{name}: {answer}" for name, answer in list(given.items())[:10])
    raise TaskError(
        f"{row.place}: field '{key}': the answer {_short(said)} is not in answer_map ({there}); add it there, or fix the row"
    )


def _option(spec: TaskSpec, row: Row, path: str, said: str) -> str:
    """The text of the row's own option that an answer names, or its mark where the path asks for one (`choices:A.`)."""
    marked = MARKED.fullmatch(path) if path not in row.values else None
    found = row_options(spec, row, marked[1] if marked else path, "answer_map")
    which = named(found, mapped_key(said))
    if len(which) != 1:
        told = f"may be {' or '.join(str(found[at].said) for at in which)}" if which else "is none of them"
        there = ", ".join(f"{one.label or at}: {one.said}" for at, one in enumerate(found[:10]))
        raise TaskError(
            f"{row.place}: answer_map: {path} has options ({there}), and the answer {_short(said)} {told}; fix the row, or "
            "write which answer stands for which label, such as answer_map: {0: A, 1: B}"
        )
    try:
        return marks(found, marked[3])[which[0]] if marked else text(found[which[0]].said, row, f"{path}.{which[0]}").strip()
    except ValueError as problem:
        raise TaskError(f"{row.place}: answer_map: {path} has {len(found)} options, {problem}") from None


def _read(spec: TaskSpec, said: str) -> str | None:
    """The answer that a gold states: a label as it stands, or what the reader makes of it.

    A label in the middle of other words is none: "very positive" is not "positive".
    """
    if wrapped := WRAPPED.fullmatch(said):
        said = wrapped[1]
    if spec.reader.pattern is not None and (parts := _parts(spec.reader.pattern, said, f"task '{spec.name}': reader.pattern")):
        said = parts[-1]
    if spec.reader.kind == "choice":
        labels = labels_of(spec.reader)
        # "4.0" is 4 where a table of numbers has gaps.
        found = labels.spelled(mapped_key(said)) or stated(said, labels)
        short = all(len(label) == 1 for label in labels.labels)
        return found or (canonical(spec.reader, said) if short else None)
    found = canonical(spec.reader, said)
    # The one number of some reasoning need not be the one that it ends with.
    ends_otherwise = "####" in said and found != canonical(spec.reader, said.rpartition("####")[2])
    return None if ends_otherwise else found


def _suggestion(spec: TaskSpec, said: str) -> str:
    """What to write where an answer cannot be read, as far as it can be told from one."""
    if "####" in said:
        return "write answer_pattern: '#### (.+)' if the answer stands after '####', or "
    if "\\boxed{" in said:
        return r"write answer_pattern: '\\boxed\{(.+)\}' if the answer is what is boxed, or "
    if spec.reader.decimal == "point" and re.fullmatch(r"[-+]?[\d.]*\d,\d+", said):
        return "set decimal: comma in the reader, or "
    labels = spec.reader.labels or []
    if not any(map(str.isalnum, said)):
        return f"write drop: {{{spec.answer}: {_short(said)}}} to leave such rows out, or "
    key = mapped_key(said)
    if key in ("true", "false") and labels:
        return f"write answer_map: {{true: {labels[0]}, false: {labels[-1]}}} with the label that each means, or "
    if key.isdecimal() and labels:
        first = int(said == str(len(labels)))
        named = ", ".join(f"{at}: {label}" for at, label in enumerate(labels, first))
        return f"write answer_map: {{{named}}} if it counts the labels from {first}, or "
    if labels and len(said) <= SHOWN:
        return f"write answer_map: {{{_short(said)}: {labels[0]}, ...}} if it means one of them, or "
    return "write answer_pattern: '...(...)' if it is a part of this that counts, or " if len(said.split()) > 1 else ""


def _short(said: str) -> str:
    return repr(said) if len(said) <= SHOWN else f"{said[: SHOWN // 2]!r}...{said[-SHOWN // 2 :]!r}"


def _span(spec: TaskSpec) -> str:
    limits = (("at least", spec.reader.minimum), ("at most", spec.reader.maximum))
    return ", ".join([f"one {spec.reader.kind}", *(f"{words} {limit:g}" for words, limit in limits if limit is not None)])
