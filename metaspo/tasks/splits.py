"""Which examples a run uses: drawn with its seed, never shared between splits. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from ..domain.errors import TaskError
from ..domain.results import Example, Split
from .examples import Pools


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many examples a run draws per task; `test` is a most, the others are exact."""

    train: int
    validation: int
    test: int


def draw(name: str, pools: Pools, sizes: Sizes, seed: int, *, target: bool = False) -> Mapping[Split, tuple[Example, ...]]:
    """Draw the splits of a task.

    Assigned splits are respected: train (and validation, where the data has none of its own) comes
    from train, test from test. Unassigned examples are shuffled and dealt: train, validation, then
    test from what remains. A `target` task is only tested. The draw depends on the seed and the
    task's name, not on other tasks. Raises TaskError when there are too few.
    """
    random = Random(f"{seed}/split/{name}")
    pools = {split: random.sample(examples, len(examples)) for split, examples in pools.items()}
    train_size, validation_size = (0, 0) if target else (sizes.train, sizes.validation)
    if "" in pools:
        pool = pools[""]
        train, validation = pool[:train_size], pool[train_size : train_size + validation_size]
        test = pool[train_size + validation_size :][: sizes.test]
    else:
        pool = pools.get("train", [])
        own = pools.get("validation")
        train = pool[:train_size]
        validation = (own if own is not None else pool[train_size:])[:validation_size]
        test = pools.get("test", [])[: sizes.test]
    _require(name, "train", len(train), train_size)
    _require(name, "validation", len(validation), validation_size)
    _require(name, "test", len(test), min(1, sizes.test))
    return {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}


def _require(name: str, split: str, have: int, want: int) -> None:
    if have < want:
        raise TaskError(
            f"task '{name}' has {have} examples for {split} and the run wants {want}; "
            f"add examples or set {split}_size to a smaller number"
        )
