"""What data and settings a task had when a run began, kept small: each example as hashes. Pure functions.

Of a data set of any size an inventory keeps 20,000 examples at most: those with the lowest hashes, so that of two data
sets the same share is kept, and what changed in that share stands for all of it.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from ..domain.results import Example, Split
from .likeness import comparable
from .spec import TaskSpec

MOST = 20_000
"""The examples that an inventory keeps, at most: 12 bytes each."""

QUESTION, ANSWERS = 7, 4
"""Bytes of the hashes; a byte for the split follows them. Of a million questions two are taken for one once in 70,000 times."""

SPLITS: tuple[str, ...] = ("", *get_args(Split))


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one example: a hash of its accepted answers, and the split that the data assigns, "" where none."""

    answers: bytes
    split: str


@dataclass(frozen=True)
class Inventory:
    """A task's examples by the hashes of their questions, of `examples` there are, and its settings by name.

    `whole` is false for runs that put no inventory on record: then it is of the examples that they drew.
    """

    examples: int
    kept: Mapping[bytes, Kept]
    settings: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = True

    def as_data(self) -> dict[str, Any]:
        """Plain data, as the store has it."""
        rows = b"".join(at + one.answers + bytes([SPLITS.index(one.split)]) for at, one in self.kept.items())
        return {"examples": self.examples, "kept": b64encode(rows).decode(), "settings": dict(self.settings)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Inventory":
        """An inventory from what `as_data` wrote."""
        written, size = b64decode(data["kept"]), QUESTION + ANSWERS + 1
        rows = [written[at : at + size] for at in range(0, len(written), size)]
        kept = {row[:QUESTION]: Kept(row[QUESTION:-1], SPLITS[row[-1]]) for row in rows}
        return cls(data["examples"], kept, data["settings"])


def inventory(
    pools: Mapping[Any, Sequence[Example]], settings: Mapping[str, Any], *, whole: bool = True, most: int = MOST
) -> Inventory:
    """The inventory of a task's examples by assigned split; a question counts as `comparable` makes it."""
    named = sorted((_question(one), Kept(_answers(one), split)) for split, one in _every(pools))
    return Inventory(len(named), dict(named[:most]), settings, whole)


def settings_of(spec: TaskSpec) -> dict[str, Any]:
    """What a task's scores and first prompts depend on beside its examples, by the names that people know them by."""
    reader = spec.reader.model_dump(mode="json", exclude_defaults=True, exclude={"rules"})
    return {
        "reader": {"kind": spec.reader.kind, **reader},
        "metric": {"kind": spec.metric.kind, **spec.metric.model_dump(mode="json", exclude_defaults=True)},
        "user prompt": [spec.user_prompt, *spec.user_prompts],
        "answer format": spec.answer_format,
        "constrain": spec.constrain,
        "max_tokens": spec.max_tokens,
    }


def _every(pools: Mapping[Any, Sequence[Example]]) -> Iterable[tuple[str, Example]]:
    return ((str(split), one) for split, examples in pools.items() for one in examples)


def _question(example: Example) -> bytes:
    return hashlib.sha256(comparable(example.question).encode("utf-8", "surrogatepass")).digest()[:QUESTION]


def _answers(example: Example) -> bytes:
    # A metric that looks at whole rows finds its answer in them.
    told = "\0".join([*example.answers, example.row])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:ANSWERS]
