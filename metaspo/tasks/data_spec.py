"""Where a task's examples lie and how a row becomes one, as a person writes it."""

import re
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, PrivateAttr, field_validator

from ..domain.results import Split
from .images import Images
from .written import NAME, Written


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


Rows = str | list[dict[str, Any]]
"""A path to a JSON, JSONL or CSV file, or the rows themselves."""


class DataSpec(Written):
    """The name of a task and its examples."""

    name: str = Field(description="Letters, digits, '_', '-' and '.'.")
    domain: str = Field("", description="A word for the kind of task, for grouping.")
    role: Literal["source", "target"] = Field("source", description="Optimized on, or kept unseen.")
    description: str = Field("", description="One line for people.")
    examples: Rows | dict[Split, Rows] = Field(description="A file, the rows, or one of either per split.")
    question: str = Field("question", description="A column, or a template over columns such as '{title}: {text}'.")
    answer: str = Field("answer", description="The column of the gold answer, or of a list of accepted answers.")
    images: str | list[str] = Field("", description="The column, or columns, of a question's images: paths or addresses.")
    split: str | None = Field(None, description="The column that says train, validation or test.")
    encoding: str = Field("utf-8", description="The text encoding of the files.")
    duplicates: Literal["error", "drop"] = Field("error", description="What to do with a question that comes twice.")

    _folder: Path | None = None
    """The folder that paths are relative to: that of the file the task was written in."""
    _images: Images = PrivateAttr(default_factory=Images)

    @field_validator("name")
    @classmethod
    def _plain_name(cls, value: str) -> str:
        if not re.fullmatch(NAME, value):
            raise ValueError(f"{value!r} is no name for a task; use letters, digits, '_', '-' and '.', such as my_task")
        return value

    @field_validator("examples", mode="before")
    @classmethod
    def _some_examples(cls, value: Any) -> Any:
        if isinstance(value, list | dict | str) and not value:
            raise ValueError("is empty; name a file or write rows")
        splits = value if isinstance(value, dict) else {"train": value}
        for split, rows in splits.items():
            if split not in get_args(Split):
                raise ValueError(f"unknown split {split!r}; use train, validation or test")
            if not isinstance(rows, str) and not (isinstance(rows, list) and all(_is_row(row) for row in rows)):
                raise ValueError("is a file, a list of rows with named fields, or one of either per split")
        return value
