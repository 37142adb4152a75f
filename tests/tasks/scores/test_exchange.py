"""Exchanging outcomes changes a task's difference as scoring the exchanged outcomes anew would."""

from random import Random

import pytest

from metaspo.domain import significance
from metaspo.domain.results import Evaluation, Outcome
from metaspo.domain.significance import LEVEL, paired_test
from metaspo.tasks.scores import metrics
from metaspo.tasks.scores.exchange import exchange_of

ANSWERS = ["a", "b", "c", "z", None]


def evaluation(answers: list[str | None], golds: list[str], metric: str) -> Evaluation:
    outcomes = tuple(
        Outcome(str(at), "", answer, float(answer == gold), answer != gold)
        for at, (answer, gold) in enumerate(zip(answers, golds, strict=True))
    )
    score = (metrics.macro_f1 if metric == "macro_f1" else metrics.mean)(outcomes, golds)
    return Evaluation("", "t", "s", "u", "test", score, outcomes)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
@pytest.mark.parametrize("sides", [1, 3])
def test_an_exchange_is_what_scoring_anew_says(metric: str, sides: int) -> None:
    random = Random(sides)
    for size in (1, 4, 30):
        golds = [random.choice("abc") for _ in range(size)]
        new, old = ([[random.choice(ANSWERS) for _ in golds] for _ in range(sides)] for _ in (0, 1))
        found = exchange_of(
            metric, [evaluation(one, golds, metric) for one in new], [evaluation(one, golds, metric) for one in old], golds
        )
        apart = [at for at in range(size) if _counts(metric, [one[at] for one in new], [one[at] for one in old], golds[at])]
        assert (found.examples, found.differing) == (size, len(apart))
        for pattern in [0, 2 ** len(apart) - 1, *(random.getrandbits(len(apart) or 1) % 2 ** len(apart) for _ in range(20))]:
            gone = {at for bit, at in enumerate(apart) if pattern >> bit & 1}
            mixed = [
                [[(b if at in gone else a)[at] for at in range(size)] for a, b in zip(one, other, strict=True)]
                for one, other in ((new, old), (old, new))
            ]
            means = [sum(evaluation(one, golds, metric).score for one in side) / sides for side in mixed]
            assert found.exchanged(pattern) == pytest.approx(means[0] - means[1])


def _counts(metric: str, new: list[str | None], old: list[str | None], gold: str) -> bool:
    if metric == "macro_f1":
        return new != old
    return sum(one == gold for one in new) != sum(one == gold for one in old)


def test_macro_f1_keeps_the_level_and_finds_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(significance, "DRAWS", 199)
    monkeypatch.setattr(significance, "EXACT", 7)
    random, worlds, p_alike, p_better = Random(3), 300, list[float](), list[float]()
    for _ in range(worlds):
        golds = ["a" if random.random() < 0.8 else "b" for _ in range(random.randint(20, 50))]
        one, other = ([gold if random.random() < 0.6 else random.choice(ANSWERS) for gold in golds] for _ in (0, 1))
        mended = [gold if random.random() < 0.9 else answer for gold, answer in zip(golds, one, strict=True)]
        for answers, found in ((one, p_alike), (mended, p_better)):
            both = [[evaluation(side, golds, "macro_f1")] for side in (answers, other)]
            found.append(paired_test([exchange_of("macro_f1", both[0], both[1], golds)]).p)
    # Two standard errors of a share of 0.05 in 300 worlds are 0.025.
    assert sum(p <= LEVEL for p in p_alike) / worlds <= LEVEL + 0.025
    assert sum(p <= LEVEL for p in p_better) / worlds > 0.7


def test_a_task_without_examples() -> None:
    none = evaluation([], [], "accuracy")
    assert exchange_of("macro_f1", [none], [none], []).exchanged(0) == 0
