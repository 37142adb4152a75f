"""How an answer is read from a reply. Pure functions; None means unparsed, which is not the same as wrong."""

from collections.abc import Callable
from decimal import Decimal

from ...domain.thoughts import without_thoughts
from .. import patterns
from . import first_rules
from .choices import choice_of
from .json_reader import read_alone, read_json, why_none
from .label_sets import read_labels, why_no_labels
from .labels import Labels
from .numbers import plain_number, read_number
from .reader_spec import ReaderSpec
from .schemas import complaints, text_of
from .tags import tagged


def read(
    spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None = None, *, cut_off: bool = False
) -> str | None:
    """The answer in `reply` in canonical form, or None when there is none; what the model thought before is no part of it.

    `extract` is the callable behind `from: package.module:function`, loaded by the task. A reply that was `cut_off`
    has no answer in a tag that it did not close.
    """
    text = _place(spec, without_thoughts(reply), extract, cut_off)
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
        return read_labels(text, labels_of(spec), spec.none)
    if spec.kind == "choice":
        if spec.rules == 1:
            return first_rules.read_choice(text, spec.labels or [])
        return choice_of(text, labels_of(spec))
    if spec.kind == "text":
        return text.strip()
    return first_rules.read_number(text, spec) if spec.rules == 1 else read_number(text, spec)


def why_unparsed(spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None = None) -> str:
    """Why a reply that `read` finds no answer in has none, where answers have a structure; "" elsewhere."""
    if not spec.whole:
        return ""
    text = _place(spec, without_thoughts(reply), extract, cut_off=False)
    if text is None or not text.strip():
        return "there is no <answer> tag with text in it" if spec.source == "tag" and spec.pattern is None else ""
    if spec.kind == "labels":
        return why_no_labels(text, labels_of(spec), spec.none)
    return why_none(text, _fits(spec))


def _fits(spec: ReaderSpec) -> Callable[[str], bool] | None:
    """Whether a JSON value fits the reader's schema, where it has one."""
    if not isinstance(spec.json_schema, dict):
        return None
    schema = text_of(spec.json_schema)
    return lambda form: not complaints(schema, form)


def canonical_number(spec: ReaderSpec, value: int | float) -> str | None:
    """The same of a number that is one already, whatever sign a text has before its fraction."""
    return canonical(spec.model_copy(update={"decimal": "point"}), plain_number(Decimal(str(value))))


def labels_of(spec: ReaderSpec) -> Labels:
    """The labels of a reader with their synonyms."""
    return Labels.of(spec.labels or [], spec.synonyms)


def _place(spec: ReaderSpec, reply: str, extract: Callable[[str], str | None] | None, cut_off: bool) -> str | None:
    if extract is not None:
        found = extract(reply)
        return None if found is None else str(found)
    if spec.pattern is not None:
        parts = patterns.found(spec.pattern, reply)
        return parts[-1] if parts else None
    if spec.source == "tag" or (spec.kind == "json" and read_alone(reply) is None):
        inside = first_rules.tagged(reply) if spec.rules == 1 else tagged(reply, cut_off, lambda text: _is_answer(spec, text))
        return reply if inside is None and spec.source != "tag" else inside
    return reply


def _is_answer(spec: ReaderSpec, text: str) -> bool:
    """Whether a text is an answer though it may look like what an instruction writes: "[x]" where that is a label."""
    if spec.kind == "choice":
        return labels_of(spec).spelled(text) is not None
    return spec.kind in ("json", "labels") and canonical(spec, text) is not None
