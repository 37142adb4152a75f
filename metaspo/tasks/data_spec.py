"""Where a task's examples lie and how a row becomes one, as a person writes it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator

from .form import form_of
from .rows.images import Images
from .rows.row import Form
from .sources.given import plain_examples
from .written import NAME, Written, word

DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


Rows = Annotated[
    list[dict[str, Any]],
    Field(
        title="Rows",
        description="One for each example, with a question and the answer that is right; a hundred or so are a good number.",
        examples=[[{"question": "Where is my parcel?", "answer": "delivery"}]],
    ),
]
Named = Annotated[str, Field(title="File or data set", description="A file of rows, or a data set such as hf:owner/name.")]
WrittenExamples = (
    Rows | Named | Annotated[dict[str, Rows | Named], Field(title="By split", description="Under train, validation and test.")]
)
"""The forms that a task's examples are written in."""


def mapped_key(value: Any) -> str:
    """How a value is looked up in `answer_map`: 0, "0", 0.0 and " 0 " are one, and so are true and "True"."""
    said = str(word(value))
    if re.fullmatch(r"[-+]?\d+\.0*", said):
        said = said.partition(".")[0]
    return said.casefold() if said.casefold() in ("true", "false") else said


def _answers(value: Any) -> Any:
    """A map of answers, its keys and values as text."""
    if not isinstance(value, dict):
        return value
    if not value:
        raise ValueError("is empty; write what stands in the data and the answer that it means, such as {0: no, 1: yes}")
    found: dict[str, str] = {}
    for key, answer in value.items():
        if not isinstance(key, str | int | float) or not isinstance(answer, str | int | float):
            raise ValueError(f"{key!r}: {answer!r} is not text or a number on both sides")
        if found.setdefault(mapped_key(key), word(answer)) != word(answer):
            raise ValueError(f"{mapped_key(key)} stands for two answers, {found[mapped_key(key)]} and {word(answer)}")
    return found


def _wanted(value: Any) -> Any:
    """The values that rows are chosen by, a list for each field."""
    if value is None:
        return None
    if not isinstance(value, dict) or not value:
        raise ValueError('names fields and what stands in them, such as {label: "-"} or {status: [done, checked]}')
    found = {str(word(path)): one if isinstance(one, list) else [one] for path, one in value.items()}
    for path, values in found.items():
        if not values or any(one is not None and not isinstance(one, str | int | float) for one in values):
            raise ValueError(f"{path}: {value[path]!r} is no text, number, null or list of these")
    return found


class DataSpec(Written):
    """The name of a task and its examples."""

    name: str = Field(description="Letters, digits, '_', '-' and '.'.")
    domain: str = Field("", description="A word for the kind of task, for grouping.")
    role: Literal["source", "target"] = Field("source", description="Optimized on, or kept unseen.")
    description: str = Field("", description="One line for people.")
    examples: Annotated[Any, form_of(WrittenExamples)] = Field(
        description="The rows themselves; or a file, a data set such as hf:owner/name; or one of these per split."
    )
    rows: str | None = Field(None, description="Where the rows stand in a JSON file: 'data', 'data.*.paragraphs.*.qas.*'.")
    columns: list[Annotated[str, BeforeValidator(word)]] | None = Field(
        None, description="The names of the fields, for a table without a header."
    )
    delimiter: str | None = Field(None, description="What divides the fields of a table, one sign or 'tab'; found if none.")
    skip_lines: int = Field(0, ge=0, description="How many lines of a table stand above its header, or its first row.")
    where: Annotated[dict[str, list[Any]] | None, BeforeValidator(_wanted)] = Field(
        None, description="Keeps the rows in which a field says this, or one of these: {status: [done, checked]}."
    )
    drop: Annotated[dict[str, list[Any]] | None, BeforeValidator(_wanted)] = Field(
        None, description='Leaves out the rows in which a field says this, or one of these: {gold_label: "-"}.'
    )
    question: str = Field(
        "question", description="A column, a path such as inputs.question, or a template over these: '{title}: {text}'."
    )
    question_pattern: str | None = Field(
        None, description="A regular expression; its first match's group 1 is the question, of what 'question' gives."
    )
    answer: str = Field("answer", description="The column or path of the gold answer, or of a list of accepted answers.")
    answer_map: Annotated[dict[str | int | float, str | int | float] | str | None, BeforeValidator(_answers)] = Field(
        None, description="What stands in the data and the answer that it means: {0: no, 1: yes}; or the row's options."
    )
    answer_columns: list[str] | None = Field(
        None, description="Columns of 0 and 1, a label each, in the place of 'answer': those that hold 1 are the answer."
    )
    answer_separator: str | None = Field(
        None, min_length=1, description="What stands between several answers in one text, such as ';'."
    )
    answer_pattern: str | None = Field(None, description="A regular expression; its last match's group 1 is the gold answer.")
    images: str | list[str] = Field("", description="The column, or columns, of a question's images: paths or addresses.")
    image_folder: str = Field("", description="The folder of images, where they are not beside the data file.")
    split: str | None = Field(None, description="The column or path that says train, validation or test.")
    encoding: str = Field("utf-8", description="The text encoding of files without a byte order mark.")
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
        return plain_examples(value)

    @field_validator("columns")
    @classmethod
    def _names(cls, value: list[str] | None) -> list[str] | None:
        twice = sorted({name for name in value or [] if value and value.count(name) > 1})
        if twice or value == []:
            raise ValueError(f"two are named {twice[0]!r}; rename one" if twice else "is empty; name each field, or remove it")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, value: str | None) -> str | None:
        sign = DELIMITERS.get(value.lower(), value) if value is not None else None
        if sign is not None and (len(sign) != 1 or sign in '"\r\n'):
            raise ValueError(f"is one sign, such as ';', or 'tab', not {value!r}")
        return sign

    @field_validator("answer_pattern", "question_pattern")
    @classmethod
    def _with_group(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value).groups if value is not None else 1
        except (re.error, RecursionError, OverflowError) as problem:
            raise ValueError(f"is not a regular expression: {problem}") from None
        if groups < 1:
            raise ValueError("needs a group ( ) around what counts, such as '#### (.+)'")
        return value

    @property
    def form(self) -> Form:
        """How the task's files are to be read."""
        return Form(self.encoding, self.rows, self.delimiter, tuple(self.columns or ()), self.skip_lines)
