"""When two questions are one: what is compared of them, and the context that several of them share. Pure functions."""

import re
import unicodedata

QUOTES = dict.fromkeys(
    map(ord, '"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u00b4`\uff07'), "'"
)
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-")
KEPT = ("<super>", "<sub>", "<fraction>")
"""Compatibility forms that mean something else than their plain signs: 2² is not 22."""
STOP = re.compile(r"[.。｡]+(?=['\")\]]*[^\S\n]*(?:\n|\Z))")
INCHES = re.compile(r"(?<=\d)[\"\uff02\u2033]")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
HYPOTHESIS = re.compile(r"\s*\bHypothesis:.*", re.DOTALL)


def comparable(question: str) -> str:
    """A question with what does not make it another one evened out: what may not be in two splits.

    That is case, spacing, Unicode form, full width, signs without width, the style of quotes and dashes, and the
    stop that ends a line.
    """
    text = INCHES.sub("''", question).translate(QUOTES).translate(DASHES)
    if not text.isascii():
        text = unicodedata.normalize("NFC", "".join(map(_plain, unicodedata.normalize("NFC", text))))
    text = unicodedata.normalize("NFC", text.casefold())
    stopped = STOP.sub("", text)
    return " ".join((stopped if stopped.strip() else text).split())


def evenly_spaced(question: str) -> str:
    """A question as it was compared when runs of earlier dealings began: without case and spacing."""
    return " ".join(question.split()).casefold()


def context(question: str) -> str:
    """What a question is asked about, `comparable`: the text without the last sentence, where that one asks or breaks off.

    A text that ends in a statement, or is one sentence, is its own context; a hypothesis is asked about its premise.
    """
    text = HYPOTHESIS.sub("", question.strip()) or question
    last = SENTENCE.split(text)[-1]
    about = text if text.endswith((".", "!")) else text[: len(text) - len(last)]
    return comparable(about) or comparable(text)


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    if unicodedata.decomposition(character).startswith(KEPT):
        return character
    return unicodedata.normalize("NFKC", character)
