"""The outcomes of two prompts on the same examples, exchanged: what the paired test needs to know of a task's metric."""

from collections.abc import Sequence

from ...domain.results import Evaluation
from ...domain.significance import Exchange, MeanExchange, chosen_sum

LANE = 4
"""Bytes of one count among those that are added up together in one number."""


def exchange_of(metric: str, candidate: Sequence[Evaluation], baseline: Sequence[Evaluation], golds: Sequence[str]) -> Exchange:
    """Both sides' outcomes on one task, `golds` in their order; several evaluations a side count by their mean.

    An example is exchanged with all of them at once: the replies to it hang together.
    """
    if metric == "macro_f1":
        new, old = ([part for one in side for part in one.counted] for side in (candidate, baseline))
        # Each side as often as the other has evaluations, where one was scored on more models: that leaves the means.
        alike = (1, 1) if len(new) == len(old) else (len(old), len(new))
        return MacroF1Exchange(new * alike[0], old * alike[1], golds)
    both = list(zip(candidate, baseline, strict=True))
    return MeanExchange(
        [sum(new.outcomes[at].score - old.outcomes[at].score for new, old in both) / len(both) for at in range(len(golds))]
    )


class MacroF1Exchange:
    """The exchange of macro F1, which is no mean over examples: it is worked out anew from what has been exchanged.

    All it takes of a side is how often each label was answered, and how often rightly. These counts are
    sums over examples; they lie side by side in one long integer, so that one addition adds all of them.
    """

    def __init__(self, candidate: Sequence[Evaluation], baseline: Sequence[Evaluation], golds: Sequence[str]) -> None:
        """Take both sides' evaluations of the same examples, in one order."""
        self.examples, self._sides = len(golds), len(candidate)
        self._labels = sorted(set(golds))
        self._there = [golds.count(label) for label in self._labels]
        new, old = (
            list(zip(*([o.answer for o in one.outcomes] for one in side), strict=True)) for side in (candidate, baseline)
        )
        rows = list(zip(new, old, golds, strict=True))
        apart = [row for row in rows if row[0] != row[1]]
        self.differing = len(apart)
        kept, given = ([self._counted(row[side], row[2]) for row in apart] for side in (0, 1))
        self._both = sum(kept) + sum(given)
        self._alike = sum(self._counted(row[0], row[2]) for row in rows if row[0] == row[1])
        self._candidate = chosen_sum(kept, given)

    def exchanged(self, pattern: int) -> float:
        """The candidate's macro F1 less the baseline's, once the examples of the pattern are exchanged."""
        counts = self._candidate(pattern)
        return self._score(counts + self._alike) - self._score(self._both - counts + self._alike)

    def _counted(self, answers: Sequence[str | None], gold: str) -> int:
        """One example's counts: for every evaluation and label, whether it was answered and whether that was right."""
        found = 0
        for at, answer in enumerate(answers):
            if answer in self._labels:
                lane = 2 * (at * len(self._labels) + self._labels.index(answer))
                found += 1 << (8 * LANE * lane)
                found += (answer == gold) << (8 * LANE * (lane + 1))
        return found

    def _score(self, counts: int) -> float:
        lanes = memoryview(counts.to_bytes(2 * LANE * self._sides * len(self._labels), "little")).cast("I").tolist()
        there = self._there * self._sides
        scores = (2 * right / (named + own) for named, right, own in zip(lanes[::2], lanes[1::2], there, strict=True))
        return sum(scores) / len(there) if there else 0.0
