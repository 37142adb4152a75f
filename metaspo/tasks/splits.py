"""Which examples a run uses: dealt test first, never shared between splits. Pure functions.

An example's place is decided by its content alone, so that no seed, size, branch or study moves it between
what selects and what tests: of examples without a split, the half with the lower ids is tested, and of the
rest a third is for validation. A size that asks for more than its part has takes from the part before it, and
what an ancestor selected on is never tested, wherever it lies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from ..domain.errors import TaskError
from ..domain.results import Example, Split
from .examples import Pools
from .likeness import comparable

Dealing = Literal["train first", "test first", "one test set"]
"""How examples are dealt. The last is today's: the same test examples whatever the seed. The others are for runs that
began when those were: the second drew the test examples by the seed, the first dealt the training examples before."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many examples a run draws per task; `test` is a most, so are those in `most`, the others are exact.

    At least `aside` examples are left to train and validation together, so that runs of several sizes test the same ones.
    `seen` are questions, made `comparable`, that are not to be tested, `trained` those that are not to confirm. Those in
    `selected` do neither: of examples without a split they are dealt to train.
    """

    train: int
    validation: int
    test: int
    most: frozenset[Split] = frozenset()
    dealing: Dealing = "one test set"
    aside: int = 0
    seen: frozenset[str] = frozenset()
    selected: frozenset[str] = frozenset()
    trained: frozenset[str] = frozenset()

    def apart(self, pool: Sequence[Example]) -> tuple[list[Example], list[Example]]:
        """A pool in two: what is `selected`, and the rest."""
        old = [example for example in pool if comparable(example.question) in self.selected] if self.selected else []
        known = {example.id for example in old}
        return old, [example for example in pool if example.id not in known]


def draw(name: str, pools: Pools, sizes: Sizes, seed: int, *, target: bool = False) -> Mapping[Split, tuple[Example, ...]]:
    """Draw the splits of a task.

    Assigned splits are respected: train (and validation, where the data has none of its own) comes
    from train, test from test. A `target` task is only tested. Which examples of its part a split takes
    depends on the seed and the task's name, not on other tasks. Raises TaskError when there are too few.
    """
    random = Random(f"{seed}/split/{name}")
    if target:
        sizes = replace(sizes, train=0, validation=0, most=frozenset(), aside=0)
    if sizes.dealing == "train first":
        found = _train_first(pools, sizes, random)
    else:
        found = _test_first(pools, sizes, random, random if sizes.dealing == "test first" else Random(f"split/{name}"))
    if sizes.test and not found["test"] and any(comparable(e.question) in sizes.seen for pool in pools.values() for e in pool):
        raise TaskError(
            f"task '{name}' has no example left to test that the run, or one that it builds on, has not selected on; "
            "add examples, or set test_size to 0"
        )
    wanted: dict[Split, int] = {"train": sizes.train, "validation": sizes.validation, "test": min(1, sizes.test)}
    for split, want in wanted.items():
        # What nothing it builds on was trained on may be less than what is asked for.
        if split not in sizes.most and not (split == "validation" and sizes.trained):
            _require(name, split, len(found[split]), want)
    _require(name, "train", len(found["train"]), min(1, sizes.train))
    return found


def _test_first(pools: Pools, sizes: Sizes, random: Random, of_test: Random) -> dict[Split, tuple[Example, ...]]:
    pools = {split: sorted(examples, key=lambda example: example.id) for split, examples in pools.items()}
    train, validation = (
        0 if split in sizes.most else size for split, size in (("train", sizes.train), ("validation", sizes.validation))
    )
    tested, (old, fresh) = pools.get("test", []), sizes.apart(pools.get("train", []))
    if "" in pools:
        pool, (old, fresh) = pools[""], sizes.apart(pools[""])
        only_tested = not sizes.train
        half = pool if only_tested else pool[: len(pool) // 2]
        leave = max(validation + max(0, train - len(old)), sizes.aside - len(old))
        tested, fresh = _cut(fresh, len(sizes.apart(half)[1]), leave)
    own = sizes.apart(pools.get("validation", []))[1]
    if "validation" not in pools:
        third = (len(old) + len(fresh)) // 3
        # Of what is new since an earlier run, some is to be learned from.
        wanted = min(third, (len(fresh) + 1) // 2) if old else third
        own, fresh = _cut(fresh, max(wanted, validation), max(train, sizes.aside - validation) - len(old))
    return {
        "train": _some(sorted([*old, *fresh], key=lambda example: example.id), sizes.train, random),
        "validation": _some(own, sizes.validation, random, sizes.trained),
        "test": _some(_without(tested, sizes.seen), sizes.test, of_test),
    }


def _without(pool: list[Example], questions: frozenset[str]) -> list[Example]:
    return [example for example in pool if comparable(example.question) not in questions] if questions else pool


def _cut(pool: list[Example], at: int, leave: int) -> tuple[list[Example], list[Example]]:
    """A pool in two parts: the first ends at a place, or before it where that would leave too few."""
    at = max(0, min(at, len(pool) - leave))
    return pool[:at], pool[at:]


def _some(pool: list[Example], size: int, random: Random, no: frozenset[str] = frozenset()) -> tuple[Example, ...]:
    # The whole pool is shuffled, so that a larger size holds the smaller one's examples.
    return tuple(_without(random.sample(pool, len(pool)), no)[:size])


def _train_first(pools: Pools, sizes: Sizes, random: Random) -> dict[Split, tuple[Example, ...]]:
    """As runs were dealt that began before test examples were: train, validation, then test from what remains."""
    pools = {split: random.sample(examples, len(examples)) for split, examples in pools.items()}
    if "" in pools:
        pool = pools[""]
        train, validation = pool[: sizes.train], pool[sizes.train : sizes.train + sizes.validation]
        test = _without(pool[sizes.train + sizes.validation :], sizes.seen)[: sizes.test]
        validation = _without(validation, sizes.trained)
    else:
        pool = pools.get("train", [])
        own = pools.get("validation")
        train = pool[: sizes.train]
        validation = (own if own is not None else pool[sizes.train :])[: sizes.validation]
        validation = _without(validation, sizes.trained)
        test = _without(pools.get("test", []), sizes.seen)[: sizes.test]
    return {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}


def _require(name: str, split: str, have: int, want: int) -> None:
    if have < want:
        raise TaskError(
            f"task '{name}' has {have} examples for {split} and the run wants {want}; "
            f"add examples or set {split}_size to a smaller number"
        )
