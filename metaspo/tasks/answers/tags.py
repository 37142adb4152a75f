"""Where a reply's answer tags are, and what stands in the last one."""
# ruff: noqa: RUF001

import re
from collections.abc import Callable
from html import unescape

from .signs import plain_signs

MARK = re.compile(r"\\?(?:<|&lt;|＜)\s{0,3}([/\\]{0,2})\s{0,3}answer(?:\s[^<>&＜＞]{0,80})?\\?(?:>|&gt;|＞)", re.IGNORECASE)
"""An opening or a closing tag, also where its signs are written as in HTML."""

PLACEHOLDERS = frozenset(
    "your answer|your answer here|your final answer|your final answer here|the answer|the answer here|answer here"
    "|final answer here|insert answer here|insert your answer here|your choice|your choice here|...|…".split("|")
)
"""What instructions write in a tag that a reply may repeat."""
BRACKETED = PLACEHOLDERS | {
    "answer",
    "final answer",
    "label",
    "number",
    "choice",
    "letter",
    "option",
    "text",
    "value",
    "x",
    "n",
}
"""The same where it stands in brackets: "[answer]", "{label}"."""


def tagged(reply: str, cut_off: bool, is_answer: Callable[[str], bool]) -> str | None:
    """What stands in the last answer tag, or None where there is none.

    An unclosed last tag is read to the end of the reply, unless the reply was `cut_off`. What an instruction writes
    in a tag ("your answer") is none, nor is a word in brackets that stands for an answer, unless it `is_answer`.
    """
    contents = _contents(reply, cut_off)
    for content in reversed(contents):
        if is_answer(content) or not _stands_for_one(content):
            return content
    return None


def _contents(reply: str, cut_off: bool) -> list[str]:
    contents: list[str] = []
    opened: re.Match[str] | None = None
    before: str | None = None
    for mark in MARK.finditer(reply):
        if mark[1]:
            if opened is not None:
                contents.append(_between(reply, opened, mark.start()))
            opened, before = None, None
        else:
            # <answer>B<answer> closes what it opened.
            before = _between(reply, opened, mark.start()) if opened is not None else None
            opened = mark
    if opened is not None:
        rest = "" if cut_off else _between(reply, opened, len(reply))
        if rest.strip() or cut_off:
            contents.append(rest)
        elif before is not None:
            contents.append(before)
    return contents


def _between(reply: str, opened: re.Match[str], end: int) -> str:
    """What stands behind an opening tag; where that is written as in HTML, so is what is in it."""
    inside = reply[opened.end() : end]
    return unescape(inside) if "&lt;" in opened[0] else inside


def _stands_for_one(content: str) -> bool:
    word = " ".join(plain_signs(content).strip(" \t\r\n*_`\"'").casefold().split())
    if word in PLACEHOLDERS or (not word.strip("._… ") and word):
        return True
    inside = word[1:-1].strip(" \"'") if word[:1] in ("[", "{", "<") and word[-1:] in ("]", "}", ">") else ""
    return inside in BRACKETED
