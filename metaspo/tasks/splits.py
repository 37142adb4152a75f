"""Which examples a run uses: dealt test first, never shared between splits. Pure functions.

An example's place is decided by its content alone, so that no seed, size, branch or study moves it between
what selects and what tests: of examples without a split, the half with the lower ids is tested, and of the
rest a third is for validation. A size that asks for more than its part has takes from the part before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from ..domain.errors import TaskError
from ..domain.results import Example, Split
from .examples import Pools


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many examples a run draws per task; `test` is a most, so are those in `most`, the others are exact.

    `train_first` deals as runs did that began before test examples were dealt first.
    """

    train: int
    validation: int
    test: int
    most: frozenset[Split] = frozenset()
    train_first: bool = False


def draw(name: str, pools: Pools, sizes: Sizes, seed: int, *, target: bool = False) -> Mapping[Split, tuple[Example, ...]]:
    """Draw the splits of a task.

    Assigned splits are respected: train (and validation, where the data has none of its own) comes
    from train, test from test. A `target` task is only tested. Which examples of its part a split takes
    depends on the seed and the task's name, not on other tasks. Raises TaskError when there are too few.
    """
    random = Random(f"{seed}/split/{name}")
    if target:
        sizes = Sizes(0, 0, sizes.test, frozenset(), sizes.train_first)
    found = (_train_first if sizes.train_first else _test_first)(pools, sizes, random)
    wanted: dict[Split, int] = {"train": sizes.train, "validation": sizes.validation, "test": min(1, sizes.test)}
    for split, want in wanted.items():
        if split not in sizes.most:
            _require(name, split, len(found[split]), want)
    _require(name, "train", len(found["train"]), min(1, sizes.train))
    return found


def _test_first(pools: Pools, sizes: Sizes, random: Random) -> dict[Split, tuple[Example, ...]]:
    pools = {split: sorted(examples, key=lambda example: example.id) for split, examples in pools.items()}
    train, validation = (
        0 if split in sizes.most else size for split, size in (("train", sizes.train), ("validation", sizes.validation))
    )
    tested, selecting = pools.get("test", []), pools.get("train", [])
    if "" in pools:
        only_tested = not sizes.train
        tested, selecting = _cut(pools[""], len(pools[""]) if only_tested else len(pools[""]) // 2, train + validation)
    own = pools.get("validation")
    if own is None:
        own, selecting = _cut(selecting, max(len(selecting) // 3, validation), train)
    return {
        "train": _some(selecting, sizes.train, random),
        "validation": _some(own, sizes.validation, random),
        "test": _some(tested, sizes.test, random),
    }


def _cut(pool: list[Example], at: int, leave: int) -> tuple[list[Example], list[Example]]:
    """A pool in two parts: the first ends at a place, or before it where that would leave too few."""
    at = max(0, min(at, len(pool) - leave))
    return pool[:at], pool[at:]


def _some(pool: list[Example], size: int, random: Random) -> tuple[Example, ...]:
    # The whole pool is shuffled, so that a larger size holds the smaller one's examples.
    return tuple(random.sample(pool, len(pool))[:size])


def _train_first(pools: Pools, sizes: Sizes, random: Random) -> dict[Split, tuple[Example, ...]]:
    """As runs were dealt that began before test examples were: train, validation, then test from what remains."""
    pools = {split: random.sample(examples, len(examples)) for split, examples in pools.items()}
    if "" in pools:
        pool = pools[""]
        train, validation = pool[: sizes.train], pool[sizes.train : sizes.train + sizes.validation]
        test = pool[sizes.train + sizes.validation :][: sizes.test]
    else:
        pool = pools.get("train", [])
        own = pools.get("validation")
        train = pool[: sizes.train]
        validation = (own if own is not None else pool[sizes.train :])[: sizes.validation]
        test = pools.get("test", [])[: sizes.test]
    return {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}


def _require(name: str, split: str, have: int, want: int) -> None:
    if have < want:
        raise TaskError(
            f"task '{name}' has {have} examples for {split} and the run wants {want}; "
            f"add examples or set {split}_size to a smaller number"
        )
