"""Which values of a sentence its words deny: "not B", "B is wrong", "neither A nor B", in whichever language."""

from collections.abc import Iterator, Sequence

from .clauses import ENDS, FARTHEST, Sentence
from .languages import REPLIES
from .words import roles_of

CROSSES = frozenset("✗✘❌✖")
ENGLISH = frozenset({"English"})
SINGULAR = frozenset(
    {"is", "isn't", "was", "wasn't", "does", "doesn't", "has", "hasn't", "would", "would be", "can", "can't", "seems", "looks"}
)
BACK = frozenset({"no", "wait", "actually", "sorry", "correction", "nope", "oops", "scratch that", "hmm", "rather"})
"""Words that take back what was said before."""


def denied_by(sentence: Sentence, at: int) -> Iterator[tuple[int, bool]]:
    """The places of the values that a word denies, and whether it says outright that they are wrong."""
    token = sentence.tokens[at]
    if token.text in CROSSES:
        yield from ((place, True) for place in _backward(sentence, at))
        return
    if not token.roles or token.has("sure", sentence.languages) or _is_interjection(sentence, at):
        return
    wrong = token.has("wrong")
    after = token.has("after") and not (token.has("not") or token.has("without"))
    if not (wrong or after or token.has("not") or token.has("without")):
        return
    refutes = wrong or sentence.has(sentence.past(at, 1, "fill"), "good", "answer") or sentence.has(at + 1, "good")
    direct = sentence.past(at, 1, "fill", "option")
    before = _backward(sentence, at) if not token.has("without") or wrong or token.has("not") else []
    if after:
        yield from ((place, refutes) for place in before or _forward(sentence, at))
    elif sentence.kind_at(direct) == "value":
        yield from ((place, refutes) for place in _group_from(sentence, direct))
        if before and not wrong and _links(sentence, before[-1], at):
            yield before[-1], refutes
    else:
        yield from ((place, refutes) for place in [*before, *_forward(sentence, at)])


def _is_interjection(sentence: Sentence, at: int) -> bool:
    """Whether a "no" answers a question and denies nothing behind it: "No, it's B", "No the answer is B"."""
    if sentence.tokens[at].text not in BACK and sentence.tokens[at].text != "no":
        return False
    opens = at <= sentence.opening
    return opens and (_english(sentence, at + 1) or sentence.kind_at(at + 1) == "sign")


def _english(sentence: Sentence, at: int) -> bool:
    roles = ("fill", "answer", "common", "lead")
    return at < len(sentence.tokens) and any(sentence.tokens[at].has(role, ENGLISH) for role in roles)


def _links(sentence: Sentence, value: int, at: int) -> bool:
    between = sentence.between(value, at) if at - value < FARTHEST else []
    return bool(between) and all(token.has("is", sentence.languages) or token.has("fill") for token in between)


def _group_from(sentence: Sentence, at: int) -> list[int]:
    first = sentence.values.index(at)
    return [
        place
        for number, place in enumerate(sentence.values)
        if number >= first and sentence.groups[number] == sentence.groups[first]
    ]


def _forward(sentence: Sentence, at: int) -> list[int]:
    return [place for place in sentence.values if place > at and sentence.clauses[place] == sentence.clauses[at]]


def _backward(sentence: Sentence, at: int) -> list[int]:
    """The values before a word in its clause; those right before a pause and the word as well: "B: wrong", "B (no)"."""
    here = [place for place in sentence.values if place < at and sentence.clauses[place] == sentence.clauses[at]]
    here = [place for place in here if sentence.thats[place] == sentence.thats[at - 1]]
    if not here:
        return _beside(sentence, at)
    last = here[-1]
    number = sentence.values.index(last)
    group = [
        place for one, place in enumerate(sentence.values) if sentence.groups[one] == sentence.groups[number] and place <= last
    ]
    if len(group) > 1 and _singular(sentence, last) and not _either(sentence, group):
        return [last]
    if _said_of_itself(sentence, last, at):
        return []
    return sorted({*here, *group})


def _beside(sentence: Sentence, at: int) -> list[int]:
    """The value that a word says is wrong across a colon, a bracket or a "which": "B: wrong", "B, which is wrong"."""
    if not _wrongs(sentence, at):
        return []
    back = sentence.past(at, -1, "fill", "is", "but", "that")
    if sentence.text_at(back) in (":", "-", "—", ",", "="):
        back = sentence.past(back, -1)
    return [back] if sentence.kind_at(back) == "value" and not any(t.text in ENDS for t in sentence.tokens[back:at]) else []


def _wrongs(sentence: Sentence, at: int) -> bool:
    token = sentence.tokens[at]
    if token.has("wrong") or token.text in CROSSES:
        return True
    return token.has("not") and (
        sentence.has(sentence.past(at, 1, "fill"), "good") or sentence.kind_at(sentence.past(at, 1)) in ("", "sign")
    )


def _singular(sentence: Sentence, last: int) -> bool:
    return sentence.text_at(sentence.past(last, 1)) in SINGULAR


def _either(sentence: Sentence, group: Sequence[int]) -> bool:
    return any(token.text == "or" for token in sentence.tokens[group[0] : group[-1]])


def _said_of_itself(sentence: Sentence, value: int, at: int) -> bool:
    """Whether the value is a reply of its own, a "No", that the rest of its clause explains: "No it is not"."""
    return sentence.tokens[value].value.casefold() in REPLIES and not sentence.has(sentence.past(value, 1), "is")


def denies(word: str) -> bool:
    """Whether a word by itself denies something in some language, such as "no"."""
    return bool({"not", "without", "after"} & roles_of(word).keys())
