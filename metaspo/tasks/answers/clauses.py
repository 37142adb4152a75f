"""A sentence in clauses, with the values that it gives side by side in groups.

A sentence is read by the words of its own language, the one or those of which it has the most.
"""
# ruff: noqa: RUF001

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate

from .words import Token

ENDS = frozenset("!?。।؟\n;｡")
PAUSES = frozenset(",、;—–()[]{}…|")
OPENING, CLOSING = frozenset("([{<「『【《〈"), frozenset(")]}>」』】》〉")
DRESS = frozenset("*_`\"'#~$\\«»„") | OPENING | CLOSING
"""Signs around a value that say nothing of it."""
COLONS = (":", "=", "：")
FILL = ("fill", "option", "sure")
PATH = ("is", "fill", "option", "lead")
FARTHEST = 16
"""Signs and small words that are passed over, at most."""
PLURAL = frozenset({"are", "were", "both", "all", "aren't", "sind", "son", "sont", "são", "sono", "都", "均", "皆"})
"""Words that speak of several values before them: "A, B are wrong"."""
HEADING = 4
"""Words before a colon that may still deny what stands after it: "Not the answer: B"."""
OTHERS = frozenset({"others"})
UNKNOWN = re.compile("[\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Lao, Burmese and Khmer, which are written without spaces and of which nothing is known."""
DENIALS_KNOWN = re.compile("[\u0e00-\u0e7f\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""The scripts whose languages deny in few ways, all of which are known: Thai, Japanese, Chinese, Korean."""


def sentences(text: str, tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of a text by sentence. A line that but announces the next one is one with it."""
    sentence: list[Token] = []
    line: list[Token] = []
    for token in tokens:
        if token.text == "\n" and token.kind == "sign":
            if line and not _is_heading(line):
                yield sentence
                sentence = []
            line = []
            sentence.append(token)
            continue
        sentence.append(token)
        line.append(token)
        if token.kind == "sign" and (token.text in ENDS or (token.text == "." and _ends(text, token.end))):
            yield sentence
            sentence, line = [], []
    yield sentence


def _ends(text: str, at: int) -> bool:
    return at >= len(text) or not (text[at].isascii() and text[at].isalnum())


def _is_heading(line: Sequence[Token]) -> bool:
    """Whether a line but announces what the next one says: "Answer:", "## Final answer"."""
    words = [token for token in line if token.kind == "word"]
    if line[-1].text in COLONS or (len(line) > 1 and line[-1].text in "*_" and ":" in [token.text for token in line]):
        return True
    return any(token.has("answer") for token in words) and all(
        token.has("answer") or any(token.has(role) for role in PATH) for token in words
    ) and not any(token.kind == "value" for token in line)  # fmt: skip


def _joins(token: Token, languages: frozenset[str]) -> bool:
    return token.has("join", languages) or token.has("hedge", languages)


class Sentence:
    """The tokens of a sentence, the places of its values, and for each token its clause, for each value its group."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens = text, tokens
        self.values = [at for at, token in enumerate(tokens) if token.kind == "value"]
        words = [token for token in tokens if token.kind == "word"]
        counts = Counter(language for token in words for language in set().union(*token.roles.values()))
        most = max(counts.values(), default=0)
        self.languages = frozenset(language for language, count in counts.items() if count == most)
        together = any(DENIALS_KNOWN.match(token.text) for token in words)
        few = len(words) <= 1 + all(token.text.isascii() for token in words) and not any(
            UNKNOWN.match(token.text) for token in words
        )
        self.known = few or together or (self.languages != OTHERS and 0 < len(words) <= most * 4)
        """Whether it is of a language whose denials are known, or says hardly anything."""
        self.groups, self.loose = self._grouped()
        self.clauses = self._clauses()
        self.thats = list(accumulate(self.has(at, "that") for at in range(len(tokens))))
        """How many words up to each place begin a clause of their own."""
        self.opening = next(
            (at for at, token in enumerate(tokens) if token.kind != "sign" and not token.has("but")), len(tokens)
        )
        """The first place that says something."""

    def has(self, at: int, *roles: str) -> bool:
        """Whether a place holds a word that has one of these roles in the sentence's language."""
        return 0 <= at < len(self.tokens) and any(self.tokens[at].has(role, self.languages) for role in roles)

    def past(self, at: int, step: int, *roles: str) -> int:
        """The next place in a direction that holds no dress and no word of these roles."""
        for _ in range(FARTHEST):
            at += step
            if not 0 <= at < len(self.tokens):
                break
            if not (self.tokens[at].kind == "sign" and self.tokens[at].text in DRESS) and not self.has(at, *roles):
                break
        return at

    def text_at(self, at: int) -> str:
        """The text of a token, "" outside the sentence."""
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def _grouped(self) -> tuple[list[int], set[int]]:
        """The group of each value, by its first one's number, and the places of pauses and joining words inside groups."""
        groups: list[int] = []
        inside: set[int] = set()
        for number, at in enumerate(self.values):
            groups.append(number)
            chain = number and self._joined(self.values[number - 1], at)
            if chain:
                groups[number] = groups[number - 1]
                inside |= set(range(self.values[number - 1] + 1, at))
        # Values with but commas between them are a list where it ends with "and" or "or".
        for number in range(len(self.values) - 1, 0, -1):
            before, at = self.values[number - 1], self.values[number]
            last = number + 1 == len(self.values)
            joined = self.text_at(self.past(at, 1)) in PLURAL if last else groups[number + 1] == groups[number]
            if joined and groups[number] == number and self._listed(before, at):
                later = groups[number]
                groups = [groups[number - 1] if group == later else group for group in groups]
                inside |= set(range(before + 1, at))
        return groups, inside

    def between(self, before: int, after: int) -> list[Token]:
        """The tokens between two places that say something."""
        return [token for token in self.tokens[before + 1 : after] if token.text not in DRESS]

    def _joined(self, before: int, after: int) -> bool:
        between = self.between(before, after)
        if not between or len(between) > 6:
            return False
        joins = [token for token in between if _joins(token, self.languages) or token.text in "/&、"]
        rest = [token for token in between if token.text not in ",/&、" and not _joins(token, self.languages)]
        return bool(joins) and all(any(token.has(role, self.languages) for role in (*FILL, "answer")) for token in rest)

    def _listed(self, before: int, after: int) -> bool:
        between = self.between(before, after)
        return any(token.text in ",、" for token in between) and all(
            token.text in ",、" or any(token.has(role, self.languages) for role in FILL) for token in between
        )

    def _clauses(self) -> list[int]:
        """The clause of each token, counted up at pauses and at words that begin one."""
        clause, clauses, words = 0, [], 0
        for at, token in enumerate(self.tokens):
            if self._begins_clause(at, words):
                clause, words = clause + 1, 0
            clauses.append(clause)
            words += token.kind != "sign"
        return clauses

    def _begins_clause(self, at: int, words: int) -> bool:
        token = self.tokens[at]
        if token.kind == "value" or at in self.loose:
            return False
        if token.kind == "sign":
            if token.text in OPENING:
                return self.kind_at(self.past(at, 1)) != "value" and token.text in "([{"
            if token.text in CLOSING:
                return self.kind_at(self.past(at, -1)) != "value" and token.text in ")]}"
            if token.text == ":":
                return words > HEADING or self.kind_at(self.past(at, 1, "fill", "option")) != "value"
            if token.text == "," and "English" not in self.languages and self.has(at + 1, "that"):
                return False  # "Ich glaube nicht, dass es B ist"
            return token.text in PAUSES or (token.text == "-" and self._spaced(at))
        return self.has(at, "but", "join") and not self.has(at, "not", "without", "wrong", "after")

    def kind_at(self, at: int) -> str:
        """The kind of a token, "" outside the sentence."""
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def _spaced(self, at: int) -> bool:
        here = self.tokens[at]
        before = self.tokens[at - 1].end if at else here.start
        after = self.tokens[at + 1].start if at + 1 < len(self.tokens) else here.end
        return before < here.start and here.end < after
