from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.domain.results import Example, example_id
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


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("size", [80, 130, 400])
def test_what_an_earlier_run_selected_on_stays_among_what_selects(size: int, fixed: bool) -> None:
    most: Any = frozenset() if fixed else frozenset({"train", "validation"})
    sizes = Sizes(20, 10, 500, most)
    everything = [Example(example_id(f"q {i}", ["x"]), f"q {i}", ("x",)) for i in range(size)]
    first = draw("t", {"": everything[: size // 2]}, sizes, 0)
    old = {comparable(e.question) for split in ("train", "validation") for e in first[split]}
    then = draw("t", {"": everything}, replace(sizes, seen=frozenset(old), selected=frozenset(old)), 0)
    for split in ("validation", "test"):
        assert not {comparable(e.question) for e in then[split]} & old
    assert (len(then["validation"]) == 10 if fixed else then["validation"]) and len(then["train"]) == 20
    all_of_them = replace(
        sizes, train=size, most=frozenset({"train", "validation"}), seen=frozenset(old), selected=frozenset(old)
    )
    assert old <= {comparable(e.question) for e in draw("t", {"": everything}, all_of_them, 0)["train"]}


def test_some_of_what_is_new_is_learned_from() -> None:
    everything = [Example(example_id(f"q {i}", ["x"]), f"q {i}", ("x",)) for i in range(80)]
    sizes = Sizes(80, 80, 500, frozenset({"train", "validation"}))
    first = draw("t", {"": everything[:60]}, sizes, 0)
    old = frozenset(comparable(e.question) for split in ("train", "validation") for e in first[split])
    then = draw("t", {"": everything}, replace(sizes, seen=old, selected=old), 0)
    fresh = [e for e in then["train"] if comparable(e.question) not in old]
    assert fresh and then["validation"] and len(then["validation"]) - len(fresh) in (0, 1)


def test_what_moved_to_another_split_neither_tests_nor_confirms() -> None:
    old = frozenset(map(comparable, ["r 1", "r 2"]))
    moved = {
        "train": pool("r", 20)[3:],
        "validation": [*pool("v", 5), pool("r", 2)[1]],
        "test": [*pool("e", 9), pool("r", 3)[2]],
    }
    drawn = ids(draw("t", moved, Sizes(10, 5, 20, seen=old, selected=old), 0))
    assert sorted(drawn["validation"]) == [f"v{i}" for i in range(5)] and sorted(drawn["test"]) == [f"e{i}" for i in range(9)]
