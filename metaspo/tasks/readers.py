"""How an answer is read from a reply. Pure functions; None means unparsed, which is not the same as wrong."""

import re
from collections.abc import Callable
from decimal import Decimal

from ..domain.thoughts import without_thoughts
from .choices import ANNOUNCED, AROUND, JOINED, plain_signs, read_choice, without_scale
from .json_reader import read_alone, read_json, why_none
from .label_sets import read_labels, spellings, why_no_labels
from .reader_spec import ReaderSpec
from .schemas import complaints, text_of

TAG = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.IGNORECASE | re.DOTALL)
FIGURE = r"(?<![\w.,])(?<![a-z]-)([-+]?\$?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:e[-+]?\d{1,2})?)(?!\w)(?![.,]\d)"
NUMBER = re.compile(FIGURE, re.IGNORECASE)
ANNOUNCED_NUMBER = re.compile(ANNOUNCED + FIGURE, re.IGNORECASE)
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
SECOND_NUMBER = re.compile(rf"(?:{JOINED}|\s*(?:-|\bto\b)\s*){FIGURE}", re.IGNORECASE)


def read(spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None = None) -> str | None:
    """The answer in `reply` in canonical form, or None when there is none; what the model thought before is no part of it.

    `extract` is the callable behind `from: package.module:function`, loaded by the task.
    """
    text = _place(spec, without_thoughts(reply), extract)
    if text is None or not text.strip():
        return None
    return canonical(spec, text)


def canonical(spec: ReaderSpec, text: str) -> str | None:
    """The answer that `text` states: a label as it is spelled in the task, a plain number, JSON, or trimmed text.

    Several labels are a JSON list in the task's order.
    """
    if spec.kind == "json":
        return read_json(text, _fits(spec))
    if spec.kind == "labels":
        return read_labels(text, spec.labels or [], spec.none)
    if spec.kind == "choice":
        return read_choice(text, spec.labels or [])
    if spec.kind == "text":
        return text.strip()
    return _read_number(text, spec)


def why_unparsed(spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None = None) -> str:
    """Why a reply that `read` finds no answer in has none, where answers have a structure; "" elsewhere."""
    if not spec.whole:
        return ""
    text = _place(spec, without_thoughts(reply), extract)
    if text is None or not text.strip():
        return "there is no <answer> tag with text in it" if spec.source == "tag" and spec.pattern is None else ""
    if spec.kind == "labels":
        return why_no_labels(text, spellings(spec.labels or [], spec.none))
    return why_none(text, _fits(spec))


def _fits(spec: ReaderSpec) -> Callable[[str], bool] | None:
    """Whether a JSON value fits the reader's schema, where it has one."""
    if not isinstance(spec.json_schema, dict):
        return None
    schema = text_of(spec.json_schema)
    return lambda form: not complaints(schema, form)


def _place(spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None) -> str | None:
    if extract is not None:
        found = extract(reply)
        return None if found is None else str(found)
    if spec.pattern is not None:
        matches = list(re.finditer(spec.pattern, reply))
        return matches[-1].group(1) if matches else None
    if spec.source == "tag":
        tags = TAG.findall(reply)
        return tags[-1] if tags else None
    if spec.kind == "json" and (tags := TAG.findall(reply)) and read_alone(reply) is None:
        return str(tags[-1])
    return reply


def _read_number(text: str, spec: ReaderSpec) -> str | None:
    """The number that is announced, the last time that one is, or else the only one there is.

    A text of nothing but a number word ("Seven.") is read as well; within a sentence "one" is too often no number.
    """
    text = plain_signs(text)
    if (word := text.strip(AROUND).casefold()) in NUMBER_WORDS:
        text = str(NUMBER_WORDS.index(word))
    if spec.kind == "integer" and spec.maximum is not None:
        text = without_scale(text, f"{spec.maximum:g}")
    announced = list(ANNOUNCED_NUMBER.finditer(text))
    found = [announced[-1], SECOND_NUMBER.match(text, announced[-1].end())] if announced else NUMBER.finditer(text)
    values = {Decimal(re.sub(r"[,$]", "", match[1])) for match in found if match}
    if len(values) != 1:
        return None
    value = values.pop()
    if spec.kind == "integer" and value != value.to_integral_value():
        return None
    low, high = spec.minimum, spec.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    return _plain(value)


def _plain(value: Decimal) -> str:
    digits = format(value, "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits if value else "0"
