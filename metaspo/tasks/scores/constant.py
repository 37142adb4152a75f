"""The best constant answer: of all gold answers the one that scores most where it is always given. No answer is generated."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache

from ...domain.errors import TaskError
from ...domain.results import Example
from .metrics import Scorer, normalize
from .own_metric import OwnMetric

MOST = {"contains": 1_000_000, "numeric": 500_000}
MOST_OTHER = 100_000
"""Answers that are scored against gold ones to find the best constant answer, at most; where it takes more, there is none."""

MOST_OWN, LONGEST = 10_000, 5.0
"""The same for a person's own metric, and the seconds that it may take."""

Accepted = Sequence[Sequence[str]]
"""Each example's accepted answers, best first."""


def best_constant(accepted: Accepted, kind: str, score: Scorer) -> float | None:
    """The score in [0, 1] of the best constant answer by a metric that is ours; None where there is none."""
    if not accepted or not all(accepted):
        return None
    if kind == "macro_f1":
        [(_, count)] = Counter(golds[0] for golds in accepted).most_common(1)
        return 2 * count / (len(accepted) + count) / len({golds[0] for golds in accepted})
    if kind == "accuracy":
        return _commonest(accepted, lambda gold: gold.strip().casefold())
    if kind == "exact_match":
        return _commonest(accepted, normalize)
    if kind == "token_f1":
        return _best_overlap(tuple(map(tuple, accepted)))
    constants = _constants(accepted)
    if len(constants) * sum(map(len, accepted)) > MOST.get(kind, MOST_OTHER):
        return None
    return max(sum(score(constant, golds) for golds in accepted) for constant in constants) / len(accepted)


def best_own_constant(
    examples: Sequence[Example], own: OwnMetric, score: Callable[[str, Example], float | None]
) -> float | None:
    """The same by a person's own metric; None where it gives none, is async, looks at replies, has no golds or takes long."""
    constants = _constants([example.answers for example in examples])
    unknown = own.is_async or {"reply", "messages"} & {*own.names} or not all(example.answers for example in examples)
    if unknown or not 0 < len(constants) * len(examples) <= MOST_OWN:
        return None
    until = time.monotonic() + LONGEST
    best: float | None = None
    with suppress(TaskError):  # It may fail on an answer that no reply gives.
        for constant in constants:
            scores = []
            for example in examples:
                scores.append(score(constant, example))
                if time.monotonic() > until:
                    return None
            graded = [one for one in scores if one is not None]
            best = max(best or 0.0, sum(graded) / len(graded)) if graded else best
        return best
    return None


def _constants(accepted: Accepted) -> list[str]:
    return list(dict.fromkeys(gold for golds in accepted for gold in golds))


def _commonest(accepted: Accepted, alike: Callable[[str], str]) -> float:
    """The share of examples that accept the answer which most of them accept."""
    counts = Counter(gold for golds in accepted for gold in {alike(gold) for gold in golds})
    return max(counts.values()) / len(accepted)


@lru_cache(maxsize=32)
def _best_overlap(accepted: tuple[tuple[str, ...], ...]) -> float:
    """The best mean token F1: only gold answers that share a word with a constant count, and these an index knows."""
    owners: dict[tuple[str, ...], set[int]] = {}
    for at, golds in enumerate(accepted):
        for gold in golds:
            owners.setdefault(tuple(sorted(normalize(gold).split())), set()).add(at)
    words = [Counter(gold) for gold in owners]
    index: dict[str, list[tuple[int, int]]] = {}
    for number, counted in enumerate(words):
        for word, count in counted.items():
            index.setdefault(word, []).append((number, count))
    sizes, asked = [len(gold) for gold in owners], list(owners.values())

    def mean(constant: Counter[str], size: int) -> float:
        shared = Counter[int]()
        for word, count in constant.items():
            for number, there in index[word]:
                shared[number] += min(count, there)
        best: dict[int, float] = {}
        for number, common in shared.items():
            f1 = 2 * common / (size + sizes[number])
            for at in asked[number]:
                best[at] = max(best.get(at, 0.0), f1)
        return sum(best.values()) / len(accepted)

    return max((mean(counted, size) for counted, size in zip(words, sizes, strict=True)), default=0.0)
