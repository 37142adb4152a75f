"""A text as words, signs and the values that it names, each word with its roles in the languages that have it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import languages
from .languages import SPACED
from .signs import MARKS, TOGETHER, plain_signs

LETTER = rf"(?:(?![_{TOGETHER}])[\w{MARKS}])"
TOKEN = re.compile(
    rf"(?P<run>[{TOGETHER}]+)|(?P<word>{LETTER}++(?:'(?:t|s|re|ve|ll|d|m)(?!{LETTER})|'(?={LETTER}))?)"
    r"|(?P<space>[^\S\n]+)|(?P<boxed>\\boxed\b)|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)

Roles = Mapping[str, frozenset[str]]
"""The roles of a word, and for each the languages in which it has it."""
NO_ROLES: Roles = {}


@dataclass(slots=True)
class Token:
    """A word, a sign, or a value that the text names, such as a label. `kind` is word, sign or value."""

    kind: str
    text: str
    start: int
    end: int
    roles: Roles = field(default_factory=lambda: NO_ROLES)
    value: str = ""

    def has(self, role: str, languages: frozenset[str] | None = None) -> bool:
        """Whether the word has a role in one of some languages, or in any."""
        found = self.roles.get(role)
        return found is not None and (languages is None or not found.isdisjoint(languages))


def _table(of: languages.Phrases) -> dict[str, dict[str, set[str]]]:
    """The roles of each phrase, and for each role the languages in which it has it."""
    table: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for language, roles in of.items():
        for role, phrases in roles.items():
            for phrase in phrases:
                table[phrase][role].add(language)
    return table


def _frozen(roles: Mapping[str, set[str]]) -> Roles:
    return {role: frozenset(languages) for role, languages in roles.items()}


def _phrases() -> dict[str, list[tuple[tuple[str, ...], Roles]]]:
    phrases: dict[str, list[tuple[tuple[str, ...], Roles]]] = defaultdict(list)
    for phrase, roles in _table(SPACED).items():
        words = tuple(match[0] for match in TOKEN.finditer(phrase) if match.lastgroup != "space")
        phrases[words[0]].append((words, _frozen(roles)))
    for known in phrases.values():
        known.sort(key=lambda one: -len(one[0]))
    return dict(phrases)


PHRASES = _phrases()
TOGETHER_ROLES = {word: _frozen(roles) for word, roles in _table(languages.TOGETHER).items()}
TOGETHER_WORDS = re.compile("|".join(sorted(map(re.escape, TOGETHER_ROLES), key=len, reverse=True)))
BOXED: Roles = {"answer": frozenset(SPACED)}


def roles_of(word: str) -> Roles:
    """The roles of one word by itself."""
    word = plain_signs(word).casefold()
    known = [roles for words, roles in PHRASES.get(word, ()) if len(words) == 1]
    return known[0] if known else TOGETHER_ROLES.get(word, NO_ROLES)


def is_sure(text: str) -> bool:
    """Whether a text begins with words that deny nothing, though one of them would alone: "no doubt"."""
    first = next(iter(_merged(list(_between(text, 0, len(text))))), None)
    return first is not None and first.has("sure")


def tokens_of(text: str, values: Sequence[tuple[int, int, str]]) -> list[Token]:
    """Plain text in tokens. `values` are the places that hold one, in order: start, end and what it is."""
    tokens: list[Token] = []
    at = 0
    for start, end, value in values:
        tokens += _merged(list(_between(text, at, start)))
        tokens.append(Token("value", text[start:end], start, end, value=value))
        at = end
    return tokens + _merged(list(_between(text, at, len(text))))


def _between(text: str, start: int, end: int) -> Iterator[Token]:
    for match in TOKEN.finditer(text, start, end):
        if match.lastgroup == "run":
            yield from _run(match[0], match.start())
        elif match.lastgroup == "boxed":
            yield Token("word", "boxed", match.start(), match.end(), BOXED)
        elif match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0].casefold(), match.start(), match.end())


def _run(run: str, start: int) -> Iterator[Token]:
    """The words of a run of letters without spaces: those that have a role, and what is between them."""
    at = 0
    for match in TOGETHER_WORDS.finditer(run):
        if match.start() > at:
            yield Token("word", run[at : match.start()], start + at, start + match.start())
        yield Token("word", match[0], start + match.start(), start + match.end(), TOGETHER_ROLES[match[0]])
        at = match.end()
    if at < len(run):
        yield Token("word", run[at:], start + at, start + len(run))


NOT = {"not": frozenset({"English"})}


def _merged(tokens: list[Token]) -> list[Token]:
    """The tokens with phrases that have a role as one, the longest first."""
    merged: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind == "word" and not token.roles:
            for words, roles in PHRASES.get(token.text, ()):
                if all(one.text == word for one, word in zip(tokens[at : at + len(words)], words, strict=False)) and (
                    at + len(words) <= len(tokens)
                ):
                    last = tokens[at + len(words) - 1]
                    token = Token("word", " ".join(words), token.start, last.end, roles)
                    at += len(words) - 1
                    break
            else:
                if token.text.endswith("n't"):
                    token.roles = NOT
        merged.append(token)
        at += 1
    return merged
