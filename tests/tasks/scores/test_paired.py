"""How two system prompts compare on a task: means, wins, intervals."""

import pytest

from metaspo.domain.results import Evaluation, Outcome
from metaspo.tasks.scores import metrics
from metaspo.tasks.scores.paired import Paired, mean_change, over_tasks, score_on

GOLDS = ["yes", "no", "yes", "yes"]


def evaluation(answers: list[str | None], metric: str = "accuracy") -> Evaluation:
    outcomes = tuple(
        Outcome(str(at), "", answer, float(answer == gold), answer != gold)
        for at, (answer, gold) in enumerate(zip(answers, GOLDS, strict=True))
    )
    score = metrics.macro_f1(outcomes, GOLDS) if metric == "macro_f1" else metrics.mean(outcomes, GOLDS)
    return Evaluation("", "t", "s", "u", "test", score, outcomes)


RIGHT = evaluation(["yes", "no", "yes", "yes"])
HALF = evaluation(["yes", "yes", "yes", None])
NONE = evaluation(["no", "yes", None, "no"])


def test_means_wins_and_controls() -> None:
    found = Paired("t", "accuracy", False, GOLDS, [RIGHT, HALF, HALF], [HALF, HALF, NONE], 0.75).compare()
    assert found.candidate.mean.value == pytest.approx((1 + 0.5 + 0.5) / 3) and found.baseline.mean.value == pytest.approx(
        1 / 3
    )
    assert (found.wins, found.ties, found.losses) == (2, 1, 0) and found.win_rate == pytest.approx(2.5 / 3)
    assert (
        found.majority == 0.75
        and found.candidate.unparsed == pytest.approx(2 / 12)
        and found.baseline.unparsed == pytest.approx(3 / 12)
    )
    assert found.candidate.spread == pytest.approx(0.2887, abs=1e-4)
    assert found.difference.low <= found.difference.value <= found.difference.high
    assert found.candidate.mean.low < found.candidate.mean.value < found.candidate.mean.high


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_the_score_on_all_examples_is_the_score(metric: str) -> None:
    found = [evaluation(["yes", "no", "no", None], metric), evaluation(["no", "no", "yes", "yes"], metric)]
    statistic = score_on(metric, found, GOLDS)
    assert statistic(range(4)) == pytest.approx(sum(one.score for one in found) / 2)
    assert statistic([2, 2, 3, 3]) != statistic(range(4))


def test_tasks_weigh_the_same_whatever_their_size() -> None:
    short = Paired("a", "accuracy", False, GOLDS, [RIGHT], [NONE])
    long = Paired("b", "accuracy", False, GOLDS * 5, [_repeated(NONE)], [_repeated(RIGHT)])
    found = over_tasks([short, long])
    assert found.candidate.value == found.baseline.value == pytest.approx(0.5) and found.difference.value == pytest.approx(0)


def test_a_change_is_real_only_where_a_paired_test_finds_it() -> None:
    few, many = (Paired("a", "accuracy", False, GOLDS * n, [_repeated(RIGHT, n)], [_repeated(NONE, n)]) for n in (1, 2))
    # The bootstrap alone would call both sure.
    assert few.difference.low == many.difference.low == 1
    found = mean_change([few])
    assert (found.p, found.examples, found.differing, found.is_real) == (2 / 16, 4, 4, False) and found.is_hopeless
    assert (
        mean_change([many]).is_gain
        and not mean_change([Paired("a", "accuracy", False, GOLDS * 2, [_repeated(NONE, 2)], [_repeated(RIGHT, 2)])]).is_gain
    )
    assert over_tasks([few, few]).difference.examples == 8


def _repeated(one: Evaluation, times: int = 5) -> Evaluation:
    return Evaluation("", "t", "s", "u", "test", one.score, one.outcomes * times)
