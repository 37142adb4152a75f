"""Words of many languages, read once from `datasets/languages.yaml`, where their roles are described."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from ..data import DATASETS
from .signs import plain_signs

Phrases = Mapping[str, Mapping[str, list[str]]]
"""The phrases of each language by role."""


@cache
def _table() -> dict[str, Any]:
    # The loader in C, where there is one, takes 2 ms instead of 70.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load((DATASETS / "languages.yaml").read_text(encoding="utf-8"), loader)
    return found


def words_in(written: str) -> list[str]:
    """The phrases of one entry, in plain signs and lower case."""
    return [plain_signs(phrase.strip()).casefold() for phrase in written.split("|")]


def _phrases(key: str) -> Phrases:
    return {
        language: {role: words_in(words) for role, words in roles.items()} for language, roles in _table()[key].items()
    }  # fmt: skip


SPACED = _phrases("spaced")
"""Languages that put spaces between words."""
TOGETHER = _phrases("together")
"""Languages whose words are written together, and Korean, whose particles are."""
ENDINGS = tuple(sorted(words_in(_table()["endings"]), key=len, reverse=True))
"""What may follow a label of one character at the end of a sentence in those; the longest first."""
LONGER = tuple(words_in(_table()["longer"]))
"""Words that begin with a common label and mean something else."""
REPLIES = frozenset(words_in(_table()["replies"]))
"""Yes and no."""
SCALES: Mapping[str, int] = {word: power for power, words in _table()["scales"].items() for word in words_in(words)}
"""Words that multiply the number before them, and the power of ten that they stand for."""
UNITS = frozenset(phrase.strip() for phrase in _table()["units"].split("|"))
"""Units that may be written right behind a number; single letters as they are spelled."""
BOUNDS = words_in(_table()["bounds"])
"""What makes the number behind it a bound, and no value."""
