"""The paired test keeps its level on data without a difference, and finds differences that are there."""

from collections.abc import Callable, Sequence
from random import Random

import pytest

from metaspo.domain import significance
from metaspo.domain.intervals import Difference
from metaspo.domain.significance import (
    FEWEST,
    LEVEL,
    MeanExchange,
    PairedTest,
    change,
    chosen_sum,
    examples_needed,
    paired_test,
)

Draw = Callable[[Random], float]


def p_of(*gains: Sequence[float]) -> float:
    return paired_test([MeanExchange(one) for one in gains]).p


def test_no_difference_is_no_evidence() -> None:
    assert paired_test([MeanExchange([0.0] * 20), MeanExchange([0.0] * 3)]) == PairedTest(1.0, 23, 0)


def test_with_few_examples_p_is_exact() -> None:
    # All six in favour: that and its opposite are two of 64 exchanges.
    assert p_of([1] * 6 + [0] * 100) == pytest.approx(2 / 64)
    # Nine in favour of ten: 1 + 10 exchanges are as extreme on each side.
    assert p_of([1] * 9 + [-1]) == pytest.approx(2 * 11 / 1024)
    # Two tasks that weigh the same: 1/2 +- 1/4 +- 1/4; only all for or all against is as large.
    assert p_of([1], [1, 1]) == pytest.approx(2 / 8)


def test_six_differing_examples_are_the_fewest_that_can_tell() -> None:
    assert FEWEST == 6
    assert p_of([1] * 5) > LEVEL >= p_of([1] * 6)
    for size in range(FEWEST):
        found = change(Difference(1, 1, 1), paired_test([MeanExchange([1] * size + [0] * 40)]))
        assert not found.is_real and not found.is_gain and found.is_hopeless


def test_a_single_example_is_never_a_real_gain() -> None:
    found = change(Difference(1, 1, 1), paired_test([MeanExchange([1])]))
    assert (found.p, found.examples, found.differing, found.is_gain) == (1, 1, 1, False)


def test_both_directions_count_and_only_one_is_a_gain() -> None:
    better, worse = (paired_test([MeanExchange([sign] * 30 + [0] * 20)]) for sign in (1, -1))
    assert better.p == worse.p <= 0.001
    assert change(Difference(0.6, 0.4, 0.8), better).is_gain
    lost = change(Difference(-0.6, -0.8, -0.4), worse)
    assert lost.is_real and not lost.is_gain


def test_samples_agree_with_the_exact_test(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(2)
    for _ in range(5):
        gains = [random.uniform(-0.6, 1) for _ in range(12)]
        exact = p_of(gains)
        with monkeypatch.context() as patch:
            patch.setattr(significance, "EXACT", 0)
            assert p_of(gains) == pytest.approx(exact, abs=0.02)


def test_deterministic() -> None:
    strata = [MeanExchange([Random(1).choice([-1, 0, 1]) for _ in range(60)])]
    assert paired_test(strata, seed=3) == paired_test(strata, seed=3)


def test_sums_are_looked_up_rightly() -> None:
    random = Random(5)
    kept, exchanged = [random.randint(0, 9) for _ in range(21)], [random.randint(0, 9) for _ in range(21)]
    total = chosen_sum(kept, exchanged)
    for pattern in (0, 2**21 - 1, *(random.getrandbits(21) for _ in range(50))):
        assert total(pattern) == sum(
            b if pattern >> at & 1 else a for at, (a, b) in enumerate(zip(kept, exchanged, strict=True))
        )


RIGHT: Draw = lambda random: float(random.random() < 0.6)  # noqa: E731
PARTLY: Draw = lambda random: random.betavariate(0.7, 0.4)  # noqa: E731


def rejections(worlds: int, sizes: Callable[[Random], list[int]], draw: Draw, gain: float = 0.0) -> float:
    """How often the test finds a difference; with `gain`, so many candidates' answers are right whatever they were."""
    found, random = 0, Random(7)
    for _ in range(worlds):
        tasks = [
            [max(draw(random), float(random.random() < gain)) - draw(random) for _ in range(size)] for size in sizes(random)
        ]
        found += p_of(*tasks) <= LEVEL
    return found / worlds


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level holds for any number of exchanges, so few will do here."""
    monkeypatch.setattr(significance, "DRAWS", 199)
    monkeypatch.setattr(significance, "EXACT", 7)


@pytest.mark.long
@pytest.mark.parametrize("draw", [RIGHT, PARTLY], ids=["right or wrong", "partly right"])
@pytest.mark.parametrize(
    "sizes",
    [lambda random: [random.randint(1, 50)], lambda random: [random.randint(1, 50) for _ in range(random.randint(2, 5))]],
    ids=["one task", "several tasks"],
)
def test_without_a_difference_it_finds_one_in_twenty_at_most(
    sizes: Callable[[Random], list[int]], draw: Draw, quick: None
) -> None:
    # Two standard errors of a share of 0.05 in 1,500 worlds are 0.011.
    assert rejections(1500, sizes, draw) <= LEVEL + 0.011


@pytest.mark.parametrize("size", [1, 3, 5, 6, 10, 50])
def test_also_at_every_size(size: int, quick: None) -> None:
    found = rejections(600, lambda random: [size], RIGHT)
    assert found <= LEVEL + 0.018
    assert size > 5 or found == 0


def test_it_finds_what_is_there(quick: None) -> None:
    assert rejections(100, lambda random: [60, 60], RIGHT, gain=0.6) > 0.9
    assert rejections(100, lambda random: [60, 60], PARTLY, gain=0.6) > 0.9


def test_as_many_examples_as_are_needed_find_it_four_times_in_five(quick: None) -> None:
    # Right in 60% of cases; a candidate that mends a quarter of the rest gains 0.1 where nothing gets worse.
    size = examples_needed(0.1, 0.1)
    random, found = Random(11), 0
    for _ in range(300):
        found += p_of([float(random.random() < 0.1) for _ in range(size)]) <= LEVEL
    assert 0.75 < found / 300 < 0.98


def test_how_many_examples_it_takes() -> None:
    assert examples_needed(1.0, 1.0) == FEWEST
    # Connor (1987), table of the McNemar test: 0.2 gained, 0.3 differing, 80% power.
    assert examples_needed(0.2, 0.3) == pytest.approx(57, abs=2)
    assert examples_needed(0.05, 0.2) > examples_needed(0.1, 0.2) > examples_needed(0.1, 0.1)
    # Never fewer than bring six on which the two differ.
    assert examples_needed(0.02, 0.02) >= 300
