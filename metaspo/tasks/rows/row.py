"""One record of a task's data with the place it came from, and how a file of them is to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def no_hint(field: str) -> str:
    """Nothing to add."""
    return ""


@dataclass(frozen=True, slots=True)
class Row:
    """One record; `place` is 'file:line' or 'file, item N'; `split` is "" where the data draws none.

    `hint` says what else may be wrong where a field is missing, in words that follow "..., or"; "" for nothing.
    `folder` is that of the file, which paths in it are relative to.
    """

    place: str
    split: str
    values: Mapping[str, Any]
    hint: Callable[[str], str] = no_hint
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What a person says of a file: see the fields of DataSpec by these names."""

    encoding: str = "utf-8"
    rows: str | None = None
    delimiter: str | None = None
    columns: Sequence[str] = ()
    skip_lines: int = 0
