"""How sure a difference is: a paired bootstrap over examples. Whether it is real, significance.py says."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from random import Random
from statistics import stdev

RESAMPLES = 2000
LEVEL = 0.95

KEPT = 600
"""Examples up to which resamples are kept for the next interval: 10 MB, four times at most."""

Resample = Sequence[Sequence[int]]
"""Positions of examples, for each stratum."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A score, or a difference of two on the same examples, with its 95% interval, all in [-1, 1]."""

    value: float
    low: float
    high: float


STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 0.975 quantile of Student's t by degrees of freedom, from 1; beyond, the last is close enough."""

Statistic = Callable[[Sequence[int]], float]
"""The difference on the examples at these positions; a position may come more than once."""


def paired_difference(strata: Sequence[tuple[int, Statistic]], seed: int = 0) -> Difference:
    """The mean difference over tasks with its bootstrap percentile interval.

    Each stratum is a task: its number of examples and the difference of its two scores on any
    resample of them. Tasks weigh the same and are resampled each on its own.
    """
    value = _mean([statistic(range(size)) for size, statistic in strata])
    draws = sorted(
        _mean([statistic(at) for (_, statistic), at in zip(strata, drawn, strict=True)])
        for drawn in _resamples(tuple(size for size, _ in strata), seed)
    )
    cut = round(RESAMPLES * (1 - LEVEL) / 2)
    return Difference(value, draws[cut], draws[-1 - cut])


def _resamples(sizes: tuple[int, ...], seed: int) -> Iterable[Resample]:
    """The resamples, of which each is one of every stratum."""
    return _kept(sizes, seed) if sum(sizes) <= KEPT else _drawn(sizes, seed)


@lru_cache(maxsize=4)
def _kept(sizes: tuple[int, ...], seed: int) -> Sequence[Resample]:
    # A report asks for several intervals over the same examples; drawing them takes as long as all the rest.
    return list(_drawn(sizes, seed))


def _drawn(sizes: tuple[int, ...], seed: int) -> Iterator[Resample]:
    random = Random(seed)
    positions = [tuple(range(size)) for size in sizes]
    for _ in range(RESAMPLES):
        yield [random.choices(own, k=len(own)) for own in positions]


def student(values: Sequence[float]) -> Difference:
    """The mean of two or more independent values, such as one score a seed, with Student's 95% interval."""
    value = _mean(values)
    half = STUDENT[min(len(values) - 1, len(STUDENT)) - 1] * stdev(values) / sqrt(len(values))
    return Difference(value, value - half, value + half)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
