from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.domain.results import Example
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.examples import Pools
from metaspo.tasks.likeness import comparable
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.splits import Sizes, draw

SIZES = Sizes(6, 4, 8)


def pool(prefix: str, size: int) -> list[Example]:
    return [Example(f"{prefix}{i}", f"{prefix} {i}", ("x",)) for i in range(size)]


def ids(drawn: Any) -> dict[str, list[str]]:
    return {split: [example.id for example in examples] for split, examples in drawn.items()}


@pytest.mark.parametrize("pools", [{"": pool("q", 40)}, {"train": pool("r", 20), "test": pool("e", 20)}])
def test_the_seed_decides(pools: Pools) -> None:
    first = ids(draw("t", pools, SIZES, 1))
    assert ids(draw("t", pools, SIZES, 1)) == first
    assert ids(draw("t", pools, SIZES, 2)) != first
    assert ids(draw("u", pools, SIZES, 1)) != first


@pytest.mark.parametrize(
    "pools",
    [
        {"": pool("q", 40)},
        {"train": pool("r", 12), "test": pool("e", 20)},
        {"train": pool("r", 12), "validation": pool("v", 5), "test": pool("e", 9)},
    ],
)
def test_sizes_hold_and_splits_are_disjoint(pools: Pools) -> None:
    drawn = draw("t", pools, SIZES, 0)
    assert {split: len(examples) for split, examples in drawn.items()} == {"train": 6, "validation": 4, "test": 8}
    questions = [{comparable(e.question) for e in examples} for examples in drawn.values()]
    assert not any(one & other for one, other in combinations(questions, 2))


def test_assigned_splits_are_respected() -> None:
    pools = {"train": pool("r", 12), "validation": pool("v", 5), "test": pool("e", 9)}
    for split, examples in draw("t", pools, SIZES, 0).items():
        assert {e.id for e in examples} <= {e.id for e in pools[split]}
    without = draw("t", {split: examples for split, examples in pools.items() if split != "validation"}, SIZES, 0)
    assert {e.id for e in without["validation"]} <= {e.id for e in pools["train"]}


def test_test_is_what_there_is_up_to_its_size() -> None:
    assert len(draw("t", {"": pool("q", 13)}, SIZES, 0)["test"]) == 3
    assert len(draw("t", {"": pool("q", 99)}, SIZES, 0)["test"]) == 8
    assert draw("t", {"train": pool("r", 10)}, Sizes(6, 4, 0), 0)["test"] == ()


@pytest.mark.parametrize("pools", [{"": pool("q", 5)}, {"train": pool("r", 1), "test": pool("e", 5)}, {"test": pool("e", 5)}])
def test_a_target_is_only_tested(pools: Pools) -> None:
    drawn = draw("t", pools, SIZES, 0, target=True)
    assert {split: len(examples) for split, examples in drawn.items()} == {"train": 0, "validation": 0, "test": 5}


@pytest.mark.parametrize(
    ("pools", "says"),
    [
        ({"": pool("q", 5)}, "has 5 examples for train and the run wants 6"),
        ({"": pool("q", 8)}, "has 2 examples for validation and the run wants 4"),
        ({"": pool("q", 10)}, "has 0 examples for test and the run wants 1"),
        ({"train": pool("r", 8), "test": pool("e", 1)}, "has 2 examples for validation"),
        ({"train": pool("r", 8), "validation": pool("v", 1), "test": pool("e", 1)}, "has 1 examples for validation"),
        ({"test": pool("e", 50)}, "has 0 examples for train"),
    ],
)
def test_too_few(pools: Pools, says: str) -> None:
    with pytest.raises(TaskError) as raised:
        draw("tickets", pools, SIZES, 0)
    message = str(raised.value)
    assert "task 'tickets'" in message and says in message
    assert "add examples or set" in message and "_size" in message


def test_a_task_draws_alike_whatever_the_others_are(make_task: Callable[..., TaskSpec]) -> None:
    alone = open_task(make_task("b"), SIZES, 3)
    open_task(make_task("a"), SIZES, 3)
    assert ids(open_task(make_task("b"), SIZES, 3).splits) == ids(alone.splits)
    assert open_task(make_task("b"), SIZES, 3).id == alone.id != open_task(make_task("b"), SIZES, 4).id
