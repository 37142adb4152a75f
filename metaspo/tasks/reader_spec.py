"""How an answer is read from a reply, as a person writes it."""

import re
from math import ceil, floor
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from .written import CALLABLE, VERSION, Written, word

LONGEST_RANGE = 50
"""Integers that a reply may be held to, at most."""


class ReaderSpec(Written):
    """How an answer is read from a reply: where it stands (`from`) and what it must be (`kind`)."""

    kind: Literal["choice", "integer", "number", "text"] = Field("text", description="What an answer must be.")
    labels: list[Annotated[str, BeforeValidator(word)]] | None = Field(
        None, description="The closed set of a choice: words, option letters or digits."
    )
    source: str = Field(
        "tag", alias="from", description="'tag' (last <answer> tag), 'reply' (all of it), or package.module:function."
    )
    pattern: str | None = Field(None, description="A regular expression; its last match's group 1 is the answer.")
    minimum: float | None = Field(None, description="Numbers below this are unparsed.")
    maximum: float | None = Field(None, description="Numbers above this are unparsed.")
    version: Annotated[str | None, BeforeValidator(word)] = Field(None, description=VERSION)

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
