"""A closed set of labels and the other spellings that count as one of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from .signs import plain_signs

AROUND = " \t\r\n.,;:!?*_`\"'()[]{}$~«»„“”「」『』【】《》〈〉。、"
"""Signs around a label that are no part of it."""


@dataclass(frozen=True)
class Labels:
    """Labels as a task spells them, and their synonyms. `spellings` has each with its label, labels first."""

    spellings: tuple[tuple[str, str], ...]

    @staticmethod
    def of(labels: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> "Labels":
        """The labels of a reader, ready to use."""
        named = [(label, label) for label in labels]
        named += [(word, label) for label, words in synonyms.items() for word in words]
        # "A" says what "A)" and "(A)" do.
        bare = [(word.strip(AROUND), label) for word, label in named]
        alike = [word.casefold() for word, _ in bare]
        return _ready((*named, *(one for one in bare if one not in named and one[0] and alike.count(one[0].casefold()) == 1)))

    @cached_property
    def letters(self) -> bool:
        """Whether all labels are single letters."""
        return all(len(plain) == 1 and plain.isalpha() for plain in (plain_signs(label) for label in self.labels))

    @cached_property
    def digits(self) -> bool:
        """Whether all labels are whole numbers."""
        return all(plain_signs(label).isdecimal() for label in self.labels)

    @cached_property
    def highest(self) -> str:
        """The highest of labels that are digits."""
        return max((plain_signs(label) for label in self.labels), key=int)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels as the task spells them."""
        return tuple(dict.fromkeys(label for _, label in self.spellings))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches any spelling, in plain text. The longest first: "not urgent" before "urgent"."""
        words = sorted({plain_signs(word) for word, _ in self.spellings}, key=len, reverse=True)
        return re.compile("|".join(r"\s+".join(map(re.escape, word.split())) for word in words), re.IGNORECASE)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        # Compared as `pattern` does, which is not the same as by casefold: Turkish "HAYIR" is its lower case.
        return [
            (re.compile(r"\s+".join(map(re.escape, plain_signs(word).split())), re.IGNORECASE), label)
            for word, label in self.spellings
        ]

    def spelled(self, text: str) -> str | None:
        """The label that a text spells, as the task spells it; None where it is none."""
        if len(text) > 1000:
            return None
        text = plain_signs(text).strip()
        found = next((label for pattern, label in self._patterns if pattern.fullmatch(text)), None)
        return found or next((label for word, label in self.spellings if word.casefold() == text.casefold()), None)


@lru_cache(256)
def _ready(spellings: tuple[tuple[str, str], ...]) -> Labels:
    return Labels(spellings)
