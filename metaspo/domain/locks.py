"""Locked parts of a system prompt: every later system prompt keeps them word for word and in order.

A person marks them in the seed with `<locked>` and `</locked>`. The marks are read once: no prompt that
a model sees, is scored or is kept holds them. An optimizer sees `[[locked 1]]` in the place of a part
and hands that back, so that what is locked never passes through a model's words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .errors import PromptError

PART = re.compile(r"<locked>(.*?)</locked>", re.DOTALL)
MARK = re.compile(r"</?\s*locked\s*>", re.IGNORECASE)
MOST = 200
"""The most parts that a prompt may lock."""

PLACE = re.compile(r"\[\[\s*locked\s+(\d+)\s*\]\]", re.IGNORECASE)


def without_marks(text: str) -> str:
    """The text without its `<locked>` and `</locked>` marks; what stands between them stays."""
    return MARK.sub("", text)


def place(number: int) -> str:
    """What an optimizer sees and writes in the place of a locked part, counted from 1."""
    return f"[[locked {number}]]"


@dataclass(frozen=True, slots=True)
class Locks:
    """What every system prompt of a run must keep: its locked `parts` in order, and `longest`, its most characters."""

    parts: tuple[str, ...] = ()
    longest: int | None = None

    @classmethod
    def of(cls, marked: str, longest: int | None = None) -> "Locks":
        """The locks that a seed prompt sets; raises PromptError when its marks are wrong or it breaks its own rules."""
        marks = MARK.findall(marked)
        if marks != ["<locked>", "</locked>"] * (len(marks) // 2):
            raise PromptError("system_prompt has stray marks: a locked part stands between one <locked> and one </locked>")
        if len(marks) > 2 * MOST:
            raise PromptError(f"system_prompt locks {len(marks) // 2:,} parts, more than {MOST}; lock longer parts, and fewer")
        locks = cls(tuple(part.strip() for part in PART.findall(marked)), longest)
        if not all(locks.parts):
            raise PromptError("system_prompt has an empty locked part; write what to keep between <locked> and </locked>")
        if locks.parts and PLACE.search(marked):
            raise PromptError(f"system_prompt holds {place(1)} or its like, which stand for locked parts; write something else")
        complaint = locks.complaint(without_marks(marked))
        if complaint:
            raise PromptError(f"system_prompt breaks its own rules: it {complaint}")
        return locks

    def edited(self, text: str) -> str:
        """A text that a person wrote, without marks; raises PromptError when it breaks these locks."""
        if MARK.search(text) and Locks.of(text).parts != self.parts:
            raise PromptError("the edited text locks other parts than the run's seed does; a new run may lock others")
        text = without_marks(text)
        complaint = self.complaint(text)
        if complaint:
            raise PromptError(f"the edited text {complaint}")
        return text

    def marked(self, prompt: str) -> str:
        """A prompt that keeps the parts, with marks around each: so that a run which begins with it keeps them too."""
        pieces = _free(prompt, self.parts) or [prompt]
        return pieces[0] + "".join(
            f"<locked>{part}</locked>{piece}" for part, piece in zip(self.parts, pieces[1:], strict=False)
        )

    @property
    def size(self) -> int:
        """Characters of all locked parts."""
        return sum(map(len, self.parts))

    def hidden(self, prompt: str) -> str:
        """A prompt that keeps the parts, with its place in the stead of each."""
        pieces = _free(prompt, self.parts)
        if pieces is None:
            return prompt
        return pieces[0] + "".join(place(number) + piece for number, piece in enumerate(pieces[1:], 1))

    def shown(self, prompt: str) -> str:
        """A prompt with the parts in their places, where it holds each place once and in order; else as it is."""
        numbers = [int(number) for number in PLACE.findall(prompt)]
        if numbers != list(range(1, len(self.parts) + 1)):
            return prompt
        return PLACE.sub(lambda found: self.parts[int(found[1]) - 1], prompt)

    def complaint(self, prompt: str) -> str | None:
        """What keeps a text without marks from being a system prompt under these locks, or None."""
        if not prompt.strip():
            return "is empty"
        if MARK.search(prompt):
            return "holds a <locked> mark"
        if self.parts and PLACE.search(prompt):
            return f"does not hold {', '.join(place(n) for n in range(1, len(self.parts) + 1))} once each and in this order"
        pieces = _free(prompt, self.parts)
        if pieces is None:
            return f"does not keep the locked parts word for word and in order: {' ... '.join(map(_brief, self.parts))}"
        for part in self.parts:
            if any(part in piece for piece in pieces):
                return f"holds a locked part twice: {_brief(part)}"
        for before, part, after in zip(pieces, self.parts, pieces[1:], strict=False):
            if _run_together(before[-1:], part[0]) or _run_together(part[-1], after[:1]):
                return f"runs a locked part together with the next word: {_brief(part)}"
        if self.longest and len(prompt) > self.longest:
            return f"is {len(prompt)} characters long, more than {self.longest}"
        return None


def _free(prompt: str, parts: Sequence[str]) -> list[str] | None:
    """What stands before, between and after the parts, taken one after the other; None where one is missing."""
    pieces = []
    for part in parts:
        before, found, prompt = prompt.partition(part)
        if not found:
            return None
        pieces.append(before)
    return [*pieces, prompt]


def _run_together(left: str, right: str) -> bool:
    # ASCII alone: Chinese and its like put no space between words.
    return all(letter.isascii() and letter.isalnum() for letter in (left, right))


def _brief(part: str) -> str:
    return repr(part if len(part) <= 60 else f"{part[:57]}...")
