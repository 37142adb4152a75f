"""What is wrong with values that people write, in our words and with what to write, for whatever validation calls it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .redaction import redact

Where = tuple[int | str, ...]

LONGEST = 60
"""Characters of a value that a complaint repeats."""

WRONG_KIND: Mapping[str, str] = {
    "int": "no whole number; write one such as 3",
    "float": "no number; write one such as 0.5",
    "decimal": "no number; write one such as 0.5",
    "finite": "no finite number; write one such as 0.5",
    "bool": "neither true nor false; write one of these",
    "string": "not text; write text, in quotes where it looks like something else",
    "bytes": "not text; write text",
    "list": "not a list; write [one, another]",
    "tuple": "not a list; write [one, another]",
    "set": "not a list; write [one, another]",
    "frozen": "not a list; write [one, another]",
    "iterable": "not a list; write [one, another]",
    "dict": "not a block; write 'key: value' lines, or {key: value}",
    "mapping": "not a block; write 'key: value' lines, or {key: value}",
    "model": "not a block; write 'key: value' lines, or {key: value}",
    "dataclass": "not a block; write 'key: value' lines, or {key: value}",
    "is": "not of the kind that belongs here",
    "callable": "not a function; name one",
    "none": "something, and nothing belongs here; leave it out",
}
"""What a value is where it has the wrong kind, by the first word of what pydantic calls that."""

FORM = re.compile(
    r"(str|int|float|bool|none|bytes|decimal|any|url)$|[A-Z]\w*$"
    r"|(dict|list|tuple|set|frozenset|literal|nullable|constrained|function|lax-or|json-or|is-instance|chain|union)\b.*[\[-]"
)
"""What pydantic calls the forms that a value may have, in the places of errors: types, classes and functions."""

LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "too small: write a number above {}"),
    "greater_than_equal": ("ge", "too small: write {} or more"),
    "less_than": ("lt", "too large: write a number below {}"),
    "less_than_equal": ("le", "too large: write {} or less"),
    "multiple_of": ("multiple_of", "no multiple of {}; write one"),
}
"""What a number is that lies outside of its limits, with the name of the limit."""


def in_words(kind: str, message: str, given: Any, context: Mapping[str, Any]) -> str:
    """What is wrong with a value: `kind`, `message` and `context` are pydantic's, whose own words nobody is shown.

    Our validators raise ValueError with a whole sentence, which stands as it is.
    """
    if kind in ("value_error", "assertion_error"):
        return re.sub(r"^(Value error|Assertion failed), ", "", message)
    value = as_written(given)
    if kind in LIMITS:
        name, said = LIMITS[kind]
        return f"{value} is {said.format(_number(context.get(name)))}"
    if kind in ("literal_error", "enum"):
        return f"{value} is none of {str(context.get('expected')).replace(' or ', ', ')}; write one of them"
    if kind in ("too_short", "string_too_short"):
        least = context.get("min_length", 1)
        return "is empty; fill it in" if least == 1 else f"is too short; it needs at least {least}"
    if kind in ("too_long", "string_too_long"):
        return f"is too long; it may have at most {context.get('max_length')}"
    if kind == "string_pattern_mismatch":
        return f"is not of the form that belongs here, {context.get('pattern')}"
    said = WRONG_KIND.get(kind.partition("_")[0], "not what belongs here")
    return f"{value} is {said}"


def as_written(value: Any) -> str:
    """A value as it stands in a file, where it is short; else what it is. Keys are no part of it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        said = redact(value)
        return repr(said if len(said) <= LONGEST else f"{said[:LONGEST]}...")
    if isinstance(value, int | float):
        return str(value)[:LONGEST]
    if isinstance(value, Mapping):
        return "a block"
    return "a list" if isinstance(value, list | tuple | set | frozenset) else f"a {type(value).__name__}"


def _number(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, int | float) else str(limit)


def complaints(errors: Iterable[Mapping[str, Any]], data: Any) -> Iterator[tuple[Where, str, str]]:
    """Where, of what kind and what: one for each thing that is wrong with `data`, of which pydantic tells `errors`.

    Of a value that may be of several forms it tells an error a form, at places that name these: here they are one, and
    only the deepest count, which are about the form that was meant.
    """
    found: dict[Where, list[Mapping[str, Any]]] = {}
    for error in errors:
        found.setdefault(_place(error["loc"], data), []).append(error)
    for where, own in found.items():
        if len(own) > 1 or _is_kind(own[0]):
            # A form that was not meant, where another one is wrong further inside.
            if any(other[: len(where)] == where and len(other) > len(where) for other in found) and all(map(_is_kind, own)):
                continue
        meant = [error for error in own if not _is_kind(error)] or own
        words = [in_words(e["type"], e["msg"], e.get("input"), e.get("ctx") or {}) for e in meant]
        yield where, meant[0]["type"], _joined(list(dict.fromkeys(words)))


def _is_kind(error: Mapping[str, Any]) -> bool:
    return str(error["type"]).endswith(("_type", "_parsing", "_from_float", "_instance_of"))


def _joined(words: Sequence[str]) -> str:
    """Several complaints about one value; what they begin with alike is said once."""
    starts = [word.partition(" is ") for word in words]
    if len(words) > 1 and all(start == starts[0][0] and between for start, between, _ in starts):
        kinds = [rest.partition("; ")[0] for _, _, rest in starts]
        fixes = [rest.partition("; ")[2] for _, _, rest in starts]
        return f"{starts[0][0]} is {' and '.join(kinds)}; {', or '.join(fix for fix in fixes if fix)}"
    return "; ".join(words)


def _place(loc: Where, data: Any) -> Where:
    """The keys and positions of a place, without the names of forms that pydantic puts between them."""
    place: list[int | str] = []
    for part in loc:
        inside = part in data if isinstance(data, Mapping) else isinstance(part, int)
        if inside or not FORM.match(str(part)):
            place.append(part)
            items = isinstance(data, list | tuple) and isinstance(part, int) and part < len(data)
            data = data[part] if items or (inside and isinstance(data, Mapping)) else None
    return tuple(place)
