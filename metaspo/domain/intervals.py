"""How sure a difference is: a paired bootstrap over examples. Whether it is real, significance.py says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from statistics import stdev

RESAMPLES = 2000
LEVEL = 0.95


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
    random = Random(seed)
    value = _mean([statistic(range(size)) for size, statistic in strata])
    draws = sorted(
        _mean([statistic(random.choices(range(size), k=size)) for size, statistic in strata]) for _ in range(RESAMPLES)
    )
    cut = round(RESAMPLES * (1 - LEVEL) / 2)
    return Difference(value, draws[cut], draws[-1 - cut])


def student(values: Sequence[float]) -> Difference:
    """The mean of two or more independent values, such as one score a seed, with Student's 95% interval."""
    value = _mean(values)
    half = STUDENT[min(len(values) - 1, len(STUDENT)) - 1] * stdev(values) / sqrt(len(values))
    return Difference(value, value - half, value + half)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
