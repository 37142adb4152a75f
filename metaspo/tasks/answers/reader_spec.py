"""How an answer is read from a reply, as a person writes it."""

import re
from math import ceil, floor
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..given import NAME, name_of
from ..written import CALLABLE, VERSION, Written, word
from .schemas import complaint_about_schema, schema_written
from .signs import plain_signs

RULES: Literal[2] = 2
"""The number of the rules that answers are read by; another one wherever a reply may be read otherwise than before."""

LONGEST_RANGE = 50
"""Integers that a reply may be held to, at most."""


def _source(value: Any) -> Any:
    return name_of(value)


class ReaderSpec(Written):
    """How an answer is read from a reply: where it stands (`from`) and what it must be (`kind`)."""

    kind: Literal["choice", "labels", "integer", "number", "json", "text"] = Field(
        "text", description="What an answer must be."
    )
    labels: list[Annotated[str, BeforeValidator(word)]] | None = Field(
        None, description="The closed set of 'choice' and 'labels': words, option letters or digits."
    )
    source: Annotated[str, BeforeValidator(_source)] = Field(
        "tag", alias="from", description="'tag' (last <answer> tag), 'reply' (all of it), or package.module:function."
    )
    pattern: str | None = Field(None, description="A regular expression; its last match's group 1 is the answer.")
    synonyms: dict[str, list[Annotated[str, BeforeValidator(word)]]] = Field(
        default_factory=dict,
        json_schema_extra={"default": {}},
        description="Other spellings of a label, in replies and in gold answers: {positive: [pos, good]}.",
    )
    decimal: Literal["point", "comma"] = Field("point", description="The sign before a number's fraction: 1.5 or 1,5.")
    minimum: float | None = Field(None, description="Numbers below this are unparsed.")
    maximum: float | None = Field(None, description="Numbers above this are unparsed.")
    none: Annotated[str | None, BeforeValidator(word)] = Field(
        None, description="labels: the word for none of them; an empty list says so too."
    )
    json_schema: Annotated[dict[str, Any] | str | None, BeforeValidator(schema_written)] = Field(
        None, alias="schema", description="json: the JSON schema of an answer, or the .json file that holds it."
    )
    version: Annotated[str | None, BeforeValidator(word)] = Field(None, description=VERSION)
    rules: Literal[1, 2] = Field(
        RULES, description="The rules that answers are read by: 1 are those of runs that began before there were others."
    )

    def by_rules(self, rules: int) -> "ReaderSpec":
        """The reader as it reads for a run that began by these rules."""
        return self if self.rules <= rules else self.model_copy(update={"rules": rules})

    @property
    def rules_matter(self) -> bool:
        """Whether a reply may be read otherwise by other rules: not where text is taken as it stands."""
        return self.kind != "text" or (self.source == "tag" and self.pattern is None)

    @property
    def closed(self) -> list[str]:
        """Every answer there can be, where that is a short list: the labels, or the integers of a range."""
        if self.pattern is not None or ":" in self.source:
            return []
        if self.kind == "integer" and self.minimum is not None and self.maximum is not None:
            least, most = ceil(self.minimum), floor(self.maximum)
            return [str(answer) for answer in range(least, most + 1)] if most - least < LONGEST_RANGE else []
        return self.labels or [] if self.kind == "choice" else []

    @property
    def holdable(self) -> bool:
        """Whether replies can be held to what is read: to one label, or to a schema where they are nothing but JSON."""
        schema = self.kind == "labels" or self.json_schema is not None
        return bool(self.closed) or (schema and self.source == "reply" and self.pattern is None)

    @property
    def held_to(self) -> dict[str, Any] | None:
        """The JSON schema that a reply is held to, where it is to one."""
        if self.kind == "labels":
            return {"type": "array", "items": {"type": "string", "enum": self.labels}}
        return self.json_schema if isinstance(self.json_schema, dict) else None

    @property
    def whole(self) -> bool:
        """Whether a gold answer is one value, or one set of labels, even where it is a list."""
        return self.kind in ("json", "labels")

    def _check_synonyms(self, labels: list[str]) -> None:
        """Raises ValueError for a synonym of no label, and for a spelling that would count as two."""
        spelled = {plain_signs(label).casefold(): label for label in labels}
        for label, words in self.synonyms.items():
            if label not in labels:
                raise ValueError(f"synonyms are of labels, and {label!r} is none of {', '.join(labels)}")
            for spelling in words:
                known = spelled.setdefault(plain_signs(spelling).casefold(), label)
                if not spelling.strip():
                    raise ValueError(f"a synonym of label {label!r} is empty; fill it in or remove it")
                if known != label:
                    raise ValueError(f"synonym {spelling!r} of label {label!r} counts as label {known!r} as well; remove one")

    @model_validator(mode="after")
    def _consistent(self) -> "ReaderSpec":
        self._structured()
        if self.kind in ("choice", "labels"):
            if not self.labels or len(self.labels) < 2:
                raise ValueError(f"a '{self.kind}' reader needs at least two labels, such as labels: [yes, no]")
            if len({label.casefold() for label in self.labels}) < len(self.labels):
                raise ValueError("two labels are the same but for upper and lower case; keep one")
            if any(not label.strip() for label in self.labels):
                raise ValueError("a label is empty; fill it in or remove it")
            self._check_synonyms(self.labels)
        elif self.synonyms:
            raise ValueError(f"synonyms belong to a reader with labels, not to '{self.kind}'; set kind: choice, or remove them")
        elif self.labels:
            raise ValueError(
                f"labels belong to a 'choice' or a 'labels' reader, not to '{self.kind}'; set kind: choice, or remove them"
            )
        if self.decimal != "point" and self.kind not in ("integer", "number"):
            raise ValueError(f"decimal belongs to a reader of numbers, not to '{self.kind}'; set kind: number, or remove it")
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groups
            except (re.error, RecursionError, OverflowError) as problem:
                raise ValueError(f"pattern is not a regular expression: {problem}") from None
            if groups < 1:
                raise ValueError("pattern needs a group ( ) around the answer")
        if self.source not in ("tag", "reply") and not re.fullmatch(f"{CALLABLE}|{NAME}", self.source):
            raise ValueError(f"from is 'tag', 'reply' or package.module:function, not {self.source!r}")
        if self.pattern is not None and ":" in self.source:
            raise ValueError("a pattern and a function under 'from' exclude each other; keep one")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        return self

    def _structured(self) -> None:
        """Check what belongs to the kinds that read a structure."""
        if self.kind == "json" and "source" not in self.model_fields_set:
            self.source = "reply"
        if self.json_schema is not None and self.kind != "json":
            raise ValueError(f"schema belongs to a 'json' reader, not to '{self.kind}'; set kind: json, or remove it")
        if isinstance(self.json_schema, dict) and (complaint := complaint_about_schema(self.json_schema)):
            raise ValueError(f"schema {complaint}")
        if self.none is None:
            return
        if self.kind != "labels":
            raise ValueError(f"none belongs to a 'labels' reader, not to '{self.kind}'; set kind: labels, or remove it")
        if not self.none or self.none.casefold() in {label.casefold() for label in self.labels or []}:
            raise ValueError("none is a word for the empty set, and no label; write one such as none: none")


def reader_block(value: Any) -> Any:
    """A reader that is given as a function, as a block."""
    return {"from": value} if callable(value) and not isinstance(value, ReaderSpec) else value
