"""How an answer is scored, as a person writes it."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from ..given import NAME, name_of
from ..written import CALLABLE, VERSION, Written, word
from .field_spec import FieldSpec, field_blocks

STRUCTURED = ("fields", "set_f1", "jaccard")
"""The metrics of answers that have a structure."""

REWARD = "reward:"
"""How a metric's name begins that is a person's own and needs no gold answer."""


class MetricSpec(Written):
    """How an answer is scored. Written as a name, or as a block when it needs settings."""

    kind: str = Field(
        "accuracy",
        description="accuracy, macro_f1, exact_match, token_f1, contains, numeric, fields, set_f1, jaccard, judge, "
        "package.module:function, or reward:package.module:function.",
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

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """Functions given in Python by their names, and `reward: f` as `kind: reward:f`."""
        if not isinstance(data, dict):
            return data
        data, version = dict(data), word(data.get("version"))
        if "reward" in data:
            if "kind" in data:
                raise ValueError("'reward' and 'kind' exclude each other; a reward is a metric of your own, keep one")
            data["kind"] = f"{REWARD}{name_of(data.pop('reward'), version)}"
        if "kind" in data:
            data["kind"] = name_of(data["kind"], version)
        return data

    @model_validator(mode="after")
    def _consistent(self) -> "MetricSpec":
        known = ("accuracy", "macro_f1", "exact_match", "token_f1", "contains", "numeric", *STRUCTURED, "judge")
        if self.kind not in known and not re.fullmatch(f"(?:{REWARD})?(?:{CALLABLE}|{NAME})", self.kind):
            also = f"package.module:function, or {REWARD}package.module:function"
            raise ValueError(f"unknown metric {self.kind!r}; known: {', '.join(known)}, {also}")
        if (self.kind == "judge") != bool(self.rubric and self.rubric.strip()):
            raise ValueError("a 'judge' metric needs a rubric, and only a 'judge' metric has one")
        if self.fields is not None and self.kind != "fields":
            raise ValueError(f"fields belong to a 'fields' metric, not to '{self.kind}'; set kind: fields, or remove them")
        return self

    @property
    def own(self) -> str | None:
        """The name of the function behind a metric of a person's own; None for any other metric."""
        return self.kind.removeprefix(REWARD) if ":" in self.kind else None

    @property
    def needs_golds(self) -> bool:
        """Whether every example must have a gold answer: a judge goes by its rubric, a reward by what it is given."""
        return self.kind != "judge" and not self.kind.startswith(REWARD)

    @property
    def threshold(self) -> float:
        """The score below which an example is a failure."""
        return self.failing_below or {"token_f1": 0.5, "judge": 0.75}.get(self.kind, 1.0)


def metric_block(value: Any) -> Any:
    """A metric that is written as a name, or given as a function, as a block."""
    return value if isinstance(value, dict | MetricSpec) or not (isinstance(value, str) or callable(value)) else {"kind": value}
