"""What a run is run with, as opposed to what it is about."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator

from ..domain.complaints import as_written
from ..domain.results import Counting
from ..models.budget import Budget
from ..models.spec import ModelSpec
from ..models.spec_text import whole
from ..store.database import default_store
from ..tasks.form import in_order
from .admission import Admitted

BASE, OPTIMIZER = "local:smollm2", "local:smollm2,max_tokens=100"
"""The models of the built-in demo."""

MODELS = ("base", "optimizer", "analyst")
"""The keys of a context that name models."""


class Context(Admitted):
    """What a run works with: plain data, in no state. A run that goes on keeps what is not set anew."""

    if TYPE_CHECKING:
        # For type checkers that don't know pydantic.
        def __init__(self, **settings: Any) -> None: ...

    model_config = ConfigDict(json_schema_extra=in_order("base", "optimizer", "budget", "approve", last=("store",)))

    base: Annotated[ModelSpec | list[ModelSpec], WithJsonSchema({"type": "string"})] = Field(
        default_factory=lambda: ModelSpec.parse(BASE),
        description="The base model, which answers the tasks, such as local:smollm2 or openai:gpt-4o-mini,temperature=0; or a "
        "list of several, each of which answers.",
        json_schema_extra={"default": BASE},
    )
    bases: Counting = Field(
        "mean", description="What counts of a pair's scores on several base models: their mean, or the worst of them."
    )
    optimizer: Annotated[ModelSpec, WithJsonSchema({"title": "Optimizer", "type": "string"})] = Field(
        default_factory=lambda: ModelSpec.parse(OPTIMIZER),
        description="The optimizer model, which writes prompts, and analyses failures where no analyst is named.",
        json_schema_extra={"default": OPTIMIZER},
    )
    analyst: Annotated[
        ModelSpec | None, WithJsonSchema({"title": "Analyst", "anyOf": [{"type": "string"}, {"type": "null"}]})
    ] = Field(None, description="The model that analyses failures, while the optimizer writes prompts; the optimizer if none.")
    store: str = Field(
        default_factory=default_store,
        description="The SQLite file; that of METASPO_STORE or metaspo.db if none. A server has one for all its runs.",
    )
    budget: Budget = Field(
        default_factory=lambda: Budget(), description="The most that the run may use.", json_schema_extra={"default": {}}
    )
    exit: Literal["at the end", "when waiting"] = Field(
        "at the end", description="When waiting: the session ends once all calls wait for batches, and is resumed later."
    )
    approve: Literal["none", "user", "system", "both"] = Field(
        "none", description="Prompts that a person accepts, rejects or edits before they count; may change on resume."
    )
    track: str = Field(
        "",
        description="Where rounds and scores are told while the run is at work: mlflow, or mlflow:EXPERIMENT; nowhere if none.",
    )

    @field_validator("track", mode="before")
    @classmethod
    def _a_tracker(cls, value: Any) -> Any:
        if value in ("", None, False, "none"):
            return ""
        kind, colon, experiment = value.partition(":") if isinstance(value, str) else ("", "", "")
        if kind != "mlflow" or (colon and not experiment.strip()):
            raise ValueError(f"{as_written(value)} is no place to track a run; write mlflow, mlflow:EXPERIMENT or none")
        return value

    @field_validator("base", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return _a_model(value)
        specs = [_a_model(one) for one in whole(value)]
        twice = next((spec for at, spec in enumerate(specs) if spec in specs[:at]), None)
        if twice or not specs:
            raise ValueError(f"{twice} is there twice; name each model once" if twice else "is empty; name a base model")
        return specs if len(specs) > 1 else specs[0]

    @field_validator("optimizer", "analyst", mode="before")
    @classmethod
    def _string_form(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name == "analyst" and value in ("", None):
            return None
        return value if isinstance(value, dict) else _a_model(value)

    def on(self, before: "Context") -> "Context":
        """This context, with what it does not set as it was before."""
        now = {name: getattr(self, name) for name in self.model_fields_set}
        return before.model_copy(update=now | ({"budget": self.budget.on(before.budget)} if "budget" in now else {}))

    def changes(self, before: "Context") -> bool:
        """Whether it sets anything that was otherwise before."""
        after = self.on(before)
        return any(getattr(after, name) != getattr(before, name) for name in self.model_fields_set)

    @property
    def base_models(self) -> list[ModelSpec]:
        """The base model, or each of several."""
        return self.base if isinstance(self.base, list) else [self.base]


def _a_model(value: Any) -> ModelSpec:
    """The spec that is written as a text or as a block."""
    if isinstance(value, str | dict | ModelSpec):
        return ModelSpec.parse(value)
    raise ValueError(
        f"{as_written(value)} is no model; write one such as openai:gpt-4o-mini, or a block with provider and name"
    )


def names_of(specs: Sequence[ModelSpec]) -> list[str]:
    """What tables call the models: their labels, with the settings where two have the same one."""
    labels = [spec.label for spec in specs]
    return [str(spec) if labels.count(spec.label) > 1 else spec.label for spec in specs]
