"""The prompts of a run before and after: differences, with what is locked and what is filled in marked, long texts folded."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...domain.locks import PART
from ...methods.checks import placeholders
from ..report import Report
from .text_diff import Kind, Part, text_diff

LONGEST, SHOWN = 1_600, 500
"""Characters of a stretch of text from which on its middle is folded, and those that are shown at each of its ends."""

APART = 60
"""Characters from which on what was added or removed stands on lines of its own."""


@dataclass(frozen=True, slots=True)
class Span:
    """Text all of one kind: a `placeholder`, a `locked` part, or "" for any other."""

    text: str
    mark: Literal["", "locked", "placeholder"] = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a difference; of a long one `folded` is the middle, of so many characters, between `head` and `tail`."""

    kind: Kind
    head: list[Span]
    folded: list[Span]
    tail: list[Span]
    size: int
    apart: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt before and after. `others` are further prompts that were kept beside the one shown, best first."""

    name: str
    changed: bool
    pieces: list[Piece]
    before: int
    after: int
    others: list[list[Piece]]


@dataclass(frozen=True, slots=True)
class Prompts:
    """All prompts of a run; `locked` says whether any part of the system prompt is. `found` is a system prompt given up."""

    system: Text
    users: list[Text]
    locked: bool
    found: list[Piece]


def prompts(report: Report) -> Prompts:
    """The system prompt, then the user prompt of each task."""
    locks = [part.strip() for part in PART.findall(report.run.config.get("problem", {}).get("system_prompt", ""))]
    users = [
        compared(task, report.user_before.get(task, texts[0]), texts[0], others=texts[1:])
        for task, texts in report.user_after.items()
    ]
    found = report.confirmation
    given_up = found.system_found if found and found.seeds_returned and found.system_found != report.system_after else ""
    return Prompts(
        system=compared("System prompt", report.system_before, report.system_after or report.system_before, locks),
        users=users,
        locked=any(locks),
        found=_pieces(report.system_before, given_up, locks) if given_up else [],
    )


def compared(name: str, before: str, after: str, locks: Sequence[str] = (), others: Sequence[str] = ()) -> Text:
    """A prompt before and after."""
    kept = [_pieces(text, text, locks) for text in others]
    return Text(name, before != after, _pieces(before, after, locks), len(before), len(after), kept)


def _pieces(before: str, after: str, locks: Sequence[str]) -> list[Piece]:
    marks = {**dict.fromkeys(placeholders(before) | placeholders(after), "placeholder"), **dict.fromkeys(locks, "locked")}
    parts = text_diff(before, after)
    return [_piece(part, marks, _is_apart(parts, at)) for at, part in enumerate(parts)]


def _is_apart(parts: Sequence[Part], at: int) -> bool:
    """Whether a change stands on lines of its own: it is long, or what it takes the place of is."""
    changes = [parts[at], *parts[max(0, at - 1) : at], *parts[at + 1 : at + 2]] if parts[at].kind != "same" else []
    return any(len(part.text) > APART or "\n" in part.text.strip() for part in changes if part.kind != "same")


def _piece(part: Part, marks: dict[str, str], apart: bool) -> Piece:
    text = part.text
    if len(text) <= LONGEST:
        return Piece(part.kind, marked(text, marks), [], [], len(text), apart)
    head, folded, tail = text[:SHOWN], text[SHOWN:-SHOWN], text[-SHOWN:]
    return Piece(part.kind, marked(head, marks), marked(folded, marks), marked(tail, marks), len(folded), apart)


def marked(text: str, marks: dict[str, str]) -> list[Span]:
    """A text in spans, those that hold one of the marked texts apart from the others."""
    longest = sorted((mark for mark in marks if mark), key=len, reverse=True)
    if not longest:
        return [Span(text)]
    found = re.split(f"({'|'.join(map(re.escape, longest))})", text)
    return list(_spans(found, marks))


def _spans(pieces: Iterable[str], marks: dict[str, str]) -> Iterable[Span]:
    for piece in pieces:
        if piece:
            yield Span(piece, marks.get(piece, ""))  # type: ignore[arg-type]
