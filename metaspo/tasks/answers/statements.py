"""What a text says of the values that it names: which it announces as its answer, which it denies or asks about.

Pure functions over the words of `datasets/languages.yaml`. Denials count whichever language they are of.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .clauses import COLONS, DRESS, FILL, Sentence, sentences
from .denials import BACK, SINGULAR, denied_by
from .words import tokens_of

MOST_VALUES = 60
"""Values in one sentence that are looked at one by one; one that names more says nothing for sure."""
LONGEST_PATH = 14
"""Words and signs between the word that announces and the value, at most."""
IF = frozenset({"if", "unless"})
WOULD = frozenset({"would", "would be", "could be", "might be", "be"})
OTHERWISE = frozenset({"were", "was", "had", "weren't", "wasn't", "hadn't", "did", "didn't", "instead"})
"""Words by which what stands behind "if" is not the case."""
LEADING = ("is", "option", "lead", "join", "but", "after", "answer", "sure", "hedge")


@dataclass(slots=True)
class Mention:
    """A value that a text names, and what it says of it."""

    value: str
    start: int
    end: int
    announced: bool = False
    denied: bool = False
    refuted: bool = False
    """Denied in so many words: "B is wrong"."""
    near: bool = False
    """Denied by the word right before it: "not B"."""
    ahead: bool = False
    """Denied by a word further before it: "I don't think it is B"."""
    asked: bool = False
    known: bool = False
    """Whether its sentence is of a language whose denials are known, or says hardly anything else."""
    leads: bool = False
    """Whether it stands where an answer stands: "it is B", not "Vitamin B"."""
    corrects: bool = False
    """Whether it follows words that take something back: "No, it's B"."""
    optional: bool = False
    """Whether it is called an option: "option A"."""
    group: int = -1
    """Values that are given side by side have the same one."""
    goes_on: bool = False
    """Whether more is said of it in its own clause: "and B is close"."""


def mentions(text: str, values: Sequence[tuple[int, int, str]]) -> list[Mention]:
    """What the plain text says of each of its values, in their order."""
    found: list[Mention] = []
    back = False
    for tokens in sentences(text, tokens_of(text, values)):
        there = [token for token in tokens if token.kind == "value"]
        if len(there) > MOST_VALUES:
            found += [Mention(token.value, token.start, token.end, group=len(found)) for token in there]
        elif there:
            own = _mentions(Sentence(text, tokens), len(found))
            for one in own:
                one.corrects |= back
            found += own
        if words := [token.text for token in tokens if token.kind != "sign"]:
            back = BACK.issuperset(words)  # "No, wait." takes back what was said, for the next sentence.
    return found


def _mentions(sentence: Sentence, first: int) -> list[Mention]:
    found: dict[int, Mention] = {}
    asks = _asks(sentence)
    for number, at in enumerate(sentence.values):
        token = sentence.tokens[at]
        found[at] = Mention(
            token.value, token.start, token.end, _announced(sentence, at),
            denied=_is_supposed(sentence, at), asked=asks and not _is_named(sentence, at), leads=_leads(sentence, at),
            known=sentence.known or _after_colon(sentence, at) or _heads(sentence, at), corrects=_corrects(sentence, at),
            optional=sentence.has(at - 1, "option"),
            group=first + sentence.groups[number], goes_on=sentence.text_at(sentence.past(at, 1)) in SINGULAR,
        )  # fmt: skip
    for at, token in enumerate(sentence.tokens):
        if token.kind == "value":
            continue
        for place, refuted in denied_by(sentence, at):
            one = found[place]
            one.denied, one.refuted = True, one.refuted or refuted
            one.ahead |= place > at
            one.near |= place > at and sentence.past(at, 1, "fill", "option", "common", "lead", "is", "that") == place
    return list(found.values())


def _asks(sentence: Sentence) -> bool:
    """Whether the sentence is a question. A value with nothing but what announces it is none: "Answer: B?"."""
    if sentence.tokens[-1].text not in "?؟":
        return False
    said = [at for at, token in enumerate(sentence.tokens) if token.kind == "word" and not token.has("answer")]
    return bool(said) or not any(token.text == ":" for token in sentence.tokens)


def _is_supposed(sentence: Sentence, at: int) -> bool:
    """Whether a value is what would be if something were otherwise than it is: "If he were older, it would be B"."""
    if sentence.text_at(sentence.past(at, -1, "fill", "option")) not in WOULD:
        return False
    words = [token.text for token in sentence.tokens]
    return any(word in IF and not OTHERWISE.isdisjoint(words[place:]) for place, word in enumerate(words))


def _is_named(sentence: Sentence, at: int) -> bool:
    """Whether a value stands first and names what the rest asks: "A: What is it?"."""
    before = all(token.kind == "sign" for token in sentence.tokens[:at])
    return before and sentence.text_at(at + 1) in (":", ")") and sentence.kind_at(at + 2) in ("word", "value")


def _announced(sentence: Sentence, at: int) -> bool:
    """Whether what stands before a value leads back to a word that announces it, in one language."""
    languages = sentence.languages
    linked = False
    for step in range(1, LONGEST_PATH):
        here = at - step
        if here < 0:
            return False
        token = sentence.tokens[here]
        if token.kind == "value":
            return False
        if token.kind == "sign":
            if token.text in (*COLONS, "-", "—", "→"):
                linked = True
            elif token.text not in DRESS and token.text != "\n":
                return False
            continue
        if token.has("answer"):
            return bool(not languages or not languages.isdisjoint(token.roles["answer"]) or linked)
        if token.has("option", languages) and linked:
            return True
        if token.has("is", languages):
            linked = True
        elif not any(token.has(role, languages) for role in FILL):
            return False
    return False


def _after_colon(sentence: Sentence, at: int) -> bool:
    """Whether a value is all that stands behind a colon: "Svar: B"."""
    before, after = sentence.past(at, -1), sentence.past(at, 1)
    return sentence.text_at(before) in COLONS and sentence.text_at(after) in ("", "\n", ".", "。", "!", "?", ",")


def _heads(sentence: Sentence, at: int) -> bool:
    """Whether a value stands first, with what it is the name of behind it: "B) Paris", "B Congestive heart failure"."""
    token = sentence.tokens[at]
    rest = sentence.text[token.end : token.end + 20].lstrip("*_`)]")
    return not any(one.kind != "sign" for one in sentence.tokens[:at]) and (
        rest[:1] in (".", ":", ",", "!", "。") or rest.lstrip()[:1].isupper()
    )


def _leads(sentence: Sentence, at: int) -> bool:
    before = at - 1
    while before >= 0 and sentence.tokens[before].kind == "sign" and sentence.tokens[before].text in "\"'*_`":
        before -= 1
    if before < 0 or sentence.tokens[before].kind == "value":
        return True
    token = sentence.tokens[before]
    if token.kind == "sign":
        return token.text != "-" and not _is_argument(sentence, before)
    if any(token.has(role, sentence.languages) for role in LEADING):
        return True
    return token.has("fill", sentence.languages - {"English"})


def _is_argument(sentence: Sentence, at: int) -> bool:
    """Whether a bracket opens within a word: "element(s)"."""
    near = at > 0 and sentence.tokens[at - 1].kind == "word" and sentence.tokens[at - 1].end == sentence.tokens[at].start
    return near and sentence.tokens[at].text in "([" and not sentence.has(at - 1, "option", "answer")


def _corrects(sentence: Sentence, at: int) -> bool:
    """Whether a value follows words that take something back: "No, it's B"."""
    here = [token.text for token, clause in zip(sentence.tokens[:at], sentence.clauses, strict=False) if token.kind == "word"]
    return any(word in BACK for word in here)
