"""How an answer is scored, as a person writes it."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from .field_spec import FieldSpec, field_blocks
from .written import CALLABLE, VERSION, Written, word

STRUCTURED = ("fields", "set_f1", "jaccard")
"""The metrics of answers that have a structure."""


class MetricSpec(Written):
    """How an answer is scored. Written as a name, or as a block when it needs settings."""

    kind: str = Field(
        "accuracy",
        description="accuracy, macro_f1, exact_match, token_f1, contains, numeric, fields, set_f1, jaccard, judge, "
        "or package.module:function.",
    )
    tolerance: float = Field(1e-6, ge=0, description="numeric: how far an answer may be off.")
    fields: Annotated[dict[str, FieldSpec] | None, BeforeValidator(field_blocks)] = Field(
        None,
        description="fields: how each is compared, such as {total: numeric, items: set}; those of the golds if none.",
    )
    rubric: str | None = Field(None, description="judge: what a good answer is.")
    model: str | None = Field(None, description="judge: the model that grades; the optimizer model if none.")
    failing_below: float | None = Field(None, gt=0, le=1, description="An example below this score is a failure.")
    version: Annotated[str | None, BeforeValidator(word)] = Field(None, description=VERSION)

    @model_validator(mode="after")
    def _consistent(self) -> "MetricSpec":
        known = ("accuracy", "macro_f1", "exact_match", "token_f1", "contains", "numeric", *STRUCTURED, "judge")
        if self.kind not in known and not re.fullmatch(CALLABLE, self.kind):
            raise ValueError(f"unknown metric {self.kind!r}; known: {', '.join(known)}, or package.module:function")
        if (self.kind == "judge") != bool(self.rubric and self.rubric.strip()):
            raise ValueError("a 'judge' metric needs a rubric, and only a 'judge' metric has one")
        if self.fields is not None and self.kind != "fields":
            raise ValueError(f"fields belong to a 'fields' metric, not to '{self.kind}'; set kind: fields, or remove them")
        return self

    @property
    def threshold(self) -> float:
        """The score below which an example is a failure."""
        return self.failing_below or {"token_f1": 0.5, "judge": 0.75}.get(self.kind, 1.0)


def metric_block(value: Any) -> Any:
    """A metric that is written as a name, as a block."""
    return {"kind": value} if isinstance(value, str) else value
