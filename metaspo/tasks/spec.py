"""What a person writes to describe a task."""

import re
from math import ceil, floor
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ..domain.prompts import complaint_about_user_prompt, with_answer_format
from ..domain.results import Split

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
CALLABLE = r"[\w.]+:[\w.]+"
"""How a Python callable is named: package.module:function."""

VERSION = "package.module:function: stands for its code, which is then not followed; another one means other scores."

LONGEST_RANGE = 50
"""Integers that a reply may be held to, at most."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _label(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value.strip() if isinstance(value, str) else value


class ReaderSpec(_Written):
    """How an answer is read from a reply: where it stands (`from`) and what it must be (`kind`)."""

    kind: Literal["choice", "integer", "number", "text"] = Field("text", description="What an answer must be.")
    labels: list[Annotated[str, BeforeValidator(_label)]] | None = Field(
        None, description="The closed set of a choice: words, option letters or digits."
    )
    source: str = Field(
        "tag", alias="from", description="'tag' (last <answer> tag), 'reply' (all of it), or package.module:function."
    )
    pattern: str | None = Field(None, description="A regular expression; its last match's group 1 is the answer.")
    minimum: float | None = Field(None, description="Numbers below this are unparsed.")
    maximum: float | None = Field(None, description="Numbers above this are unparsed.")
    version: Annotated[str | None, BeforeValidator(_label)] = Field(None, description=VERSION)

    @property
    def closed(self) -> list[str]:
        """Every answer there can be, where that is a short list: the labels, or the integers of a range."""
        if self.pattern is not None or ":" in self.source:
            return []
        if self.kind == "integer" and self.minimum is not None and self.maximum is not None:
            answers = range(ceil(self.minimum), floor(self.maximum) + 1)
            return [str(answer) for answer in answers] if len(answers) <= LONGEST_RANGE else []
        return self.labels or []

    @model_validator(mode="after")
    def _consistent(self) -> "ReaderSpec":
        if self.kind == "choice":
            if not self.labels or len(self.labels) < 2:
                raise ValueError("a 'choice' reader needs at least two labels, such as labels: [yes, no]")
            if len({label.casefold() for label in self.labels}) < len(self.labels):
                raise ValueError("two labels are the same but for upper and lower case; keep one")
            if any(not label.strip() for label in self.labels):
                raise ValueError("a label is empty; fill it in or remove it")
        elif self.labels:
            raise ValueError(f"labels belong to a 'choice' reader, not to '{self.kind}'; set kind: choice, or remove them")
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groups
            except re.error as problem:
                raise ValueError(f"pattern is not a regular expression: {problem}") from None
            if groups < 1:
                raise ValueError("pattern needs a group ( ) around the answer")
        if self.source not in ("tag", "reply") and not re.fullmatch(CALLABLE, self.source):
            raise ValueError(f"from is 'tag', 'reply' or package.module:function, not {self.source!r}")
        if self.pattern is not None and ":" in self.source:
            raise ValueError("a pattern and a function under 'from' exclude each other; keep one")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        return self


class MetricSpec(_Written):
    """How an answer is scored. Written as a name, or as a block when it needs settings."""

    kind: str = Field(
        "accuracy",
        description="accuracy, macro_f1, exact_match, token_f1, contains, numeric, judge, or package.module:function.",
    )
    tolerance: float = Field(1e-6, ge=0, description="numeric: how far an answer may be off.")
    rubric: str | None = Field(None, description="judge: what a good answer is.")
    model: str | None = Field(None, description="judge: the model that grades; the optimizer model if none.")
    failing_below: float | None = Field(None, gt=0, le=1, description="An example below this score is a failure.")
    version: Annotated[str | None, BeforeValidator(_label)] = Field(None, description=VERSION)

    @model_validator(mode="after")
    def _consistent(self) -> "MetricSpec":
        known = ("accuracy", "macro_f1", "exact_match", "token_f1", "contains", "numeric", "judge")
        if self.kind not in known and not re.fullmatch(CALLABLE, self.kind):
            raise ValueError(f"unknown metric {self.kind!r}; known: {', '.join(known)}, or package.module:function")
        if (self.kind == "judge") != bool(self.rubric and self.rubric.strip()):
            raise ValueError("a 'judge' metric needs a rubric, and only a 'judge' metric has one")
        return self

    @property
    def threshold(self) -> float:
        """The score below which an example is a failure."""
        return self.failing_below or {"token_f1": 0.5, "judge": 0.75}.get(self.kind, 1.0)


def _metric(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


Rows = str | list[dict[str, Any]]
"""A path to a JSON, JSONL or CSV file, or the rows themselves."""


class TaskSpec(_Written):
    """A task: its examples, how a question is put, how an answer is read and how it is scored."""

    name: str = Field(description="Letters, digits, '_', '-' and '.'.")
    domain: str = Field("", description="A word for the kind of task, for grouping.")
    role: Literal["source", "target"] = Field("source", description="Optimized on, or kept unseen.")
    description: str = Field("", description="One line for people.")
    examples: Rows | dict[Split, Rows] = Field(description="A file, the rows, or one of either per split.")
    question: str = Field("question", description="A column, or a template over columns such as '{title}: {text}'.")
    answer: str = Field("answer", description="The column of the gold answer, or of a list of accepted answers.")
    split: str | None = Field(None, description="The column that says train, validation or test.")
    encoding: str = Field("utf-8", description="The text encoding of the files.")
    duplicates: Literal["error", "drop"] = Field("error", description="What to do with a question that comes twice.")
    user_prompt: str = Field(description="The seed user prompt, with {question} once.", json_schema_extra={"prompt": True})
    user_prompts: list[str] = Field(
        default_factory=list, description="Further seed user prompts; the best on the selecting examples begins the search."
    )
    answer_format: str = Field("", description="Words about the answer's form that every user prompt keeps; added if missing.")
    reader: ReaderSpec = Field(default_factory=lambda: ReaderSpec())
    metric: Annotated[MetricSpec, BeforeValidator(_metric)] = Field(default_factory=lambda: MetricSpec())
    constrain: bool = Field(False, description="Hold replies to the labels where the backend can do that.")
    max_tokens: int | None = Field(None, gt=0, description="Longest reply in tokens; the model's setting if none.")
    licence: str = Field("", description="The licence of the examples.")

    _written: str = ""
    _folder: Path | None = None
    """The folder that paths are relative to: that of the file the task was written in."""

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

    @model_validator(mode="after")
    def _consistent(self) -> "TaskSpec":
        self._written = self._written or self.user_prompt
        self.user_prompt = with_answer_format(self.user_prompt, self.answer_format)
        self.user_prompts = [with_answer_format(text, self.answer_format) for text in self.user_prompts]
        for key, text in [("user_prompt", self.user_prompt), *(("user_prompts", text) for text in self.user_prompts)]:
            complaint = complaint_about_user_prompt(text, self.answer_format)
            if complaint:
                raise ValueError(f"{key} {complaint}; write one like 'Answer the question.\\n\\n{{question}}'")
        if self.metric.kind == "macro_f1" and self.reader.kind != "choice":
            raise ValueError("metric macro_f1 needs a reader of kind 'choice' with labels")
        if self.metric.kind == "numeric" and self.reader.kind not in ("integer", "number"):
            raise ValueError("metric numeric needs a reader of kind 'integer' or 'number'")
        if self.constrain and not self.reader.closed:
            raise ValueError(
                "constrain needs a reader of kind 'choice', or 'integer' with minimum and maximum, "
                "that reads from 'reply' or 'tag'"
            )
        return self

    @property
    def written_prompt(self) -> str:
        """The seed user prompt as a person wrote it, before the answer format was added."""
        return self._written
