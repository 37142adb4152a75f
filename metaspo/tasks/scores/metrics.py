"""How answers are scored: one example at a time, and over a split. Pure functions."""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from ...domain.results import Outcome
from ..answers.label_sets import jaccard, set_f1

Scorer = Callable[[str, Sequence[str]], float]
"""The score in [0, 1] of an answer, given the accepted ones."""

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation + "‘’“”«»…\u2013\u2014¿¡")


def normalize(text: str) -> str:
    """Lower case without punctuation, articles and extra spaces (the SQuAD convention).

    A text of nothing else ("A", "+") stays, so that it does not equal every other such text.
    """
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()) or " ".join(text.lower().split())


def accuracy(answer: str, golds: Sequence[str]) -> float:
    """1 when the answer is one of the accepted answers, upper and lower case aside."""
    return float(answer.strip().casefold() in {gold.strip().casefold() for gold in golds})


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1 when the normalized answer equals a normalized accepted answer."""
    return float(normalize(answer) in {normalize(gold) for gold in golds})


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """The best F1 of shared words between the answer and an accepted answer."""
    return max((_overlap(normalize(answer).split(), normalize(gold).split()) for gold in golds), default=0.0)


def _overlap(answer: list[str], gold: list[str]) -> float:
    shared = sum((Counter(answer) & Counter(gold)).values())
    if not answer or not gold:
        return float(answer == gold)
    return 2 * shared / (len(answer) + len(gold))


def contains(answer: str, golds: Sequence[str]) -> float:
    """1 when an accepted answer occurs in the answer as whole words."""
    padded = f" {normalize(answer)} "
    return float(any(f" {normalize(gold)} " in padded for gold in golds if normalize(gold)))


def numeric(answer: str, golds: Sequence[str], tolerance: float) -> float:
    """1 when the answer is a number within `tolerance` of an accepted one."""
    # Decimal, because 1.1 - 1.0 is more than 0.1 in binary floating point.
    try:
        return float(any(abs(Decimal(answer) - Decimal(gold)) <= Decimal(str(tolerance)) for gold in golds))
    except InvalidOperation:
        return 0.0


def mean(outcomes: Sequence[Outcome], golds: Sequence[str]) -> float:
    """The plain mean of the examples' scores."""
    return sum(outcome.score for outcome in outcomes) / len(outcomes) if outcomes else 0.0


def macro_f1(outcomes: Sequence[Outcome], golds: Sequence[str]) -> float:
    """The mean over the gold labels of each label's F1.

    An unparsed answer is a miss of its gold label and no label of its own, so that the score does
    not measure format (the authors' own program counts every malformed answer as a label). `golds` in the order of `outcomes`.
    """
    pairs = Counter((outcome.answer, gold) for outcome, gold in zip(outcomes, golds, strict=True))
    return macro_f1_of_pairs(pairs)


def macro_f1_of_pairs(pairs: Mapping[tuple[str | None, str], int]) -> float:
    """`macro_f1` from how often each (answer, gold answer) pair occurs."""
    named, there = Counter[str | None](), Counter[str]()
    for (answer, gold), count in pairs.items():
        named[answer] += count
        there[gold] += count
    scores = [2 * pairs.get((label, label), 0) / (named[label] + there[label]) for label in sorted(there)]
    return sum(scores) / len(scores) if scores else 0.0


SCORERS: Mapping[str, Scorer] = {
    "accuracy": accuracy,
    "macro_f1": accuracy,
    "exact_match": exact_match,
    "token_f1": token_f1,
    "contains": contains,
    "set_f1": set_f1,
    "jaccard": jaccard,
}
"""How each metric without settings scores one answer; `macro_f1` is worked out over the split."""


def scorer(kind: str, tolerance: float) -> Scorer | None:
    """How a metric scores one answer; None for one that takes a judge or a person's own code."""
    if kind == "numeric":
        return lambda answer, golds: numeric(answer, golds, tolerance)
    return SCORERS.get(kind)
