"""What people call the splits. Pure functions."""

from collections.abc import Mapping
from typing import TypeVar

from ...domain.results import Split

Rows = TypeVar("Rows")

NAMES: Mapping[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "holdout", "held-out", "held_out"), "test"),
}  # fmt: skip
"""Every name that a split goes by. "eval" is none: it means validation to some and test to others."""

WANTED = "use train, validation (or valid, val, dev) or test"
"""What to write instead of a name that no split goes by."""


def split_named(name: object) -> Split | None:
    """The split that a name means, whatever its case and the space around it; None where it is the name of none."""
    return NAMES.get(name.strip().lower()) if isinstance(name, str) else None


def by_split(parts: Mapping[str, Rows]) -> dict[Split, Rows]:
    """What stands under names of splits, under the splits.

    Raises ValueError, in words: a name that no split goes by, or two names of one.
    """
    found: dict[Split, tuple[str, Rows]] = {}
    for name, rows in parts.items():
        split = split_named(name)
        if split is None:
            raise ValueError(f"unknown split {name!r}; {WANTED}")
        if split in found:
            raise ValueError(f"{found[split][0]!r} and {name!r} both mean {split}; put them together under one")
        found[split] = name, rows
    return {split: rows for split, (_, rows) in found.items()}
