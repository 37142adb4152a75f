"""Judging in stages: which examples a candidate meets, what its scores say, and who goes on. Pure functions.

A candidate has to beat the prompts in force, whose outcome on every selecting example is known. It meets the
failures that it was written from (the gate), then growing samples, half of them from what is wrong under the
prompts in force and half from what is right, each half weighted back by its true share, and at last everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import ceil, sqrt
from random import Random
from statistics import variance as variance_of

Scores = Mapping[str, Mapping[str, float]]
"""A candidate's scores, from 0 to 1, by task and example."""

GATE, EVERYTHING = "gate", "everything"
"""The first and the last stage; those between are samples."""

FIRST, A_TASK = 8, 2
"""Examples in the first sample: so many, and so many more for each task."""

GROWTH = 2
"""How many times larger than the sample before the next one is."""

WHOLE = 0.7
"""The share of all examples from which on everything is asked rather than a sample."""

CLEARLY = 0.5
"""Standard errors below the prompts in force at which a candidate is clearly worse."""


def sample_sizes(total: int, tasks: int) -> list[int]:
    """The sizes of the samples that come before everything: of so many examples of so many tasks in all."""
    sizes: list[int] = []
    size = FIRST + A_TASK * tasks
    while size < WHOLE * total:
        sizes.append(size)
        size = ceil(size * GROWTH)
    return sizes


@dataclass(frozen=True, slots=True)
class Known:
    """What the prompts in force make of a task's selecting examples: a score in [0, 1] by example, and those that failed."""

    task: str
    scores: Mapping[str, float]
    failed: frozenset[str]

    @property
    def halves(self) -> tuple[list[str], list[str]]:
        """The examples that are wrong and those that are right, each in order."""
        return sorted(self.failed & self.scores.keys()), sorted(self.scores.keys() - self.failed)


def sample(known: Sequence[Known], size: int, random: Random) -> dict[str, list[str]]:
    """About `size` examples by task, half of them wrong under the prompts in force and half right.

    Where one half has too few, the other gives more. Tasks take turns. With a generator in the same state, a
    larger sample holds the smaller one.
    """
    halves = []
    for side in (0, 1):
        orders = [random.sample(one.halves[side], len(one.halves[side])) for one in known]
        in_turn = zip_longest(*([(one.task, id) for id in order] for one, order in zip(known, orders, strict=True)))
        halves.append([pair for pair in chain.from_iterable(in_turn) if pair])
    wrong, right = halves
    wrongs = min(len(wrong), max(ceil(size / 2), size - len(right)))
    drawn: dict[str, list[str]] = {one.task: [] for one in known}
    for task, id in [*wrong[:wrongs], *right[: size - wrongs]]:
        drawn[task].append(id)
    return {task: ids for task, ids in drawn.items() if ids}


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better than the prompts in force a candidate is: the mean over tasks, in [-1, 1], with its standard error.

    Both are of all selecting examples, judged by those it has met.
    """

    value: float
    error: float
    examples: int

    @property
    def clearly_worse(self) -> bool:
        """Whether chance is no excuse for it."""
        return self.examples > 0 and self.value + CLEARLY * self.error <= 0


def gain(known: Sequence[Known], scores: Scores) -> Gain:
    """A candidate's gain from its scores by task and example; each half of a task weighs what it has of all examples."""
    parts = []
    for one in known:
        met = scores.get(one.task, {})
        for half in one.halves:
            differences = [met[id] - one.scores[id] for id in half if id in met]
            if differences:
                parts.append((len(half) / len(one.scores) / len(known), len(half), differences))
    spread = _spread([part[2] for part in parts])
    value = sum(weight * sum(found) / len(found) for weight, _, found in parts)
    variance = sum(weight**2 * spread / len(found) * (1 - len(found) / size) for weight, size, found in parts)
    return Gain(value, sqrt(variance), sum(len(found) for _, _, found in parts))


def _spread(parts: Iterable[Sequence[float]]) -> float:
    """The variance within parts, pooled; an observation of one half either way stands for what few examples cannot show."""
    squares, count = 0.25, 1
    for found in parts:
        middle = sum(found) / len(found)
        squares += sum((one - middle) ** 2 for one in found)
        count += len(found) - 1
    return squares / count


def better_half(gains: Mapping[int, Gain], lengths: Mapping[int, int]) -> list[int]:
    """The candidates that go on, by position: the better half of those that are not clearly worse; of equals the shorter."""
    able = sorted(
        (position for position, found in gains.items() if not found.clearly_worse),
        key=lambda position: (-round(gains[position].value, 9), lengths[position], position),
    )
    return sorted(able[: ceil(len(gains) / 2)])


def mended(known: Sequence[Known], scores: Scores) -> Gain:
    """How much better a candidate does on the failures that it was written from: the plain mean, and how many they are."""
    before = {one.task: one.scores for one in known}
    found = [score - before[task].get(id, 0.0) for task, met in scores.items() for id, score in met.items()]
    return Gain(sum(found) / len(found) if found else 0.0, 0.0, len(found))


def through_the_gate(shares: Mapping[int, Gain]) -> list[int]:
    """The candidates that mend most of the failures they were written from, by position; who mends none is not among them."""
    most = max((round(found.value, 9) for found in shares.values()), default=0.0)
    return sorted(position for position, found in shares.items() if most > 0 and round(found.value, 9) == most)


def not_longer(scores: Mapping[int, Scores], best: Sequence[int], lengths: Mapping[int, int]) -> int:
    """Of the candidates that do better, `best` first, the shortest that the examples do not tell from the first."""
    alike = [position for position in best if _alike(scores[best[0]], scores[position])]
    return min(alike, key=lambda position: lengths[position])


def _alike(one: Scores, other: Scores) -> bool:
    """Whether two candidates are within a standard error of each other on the examples that gave both a score."""
    met = {task: one.get(task, {}) for task in other}
    shared = [[met[task][id] - score for id, score in own.items() if id in met[task]] for task, own in other.items()]
    found = [differences for differences in shared if differences]
    difference = sum(sum(differences) / len(differences) for differences in found)
    variance = sum(variance_of(differences) / len(differences) for differences in found if len(differences) > 1)
    return difference <= sqrt(variance)
