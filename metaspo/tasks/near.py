"""Questions that say nearly the same: in a word more or less, a misspelling, another order. Pure functions."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations

from .likeness import comparable

WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W_]+")
"""A word; where scripts write none apart, a character."""

SHARE = 0.8
"""Of all words of two questions, the share that both must have; and of the letters of a word that is spelled wrong."""

LONG = 20
"""Words from which on a question may have a word that is another one: in a shorter one that is another question."""

SHORT = 4
"""Words of a question, and letters of a word, up to which one that is spelled otherwise is another one."""

PARTS = 12
"""Parts that the words of a question are put into; questions that differ in two parts at most are compared."""

COMPARED = 4
"""Earlier questions with the same words in the other parts that one is compared with: more of them share a template."""

NEGATIONS = frozenset(
    "no not nor never none nobody nothing without t nicht kein keine nie non pas ne sin ni nunca 不 没 未 无".split()
)
"""Words that turn a question around."""


def nearly_alike(questions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of places whose questions say nearly the same, the earlier place first; each place is told with one partner.

    Of two such questions the numbers are the same, and so are the words but for one or two. Takes time in proportion
    to the questions, a second for some thousands.
    """
    words = [frozenset(WORD.findall(comparable(question))) for question in questions]
    seen: defaultdict[int, list[int]] = defaultdict(list)
    for at, own in enumerate(words):
        keys = _keys(own)
        earlier = dict.fromkeys(other for key in keys for other in seen.get(key, ()))
        partner = next((other for other in earlier if _alike(own, words[other])), None)
        if partner is not None:
            yield partner, at
        for key in keys:
            if len(seen[key]) < COMPARED:
                seen[key].append(at)


def _keys(words: frozenset[str]) -> list[int]:
    """What stands for a question without the words of any two of its parts. Numbers and negations are never left out."""
    whole, parts = 0, [0] * PARTS
    for word in words:
        number = _hash(word)
        whole += number
        if not _tells(word):
            parts[number % PARTS] += number
    return [whole - one - other for one, other in combinations(parts, 2)]


@lru_cache(maxsize=100_000)
def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


@lru_cache(maxsize=100_000)
def _tells(word: str) -> bool:
    """Whether a question with another word in its place is another question, whatever else it says."""
    return word in NEGATIONS or any(map(str.isdigit, word))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    more, fewer = one - other, other - one
    every, differing = len(one | other), len(more) + len(fewer)
    if any(map(_tells, more | fewer)):
        return False
    if len(more) == len(fewer) == 1 and every > SHORT:
        [first], [second] = more, fewer
        if min(len(first), len(second)) > SHORT and SequenceMatcher(None, first, second).ratio() >= SHARE:
            return True
    if every - differing < SHARE * every:
        return False
    if not more or not fewer:
        return differing <= max(1, every // 10)
    return every >= LONG and differing <= every // 10
