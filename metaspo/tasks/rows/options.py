"""Options to choose from, in the forms in which data has them, and the marks that they get. Pure functions."""

import re
from collections.abc import Mapping, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any, NamedTuple

from .cells import opened

MARKED = re.compile(r"(.+):(\W{0,2})([Aa1])(\W{0,2})", re.DOTALL)
"""A field with the mark that its first option gets: `choices:A.`, `choices:(1)`."""


class Option(NamedTuple):
    """One option: its label where the data has one, and what it says."""

    label: str | None
    said: Any


def options(value: Any) -> list[Option] | None:
    """The options in a list, by label in a mapping, or with labels and texts side by side; None where it is none of these."""
    value = opened(value) if isinstance(value, str) else value
    if isinstance(value, Mapping) and isinstance(texts := value.get("text"), list):
        labels = value.get("label")
        return [Option(*one) for one in zip(_labels(labels, len(texts)), texts, strict=True)]
    if isinstance(value, Mapping):
        return [Option(str(label), said) for label, said in value.items()]
    if isinstance(value, list | tuple):
        return [_one(item) for item in value]
    return None


def _labels(labels: Any, count: int) -> Sequence[str | None]:
    return list(map(str, labels)) if isinstance(labels, list) and len(labels) == count else [None] * count


def _one(item: Any) -> Option:
    if isinstance(item, Mapping) and "text" in item:
        return Option(None if item.get("label") is None else str(item["label"]), item["text"])
    return Option(None, item)


def marks(found: Sequence[Option], first: str) -> list[str]:
    """What stands before each: the label of the data, or what comes after `first` ("A", "a" or "1").

    Raises ValueError where there are more of them than letters.
    """
    letters = {"A": ascii_uppercase, "a": ascii_lowercase}.get(first)
    if letters and len(found) > len(letters):
        raise ValueError("more than letters")
    return [one.label if one.label is not None else letters[at] if letters else str(at + 1) for at, one in enumerate(found)]


def named(found: Sequence[Option], answer: str) -> list[int]:
    """Which options an answer may mean: by its label alone where one has it; else by index from 0, letter or text."""
    by_label = [at for at, one in enumerate(found) if one.label is not None and one.label.casefold() == answer.casefold()]
    if by_label:
        return by_label
    by_text = {at for at, one in enumerate(found) if str(one.said).strip().casefold() == answer.casefold()}
    by_index = {int(answer)} if answer.isdecimal() else {ascii_uppercase.find(answer.upper())} if len(answer) == 1 else set()
    unlabelled = {at for at in by_index if 0 <= at < len(found) and found[at].label is None}
    return sorted(by_text | unlabelled)
