"""Which JSON value a reply gives as its answer. Pure functions; None where it gives none, or several with equal right."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import json_text

FENCE = re.compile(r"`{3,}|~{3,}")
OPENED = re.compile(r"(?:`{3,}|~{3,})[\w.+-]*\s*\Z")
CLOSED = re.compile(r"\s*(?:`{3,}|~{3,}|\Z)")
BLOCK = re.compile(r"(`{3,}|~{3,})[\w.+-]*\s(.*)\1", re.DOTALL)
FINAL = re.compile(
    r"(?:\b(?:final|corrected|revised)\b(?:(?!\b(?:not|was)\b)[^{}\[\].!?\n]){0,40}"
    r"|(?<!if )\b(?:the|my)\s+answer[\s*_]*(?:is\b[\s*_]*:?|:)[\s*_]*)\s*\Z",
    re.IGNORECASE,
)
"""What comes before a value that takes the place of those before it."""

BEFORE = 80
"""How many characters before a value are looked at for what they say about it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A value in a reply; what begins like one and is none has no `form`, and stands for a value that nobody knows."""

    form: str | None
    fenced: bool
    final: bool


def read_json(text: str, fits: Callable[[str], bool] | None = None) -> str | None:
    """The canonical form of the one JSON value that a text gives.

    In this order: the text is a value, or a fenced one, and nothing else; the objects and lists that fill a fence; those
    anywhere. Of several different ones those count that are called final, and then those that fit, where `fits` says
    so. A value that is cut off or broken is one of these, so that neither a part of it nor an earlier draft is read instead.
    """
    if alone := read_alone(text):
        return _unwrapped(alone, fits)
    forms = _forms(text, fits)
    return forms.pop() if len(forms) == 1 else None


def _unwrapped(form: str, fits: Callable[[str], bool] | None) -> str:
    """The object or the list that a JSON string holds and nothing else, unless the string is what is asked for."""
    within = json_text.whole(json.loads(form)) if form.startswith('"') else None
    return form if within is None or within[0] not in "{[" or (fits is not None and fits(form)) else within


def why_none(text: str, fits: Callable[[str], bool] | None = None) -> str:
    """Why a text that `read_json` reads nothing in gives no value, for people and for whoever rewrites the prompt."""
    forms = _forms(text, fits)
    if None in forms:
        return "its JSON is cut off or broken"
    return f"it holds {len(forms)} different JSON values" if forms else "it holds no JSON object or list"


def _forms(text: str, fits: Callable[[str], bool] | None) -> set[str | None]:
    """The different values that a text gives with equal right."""
    found = _found(text)
    group = [one for one in found if one.fenced] or found
    group = [one for one in group if one.final] or group
    forms = {one.form for one in [*group, *(one for one in found if one.final)]}
    if len(forms) > 1 and fits is not None and None not in forms:
        fitting: set[str | None] = {form for form in forms if form is not None and fits(form)}
        return fitting or forms
    return forms


def read_alone(text: str) -> str | None:
    """The canonical form of a text that is one JSON value, fenced or not, and nothing else; null is none."""
    block = BLOCK.fullmatch(text.strip().strip("\ufeff").strip())
    form = json_text.whole(block[2] if block else text)
    return None if form == "null" else form


def _found(text: str) -> list[_Found]:
    found: list[_Found] = []
    fences = last = 0
    for start, end, form in json_text.values(text):
        fences += len(FENCE.findall(text, last, start))
        before = text[max(0, start - BEFORE) : start]
        opened = OPENED.search(before) if fences % 2 else None
        fenced = opened is not None and CLOSED.match(text, end) is not None
        said = before[: opened.start()] if opened else before
        found.append(_Found(form, fenced, FINAL.search(said.rstrip()) is not None))
        last = end
    return found
