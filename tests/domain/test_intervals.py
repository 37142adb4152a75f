from collections.abc import Sequence
from random import Random

import pytest

from metaspo.domain.intervals import Difference, Statistic, paired_difference


def gains(values: Sequence[float]) -> tuple[int, Statistic]:
    return len(values), lambda at: sum(values[i] for i in at) / len(values)


def test_no_difference_anywhere() -> None:
    assert paired_difference([gains([0.0] * 20), gains([0.0] * 5)]) == Difference(0, 0, 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clear_difference_excludes_zero(sign: int) -> None:
    found = paired_difference([gains([sign] * 30 + [0] * 20)])
    assert found.value == pytest.approx(sign * 0.6)
    assert found.low > 0 or found.high < 0
    # The normal approximation: 0.6 +- 1.96 * sqrt(0.6 * 0.4 / 50)
    assert sorted(abs(end) for end in (found.low, found.high)) == pytest.approx([0.464, 0.736], abs=0.03)


def test_noise_holds_zero() -> None:
    random = Random(1)
    found = paired_difference([gains([random.choice([-1, 0, 1]) for _ in range(60)])])
    assert found.low <= 0 <= found.high
    assert found.low <= found.value <= found.high


def test_tasks_weigh_the_same_whatever_their_size() -> None:
    assert paired_difference([gains([1.0] * 100), gains([0.0] * 4)]).value == pytest.approx(0.5)


def test_more_examples_tell_more() -> None:
    few, many = (paired_difference([gains([1, 0, 0, -1, 1] * size)]) for size in (4, 40))
    assert many.high - many.low < (few.high - few.low) / 2


def test_deterministic() -> None:
    strata = [gains([1, 0, -1, 1, 1, 0, 0, 1])]
    assert paired_difference(strata, seed=7) == paired_difference(strata, seed=7)
    assert paired_difference(strata, seed=7) != paired_difference(strata, seed=8)
