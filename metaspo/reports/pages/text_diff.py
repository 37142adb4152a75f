"""Two texts as one: what stayed, what went, what came. Sentences first, then words where a sentence was only changed."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["same", "added", "removed"]

SENTENCE = re.compile(r"(\s*\n\s*|(?<=[.!?:;])[ \t]+|(?<=[\u3002\uff01\uff1f]))")
"""What stands between lines and sentences."""

WORD = re.compile(r"\s+|[\u2e80-\u9fff\uac00-\ud7a3]|[^\W\u2e80-\u9fff\uac00-\ud7a3]+|[^\w\s]")
"""A word, a sign, or the space between; in scripts that put no space between words, each character."""

REWRITTEN = 0.35
"""The share of a text that must have stayed for it to be called changed; below, one text has taken another's place."""

MOST, PAIRS = 6_000, 40_000
"""Pieces that are compared, at most, and pairs of them that are alike: a text of the same few words over and over has many."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text that both have ("same"), or that only the later ("added") or the earlier one has ("removed")."""

    kind: Kind
    text: str


def text_diff(before: str, after: str) -> list[Part]:
    """The parts in order: without what was added they are the text before, without what was removed the text after."""
    old, new = ([piece for piece in SENTENCE.split(text) if piece] for text in (before, after))
    parts: list[Part] = []
    for part in _compared(old, new):
        changes = parts[-1:] if parts and parts[-1].kind == "removed" and part.kind == "added" else []
        parts = [*parts[:-1], *_words(changes[0].text, part.text)] if changes else [*parts, part]
    return _in_turn(_without_scraps(_joined(parts)))


def _compared(old: Sequence[str], new: Sequence[str]) -> list[Part]:
    """Two texts in pieces, piece by piece."""
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    parts = [Part("same", "".join(old[:head]))]
    less, more = old[head : len(old) - tail], new[head : len(new) - tail]
    counts = Counter(piece for piece in more if not piece.isspace())
    if len(less) + len(more) > MOST or sum(counts[piece] for piece in less) > PAIRS:
        parts += [Part("removed", "".join(less)), Part("added", "".join(more))]
    else:
        # Space is no anchor: two texts are not alike for having it in the same places.
        for how, start, end, begin, stop in difflib.SequenceMatcher(str.isspace, less, more, autojunk=False).get_opcodes():
            one, other = "".join(less[start:end]), "".join(more[begin:stop])
            parts += [Part("same", one)] if how == "equal" else [Part("removed", one), Part("added", other)]
    return [part for part in [*parts, Part("same", "".join(old[len(old) - tail :]))] if part.text]


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pieces both begin with."""
    return next((at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))


def _words(removed: str, added: str) -> list[Part]:
    """A changed stretch word by word, or whole where little of it stayed."""
    parts = _without_scraps(_compared(WORD.findall(removed), WORD.findall(added)))
    stayed = sum(len(part.text.strip()) for part in parts if part.kind == "same")
    if stayed >= REWRITTEN * min(len(removed), len(added)):
        return parts
    return [Part("removed", removed), Part("added", added)]


def _without_scraps(parts: list[Part]) -> list[Part]:
    """Without stretches that stayed by chance: those that are shorter than what changed on both sides of them."""
    while True:
        scrap = next((at for at in range(1, len(parts) - 1) if _is_scrap(parts, at)), None)
        if scrap is None:
            return parts
        begin, end = _run_of_changes(parts, scrap, -1), _run_of_changes(parts, scrap, 1)
        held = parts[begin : end + 1]
        merged = [Part(kind, "".join(p.text for p in held if p.kind in ("same", kind))) for kind in _CHANGES]
        parts = [*parts[:begin], *(part for part in merged if part.text), *parts[end + 1 :]]


_CHANGES: tuple[Kind, Kind] = ("removed", "added")


def _is_scrap(parts: Sequence[Part], at: int) -> bool:
    if parts[at].kind != "same":
        return False
    sides = [parts[_run_of_changes(parts, at, -1) : at], parts[at + 1 : _run_of_changes(parts, at, 1) + 1]]
    longest = [max((len(part.text) for part in side), default=0) for side in sides]
    size = len(parts[at].text.strip())
    return bool(sides[0] and sides[1]) and size <= min(longest)


def _run_of_changes(parts: Sequence[Part], at: int, step: int) -> int:
    """The last of the changes that follow one another from a part that stayed, in one direction."""
    while 0 <= at + step < len(parts) and parts[at + step].kind != "same":
        at += step
    return at


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Neighbours of one kind as one."""
    made: list[Part] = []
    for part in parts:
        if made and made[-1].kind == part.kind:
            made[-1] = Part(part.kind, made[-1].text + part.text)
        else:
            made.append(part)
    return made


def _in_turn(parts: Sequence[Part]) -> list[Part]:
    """Between two stretches that stayed, all that went before all that came."""
    made: list[Part] = []
    at = 0
    while at < len(parts):
        if parts[at].kind == "same":
            made.append(parts[at])
            at += 1
            continue
        end = _run_of_changes(parts, at - 1, 1) + 1
        for kind in _CHANGES:
            text = "".join(part.text for part in parts[at:end] if part.kind == kind)
            made += [Part(kind, text)] * bool(text)
        at = end
    return made
