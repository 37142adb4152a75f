"""The rules of judging in stages, on numbers alone."""

from random import Random
from statistics import mean, stdev

import pytest

from metaspo.methods.stages import (
    Gain,
    Known,
    better_half,
    gain,
    mended,
    not_longer,
    sample,
    sample_sizes,
    through_the_gate,
)


def known(task: str, wrong: int, right: int) -> Known:
    scores = {f"{task}w{at:03}": 0.0 for at in range(wrong)} | {f"{task}r{at:03}": 1.0 for at in range(right)}
    return Known(task, scores, frozenset(id for id, score in scores.items() if score < 1))


@pytest.mark.parametrize(("total", "tasks"), [(1, 1), (20, 1), (120, 4), (200, 4), (600, 12), (10_000, 40)])
def test_samples_grow_and_end_well_before_everything(total: int, tasks: int) -> None:
    sizes = sample_sizes(total, tasks)
    assert sizes == sorted(set(sizes)) and all(size < total for size in sizes)
    assert not sizes or sizes[0] >= 2 * tasks


@pytest.mark.parametrize(("wrong", "right"), [(20, 20), (3, 40), (40, 3), (0, 10), (10, 0)])
def test_half_is_wrong_and_half_is_right_as_far_as_there_are_any(wrong: int, right: int) -> None:
    both = [known("a", wrong, right), known("b", wrong, right)]
    for size in (2, 8, 12, 30):
        drawn = sample(both, size, Random(5))
        ids = [id for ids in drawn.values() for id in ids]
        assert len(ids) == len(set(ids)) == min(size, 2 * (wrong + right))
        failing = sum("w" in id for id in ids)
        assert failing == min(2 * wrong, max((size + 1) // 2, size - 2 * right))
    # Tasks take turns.
    assert len({len(ids) for ids in sample(both, 8, Random(5)).values()}) == 1


def test_a_larger_sample_holds_the_smaller_one() -> None:
    both = [known("a", 9, 30), known("b", 25, 12)]
    small, large = (sample(both, size, Random("x")) for size in (12, 40))
    assert all(set(ids) <= set(large[task]) for task, ids in small.items())


def test_the_gain_is_that_of_all_examples_on_average() -> None:
    random = Random(1)
    both = [known("a", 10, 40), known("b", 30, 10)]
    chance = {"a": (0.6, 0.9), "b": (0.3, 0.95)}
    truth = {one.task: {id: float(random.random() < chance[one.task][id[1] == "r"]) for id in one.scores} for one in both}
    real = mean(mean(truth[one.task][id] for id in one.scores) - mean(one.scores.values()) for one in both)
    assert gain(both, truth).value == pytest.approx(real)
    assert gain(both, truth).error == pytest.approx(0)
    draws = []
    for seed in range(3000):
        drawn = sample(both, 20, Random(seed))
        draws.append(gain(both, {task: {id: truth[task][id] for id in ids} for task, ids in drawn.items()}))
    assert mean(one.value for one in draws) == pytest.approx(real, abs=0.006)
    assert mean(one.error for one in draws) == pytest.approx(stdev(one.value for one in draws), rel=0.25)
    assert {one.examples for one in draws} == {20}


def test_graded_scores_count_by_their_size() -> None:
    one = Known("t", {"a": 0.25, "b": 0.5, "c": 1.0, "d": 1.0}, frozenset("ab"))
    assert gain([one], {"t": {"a": 0.75, "b": 0.5, "c": 1.0, "d": 0.5}}).value == pytest.approx(0.0)
    assert gain([one], {"t": {"a": 0.75, "c": 1.0}}).value == pytest.approx(0.25)


def test_the_gate_lets_through_who_mends_most_and_nobody_who_mends_none() -> None:
    both = [known("a", 3, 3), known("b", 3, 3)]
    two = mended(both, {"a": {"aw000": 1.0, "aw001": 0.0}, "b": {"bw000": 1.0, "bw001": 0.0}})
    assert (two.value, two.examples) == (0.5, 4)
    none = mended(both, {"a": {"aw000": 0.0}})
    assert through_the_gate({0: none, 1: two, 2: Gain(0.25, 0, 4), 3: Gain(0.5, 0, 2)}) == [1, 3]
    assert through_the_gate({0: none}) == [] == through_the_gate({})


def test_the_better_half_goes_on_and_of_equals_the_shorter() -> None:
    gains = {0: Gain(0.1, 0.1, 24), 1: Gain(0.2, 0.1, 24), 2: Gain(0.1, 0.1, 24), 3: Gain(-0.3, 0.1, 24)}
    assert better_half(gains, {0: 90, 1: 90, 2: 80, 3: 10}) == [1, 2]
    assert better_half({0: Gain(0.0, 0.1, 24), 1: Gain(0.0, 0.1, 24)}, {0: 9, 1: 9}) == [0]
    # Clearly worse: by more than chance would do.
    assert better_half({0: Gain(-0.04, 0.1, 24)}, {0: 9}) == [0]
    assert better_half({0: Gain(-0.06, 0.1, 24)}, {0: 9}) == []


def test_the_order_of_arrival_changes_nothing() -> None:
    gains = {at: Gain(value, 0.1, 24) for at, value in enumerate([0.1, 0.3, 0.3, 0.0, 0.2])}
    lengths = {at: 50 for at in gains}
    for seed in range(20):
        order = Random(seed).sample(list(gains), len(gains))
        assert better_half({at: gains[at] for at in order}, {at: lengths[at] for at in order}) == [1, 2, 4]


def test_of_candidates_that_the_examples_cannot_tell_apart_the_shorter_is_taken() -> None:
    one = known("t", 20, 20)
    better = {"t": {id: 1.0 for id in one.scores}}
    nearly = {"t": {id: float(id != "tw000") for id in one.scores}}
    worse = {"t": {id: float(id not in {f"tw{at:03}" for at in range(9)}) for id in one.scores}}
    scores = {0: better, 1: nearly, 2: worse}
    assert not_longer(scores, [0, 1, 2], {0: 300, 1: 60, 2: 10}) == 1
    assert not_longer(scores, [0, 2], {0: 300, 2: 10}) == 0
    assert not_longer(scores, [0, 1], {0: 60, 1: 60}) == 0


def test_candidates_are_told_apart_by_what_has_a_score_for_both() -> None:
    scores = {0: {"t": {"a": 1.0, "b": 1.0}, "u": {"c": 1.0}}, 1: {"t": {"a": 0.0, "x": 1.0}, "u": {}}}
    assert not_longer(scores, [0, 1], {0: 300, 1: 60}) == 0
    assert not_longer({0: scores[0], 1: {"t": {"a": 1.0, "x": 0.0}}}, [0, 1], {0: 300, 1: 60}) == 1
