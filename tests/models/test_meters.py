"""Limits a minute by a clock of the test's own: exact, and no moment wasted."""

import itertools
from random import Random

import pytest

from metaspo.models.meters import BURST, WINDOW, Meter, Told
from metaspo.models.rate_headers import Left


def sent_by(meter: Meter, amounts: list[float]) -> list[tuple[float, float]]:
    """When each amount went out of a queue that is always full."""
    now, out = 0.0, []
    for amount in amounts:
        while wait := meter.wait(now, amount):
            now += wait
        meter.send(now, amount)
        out.append((now, amount))
    return out


def most_in_a_window(out: list[tuple[float, float]], seconds: float) -> float:
    return max(sum(amount for at, amount in out if start - 1e-6 <= at < start + seconds - 1e-6) for start, _ in out)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 60, 500])
def test_no_window_sees_more_than_the_limit_and_none_is_wasted(limit: int) -> None:
    out = sent_by(Meter(limit), [1.0] * (3 * limit + 1))
    assert most_in_a_window(out, WINDOW) == limit
    assert out[-1][0] == pytest.approx(3 * WINDOW, rel=1e-6)


def test_a_small_burst_and_then_evenly() -> None:
    times = [at for at, _ in sent_by(Meter(100), [1.0] * 100)]
    assert [at for at in times if at == 0] == [0] * int(100 * BURST)
    gaps = [later - at for at, later in itertools.pairwise(times[10:])]
    assert gaps == pytest.approx([WINDOW / 100] * len(gaps))


def test_tokens_of_any_size_keep_to_the_limit() -> None:
    random = Random(1)
    out = sent_by(Meter(1000), [float(random.randint(1, 400)) for _ in range(200)])
    assert 900 < most_in_a_window(out, WINDOW) <= 1000


def test_a_request_beyond_the_whole_limit_goes_alone() -> None:
    out = sent_by(Meter(100), [5000.0, 1.0, 5000.0])
    assert [at for at, _ in out] == pytest.approx([0, WINDOW, 2 * WINDOW], abs=WINDOW / 50)


def test_what_was_sent_counts_as_what_it_took() -> None:
    meter = Meter(1000)
    first = meter.send(0.0, 900.0)
    assert meter.wait(1.0, 200.0) > 50
    meter.correct(1.0, first, 20.0)
    assert meter.wait(2.0, 200.0) == 0
    meter.correct(2.0, first, 1000.0)
    assert meter.wait(2.0, 1.0) == pytest.approx(WINDOW - 2)
    meter.correct(WINDOW + 1, first, 5.0)  # long out of the window
    assert meter.wait(WINDOW + 1, 1000.0) == 0


def left(remaining: float, reset: float | None, limit: float | None = None) -> Left:
    return Left("x-ratelimit-{}-requests", "requests", remaining, reset, limit)


def test_nobody_sends_what_the_endpoint_may_not_have_left() -> None:
    told = Told()
    assert told.wait(0.0, 1.0, 0.0) == 0
    told.hear(0.0, left(5, 10), under_way=3)
    for _ in range(2):
        assert told.wait(0.0, 1.0, 3.0) == 0
        told.send(1.0)
    assert told.wait(1.0, 1.0, 5.0) == 9
    told.hear(2.0, left(4, 20), under_way=0)  # the next reply knows better
    assert told.wait(2.0, 1.0, 0.0) == 0


def test_after_a_reset_there_is_the_limit_or_else_what_was_seen() -> None:
    told = Told()
    told.hear(0.0, left(0, 10, 3), under_way=0)
    assert told.wait(9.0, 1.0, 0.0) == 1 and told.wait(10.0, 1.0, 0.0) == 0
    told.send(1.0), told.send(1.0), told.send(1.0)
    assert told.wait(10.0, 1.0, 3.0) > 0  # until a reply tells more
    told = Told()
    told.hear(0.0, left(0, 10), under_way=0)
    assert told.wait(10.0, 1.0, 0.0) == 0
    told.send(1.0)
    assert told.wait(10.0, 1.0, 1.0) > 0


def test_without_a_reset_one_more_request_finds_out() -> None:
    told = Told()
    told.hear(0.0, left(0, None), under_way=2)
    assert told.wait(0.0, 1.0, 2.0) > 0 and told.wait(0.0, 1.0, 0.0) == 0
