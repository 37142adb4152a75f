"""Answers scored field by field. Pure functions over JSON texts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..answers.label_sets import f1, overlap
from ..answers.reader_spec import ReaderSpec
from ..answers.readers import canonical
from . import metrics
from .field_spec import FieldSpec

MISSING = object()
"""What is at a path that leads nowhere, where that is not the same as null."""

WHOLE = "$"
"""The path of an answer that is no object: all of it."""

LONGEST = 60
"""Characters of a value that an explanation shows."""

MOST = 8
"""Fields that an explanation names."""


@dataclass(frozen=True, slots=True)
class FieldScore:
    """How one field of an answer compares with the gold one: a score in [0, 1], its weight, and both values."""

    field: str
    score: float
    weight: float
    expected: Any
    given: Any


def field_scores(fields: Mapping[str, FieldSpec] | None, answer: str | None, gold: str) -> list[FieldScore]:
    """The score of each field of an answer, as JSON text, against one gold answer; every one 0 where there is no answer.

    Without `fields` they are the values within the gold answer: numbers compare as numbers, lists as sets, all else
    exactly. A field that the gold answer has and the answer lacks scores 0; fields that nobody asked for do not count.
    """
    given, expected = json.loads(answer) if answer is not None else None, json.loads(gold)
    own = fields or {path: FieldSpec(kind=_kind(value)) for path, value in _leaves(expected, ())}
    return [_scored(path, how, given, expected, answer is not None) for path, how in own.items()]


def score(fields: Mapping[str, FieldSpec] | None, answer: str, golds: Sequence[str]) -> float:
    """The weighted mean of the fields' scores, in [0, 1]; the best over the accepted answers."""
    return max((_mean(field_scores(fields, answer, gold)) for gold in golds), default=0.0)


def nearest(fields: Mapping[str, FieldSpec] | None, answer: str | None, golds: Sequence[str]) -> list[FieldScore]:
    """The field scores against the accepted answer that gives the best mean."""
    return max((field_scores(fields, answer, gold) for gold in golds), key=_mean, default=[])


def said_of(found: Sequence[FieldScore]) -> str:
    """Which fields are wrong, what was expected there and what was given."""
    wrong = [one for one in found if one.score < 1]
    said = [f"{one.field}: expected {shown(one.expected)}, got {shown(one.given)}" for one in wrong[:MOST]]
    return "; ".join([*said, *([f"and {len(wrong) - MOST} more fields"] if len(wrong) > MOST else [])])


def gold_value(gold: str, path: str) -> Any:
    """What a gold answer, as JSON text, holds at a path; `MISSING` where there is no such place in it."""
    return value_at(json.loads(gold), path, MISSING)


def value_at(value: Any, path: str, missing: Any = None) -> Any:
    """What stands at a dotted path; `*` stands for every element of a list, and gives a list of what is there."""
    if isinstance(value, dict) and path in value:
        return value[path]
    if path == WHOLE:
        return value
    head, _, rest = path.partition(".")
    if head == "*" and isinstance(value, list):
        parts = [value_at(part, rest, MISSING) if rest else part for part in value]
        flat = [one for part in parts for one in (part if isinstance(part, list) and "*" in rest else [part])]
        return [one for one in flat if one is not MISSING and one is not None]
    if isinstance(value, dict) and head in value:
        return value_at(value[head], rest, missing) if rest else value[head]
    if isinstance(value, list) and head.isdecimal() and int(head) < len(value):
        return value_at(value[int(head)], rest, missing) if rest else value[int(head)]
    return missing


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not path):
        for key, part in value.items():
            yield from _leaves(part, (*path, key))
    else:
        yield ".".join(path) or WHOLE, value


def _kind(value: Any) -> Any:
    if isinstance(value, list):
        return "set"
    return "numeric" if isinstance(value, int | float) and not isinstance(value, bool) else "exact"


def _mean(found: Sequence[FieldScore]) -> float:
    whole = sum(one.weight for one in found)
    return sum(one.score * one.weight for one in found) / whole if whole else 1.0


def _scored(path: str, how: FieldSpec, given: Any, expected: Any, answered: bool) -> FieldScore:
    got, wanted = value_at(given, path), value_at(expected, path)
    return FieldScore(path, _alike(how, got, wanted) if answered else 0.0, how.weight, wanted, got)


def _alike(how: FieldSpec, given: Any, expected: Any) -> float:
    if given is None or expected is None:
        return float(given is expected)
    if how.kind in ("set", "jaccard"):
        one, other = ({_comparable(part) for part in _listed(value)} for value in (given, expected))
        return f1(one, other) if how.kind == "set" else overlap(one, other)
    if how.kind == "numeric":
        return _numeric(how, given, expected)
    if how.kind == "exact":
        return float(_comparable(given) == _comparable(expected))
    compare = metrics.token_f1 if how.kind == "token_f1" else metrics.contains
    return compare(text_of(given), [text_of(expected)])


def _numeric(how: FieldSpec, given: Any, expected: Any) -> float:
    one, other = (number_of(value, how) for value in (given, expected))
    if one is None or other is None:
        return 0.0
    return float(abs(one - other) <= Decimal(str(how.tolerance)))


def number_of(value: Any, how: FieldSpec) -> Decimal | None:
    """The number that a value is, or that its text states; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = canonical(ReaderSpec(kind="number", decimal=how.decimal), value) if isinstance(value, str) else str(value)
    return None if text is None else Decimal(text)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _comparable(value: Any) -> str:
    """Text without regard to case and outer spaces, numbers as text, and structures of these."""
    if isinstance(value, dict):
        return json.dumps({key: _comparable(part) for key, part in value.items()}, sort_keys=True)
    if isinstance(value, list):
        return json.dumps([_comparable(part) for part in value])
    return text_of(value).strip().casefold()


def text_of(value: Any) -> str:
    """A value as text: a string as it is, a list of them joined, anything else as JSON."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def shown(value: Any) -> str:
    """The beginning of a value, for people."""
    if value is None:
        return "nothing"
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
