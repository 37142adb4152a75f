"""JSON as models write it, made strict where there is but one way to read it. Pure functions."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

DEEPEST = 100
"""How many brackets may stand within each other."""

LARGEST = 308
"""The largest power of ten that a number may have: beyond it no double has one, and readers of JSON differ."""

TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/|\#[^\n]*)"
    r"|(?P<mark>[{}\[\],:])"
    r"|(?P<string>\"(?:[^\"\\]++|\\.)*+\"|'(?:[^'\\]++|\\.)*+'|“[^“”]*”|‘[^‘’]*’)"
    r"|(?P<word>[^\s\"'“”‘’{}\[\],:/\#]+)",
    re.DOTALL,
)
OPENS = re.compile(
    r"[\[{][^\[\]{}]*\Z|"
    r"\{\s*(?:[\"'“‘}/#]|[A-Za-z_]\w*\s*:)|"
    r"\[\]|\[\s*(?:[\"'“‘{\[/#]|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?\s*(?:[,\]]|\Z)|(?:true|false|null|True|False|None)\b)"
)
"""How an object or a list begins, as against a bracket in a sentence; one that nothing closes may have begun either."""

UNCLOSED = ('"', "'", "/*")
"""What begins a string or a comment: of one that does not end, nobody knows where it would."""

CLOSES = re.compile(r"\s*([}\]])")
PAIRS = {"}": "{", "]": "["}
KEY = re.compile(r"[A-Za-z_]\w*")
PYTHON = {"True": "true", "False": "false", "None": "null"}
QUOTED = re.compile(r"\\.|\"", re.DOTALL)
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
HALF = re.compile("[\ud800-\udfff]")


def values(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Every outermost object and list in a text: where it starts and ends, and its canonical form.

    None instead of the form for what begins like JSON and is none: cut off, broken, or open to more than one reading.
    Nothing within one of those is a value of its own.
    """
    at = 0
    while opening := OPENS.search(text, at):
        before, start = text[at : opening.start()], opening.start()
        at, strict = _scanned(text, start)
        more = CLOSES.match(text, at)
        # A bracket too many: where the value ends is not where it says.
        yield start, at, None if more and PAIRS[more[1]] not in before else canonical(strict)


def whole(text: str) -> str | None:
    """The canonical form of a text that is one JSON value and nothing else; None where it is none."""
    text = text.strip().strip("\ufeff").strip()
    if text.startswith(("'", "“", "‘")):
        return None  # Quotes around what is said, and no JSON by themselves.
    end, strict = _scanned(text, 0)
    return canonical(strict) if end == len(text) else None


def canonical(text: str | None) -> str | None:
    """Strict JSON in the one form that equal values have; None where it is no JSON that every reader takes alike.

    That are keys that come twice, NaN, infinities, numbers that no double can hold, NUL, and halves of a character.
    """
    try:
        return None if text is None else form(json.loads(text, strict=False, **STRICT))
    except (ValueError, ArithmeticError, RecursionError):
        return None


def form(value: Any) -> str:
    """The canonical text of a JSON value: keys sorted, whole numbers without a point. Raises ValueError where it is none."""
    text = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    if NUL.search(text) or HALF.search(text):
        raise ValueError("it holds a NUL or half of a character")
    return text


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        if odd := next((key for key in value if not isinstance(key, str)), None):
            raise ValueError(f"its key {odd!r} is no text")
        return {key: _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if value is None or isinstance(value, str | int):
        return value
    raise ValueError(f"it holds {type(value).__name__}, which JSON does not have")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _number(text: str) -> int | float:
    value = Decimal(text)
    if value and not -LARGEST <= value.adjusted() <= LARGEST:
        raise ValueError("a number is too large or too small")
    return int(value) if value == value.to_integral_value() else float(value)


def _no(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


STRICT: dict[str, Any] = {
    "object_pairs_hook": _pairs, "parse_float": _number, "parse_int": _number, "parse_constant": _no,
}  # fmt: skip


def _scanned(text: str, at: int) -> tuple[int, str | None]:
    """The value that starts at a place: where it ends, and its text with the repairs that nothing speaks against.

    These are comments, one comma too many at the end, keys without quotes, Python's words, and other quotes. None instead
    of the text where there is no such value; what comes after it is then not looked into up to the bracket that closes it.
    """
    made: list[str] = []
    opened: list[str] = []
    last, comma, broken = "", False, False
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None and text.startswith(UNCLOSED, at):
            return len(text), None
        at = token.end() if token else at + 1
        if token is None or token["space"]:
            broken |= token is None
            continue
        said = token[0]
        if said == ",":
            # One before a closing bracket is left out, and stands for nothing that is missing before it.
            broken |= comma or last in ("", "[", "{")
            comma = True
            continue
        if comma and said not in ("}", "]"):
            made.append(",")
        comma, last = False, said
        if said in ("{", "["):
            opened.append(said)
            broken |= len(opened) > DEEPEST
        elif said in ("}", "]"):
            broken |= not opened or opened.pop() + said not in ("{}", "[]")
        made += [_strict(token, text, bool(opened) and opened[-1] == "{"), " "]
        if not opened:
            return at, None if broken else "".join(made)
    return at, None


def _strict(token: re.Match[str], text: str, in_object: bool) -> str:
    said = token[0]
    if token["string"]:
        return f'"{QUOTED.sub(lambda part: _escaped(part[0]), said[1:-1])}"'
    if token["word"]:
        if in_object and said not in PYTHON and KEY.fullmatch(said) and re.match(r"\s*:", text[token.end() : token.end() + 20]):
            return f'"{said}"'
        return PYTHON.get(said, said)
    return said


def _escaped(part: str) -> str:
    return {"\\'": "'", '"': '\\"'}.get(part, part)
