"""Whether a difference is real: a paired permutation test over examples, and how many examples one takes.

Where neither of two prompts is better, what each did on an example might as well have been the other's.
So the outcomes are exchanged, example by example and at random, and a difference counts as real when
hardly any exchange brings one as large. The test holds at any size and for any score, also for one
such as macro F1 that is no mean over examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from operator import getitem
from random import Random
from typing import Protocol, TypeVar

from .intervals import Difference

LEVEL = 0.05
"""The most that p may be, on both sides together, for a difference to be called real."""

FEWEST = next(size for size in range(1, 64) if 2 / 2**size <= LEVEL)
"""Examples on which two prompts must differ before any outcome could be called real: six."""

EXACT = 13
"""With up to so many differing examples every exchange is looked at, with more a sample of them."""

DRAWS = 9_999
"""Exchanges in a sample."""

CERTAIN, LIKELY = 1.960, 0.842
"""Quantiles of the normal distribution: for the level, and for confirming a gain that is there four times in five."""

TINY = 1e-9
"""Sums of the same numbers in another order differ by less."""

Number = TypeVar("Number", int, float)


class Exchange(Protocol):
    """One task as the test sees it: a candidate and a baseline, scored on the same examples."""

    @property
    def examples(self) -> int:
        """How many examples both were scored on."""

    @property
    def differing(self) -> int:
        """How many of them an exchange changes anything on."""

    def exchanged(self, pattern: int) -> float:
        """The candidate's score less the baseline's, in [-1, 1], once outcomes are exchanged.

        That is done on every differing example whose bit of `pattern` is set, the first one's being the lowest.
        """


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What a paired test says: `p` in (0, 1], on how many examples, and on how many of these the two differ."""

    p: float
    examples: int
    differing: int


@dataclass(frozen=True, slots=True)
class Change(Difference):
    """A difference with its interval and its paired test; only the test says whether it is real."""

    p: float
    examples: int
    differing: int

    @property
    def is_real(self) -> bool:
        """Whether the test finds it, whichever way it goes."""
        return self.p <= LEVEL

    @property
    def is_gain(self) -> bool:
        """Whether the candidate does better, and that is real."""
        return self.is_real and self.value > 0

    @property
    def is_hopeless(self) -> bool:
        """Whether the two differ on too few examples for any outcome to be called real."""
        return self.differing < FEWEST


def change(difference: Difference, test: PairedTest) -> Change:
    """A difference with the test of it."""
    return Change(difference.value, difference.low, difference.high, test.p, test.examples, test.differing)


def paired_test(tasks: Sequence[Exchange], seed: int = 0) -> PairedTest:
    """Test that the mean over tasks of the differences is zero, on both sides, by exchanges within each task.

    Tasks weigh the same. Up to `EXACT` differing examples p is exact; beyond, it comes from `DRAWS`
    exchanges drawn with `seed`, as (1 + hits) / (1 + draws), which keeps the level as well.
    """
    differing = sum(task.differing for task in tasks)
    found = abs(_mean([task.exchanged(0) for task in tasks])) - TINY

    def hits(patterns: Sequence[int]) -> bool:
        return abs(_mean([task.exchanged(pattern) for task, pattern in zip(tasks, patterns, strict=True)])) >= found

    if differing <= EXACT:
        p = sum(hits(_dealt(whole, tasks)) for whole in range(2**differing)) / 2**differing
    else:
        random = Random(seed)
        drawn = ([random.getrandbits(task.differing) for task in tasks] for _ in range(DRAWS))
        p = (1 + sum(map(hits, drawn))) / (1 + DRAWS)
    return PairedTest(p, sum(task.examples for task in tasks), differing)


def _dealt(whole: int, tasks: Sequence[Exchange]) -> list[int]:
    """A pattern over all differing examples, cut into those of the tasks."""
    patterns = []
    for task in tasks:
        patterns.append(whole & (2**task.differing - 1))
        whole >>= task.differing
    return patterns


class MeanExchange:
    """The exchange of a score that is a mean over examples."""

    def __init__(self, gains: Sequence[float]) -> None:
        """Take the candidate's score less the baseline's on each example, in [-1, 1]."""
        own = [gain / len(gains) for gain in gains if abs(gain) > TINY]
        self.examples, self.differing = len(gains), len(own)
        self.exchanged: Callable[[int], float] = chosen_sum(own, [-gain for gain in own])


def chosen_sum(kept: Sequence[Number], exchanged: Sequence[Number]) -> Callable[[int], Number]:
    """The sum of one number for each example: of `exchanged` where its bit of the pattern is set, else of `kept`.

    Eight examples at a time are looked up, since this is asked thousands of times.
    """
    tables = [_sums(kept[at : at + 8], exchanged[at : at + 8]) for at in range(0, len(kept), 8)]
    return lambda pattern: sum(map(getitem, tables, pattern.to_bytes(len(tables), "little")))


def _sums(kept: Sequence[Number], exchanged: Sequence[Number]) -> list[Number]:
    sums: list[Number] = [0]
    for stays, goes in zip(kept, exchanged, strict=True):
        sums = [one + stays for one in sums] + [one + goes for one in sums]
    return sums


def examples_needed(gain: float, square: float) -> int:
    """How many examples it takes to confirm a gain four times in five.

    `gain` in (0, 1] is the mean difference of an example's scores, `square` the mean of its square, at
    least gain squared; for right and wrong alone that is the share of examples on which the two differ,
    and this is the usual size of a McNemar test (Connor 1987). It is never fewer than bring `FEWEST` differing ones.
    """
    square = min(1.0, max(square, gain * gain))
    size = (CERTAIN * sqrt(square) + LIKELY * sqrt(square - gain * gain)) ** 2 / gain**2
    return max(ceil(size - TINY), ceil(FEWEST / square - TINY))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
