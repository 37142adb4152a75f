"""What a run is run with, as opposed to what it is about."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator

from ..models.account import Budget
from ..models.spec import ModelSpec
from ..store.database import default_store
from ..tasks.documents import Block

BASE, OPTIMIZER = "local:smollm2", "local:smollm2,max_tokens=100"
"""The models of the built-in demo."""

MODELS = ("base", "optimizer", "analyst")
"""The keys of a context that name models."""


class Context(Block):
    """What a run works with: plain data, in no state. A run that goes on keeps what is not set anew."""

    base: Annotated[ModelSpec, WithJsonSchema({"type": "string"})] = Field(
        default_factory=lambda: ModelSpec.parse(BASE),
        description="The base model, which answers the tasks, such as local:smollm2 or openai:gpt-4o-mini,temperature=0.",
        json_schema_extra={"default": BASE},
    )
    optimizer: Annotated[ModelSpec, WithJsonSchema({"type": "string"})] = Field(
        default_factory=lambda: ModelSpec.parse(OPTIMIZER),
        description="The optimizer model, which writes prompts, and analyses failures where no analyst is named.",
        json_schema_extra={"default": OPTIMIZER},
    )
    analyst: Annotated[ModelSpec | None, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})] = Field(
        None, description="The model that analyses failures, while the optimizer writes prompts; the optimizer if none."
    )
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

    @field_validator(*MODELS, mode="before")
    @classmethod
    def _string_form(cls, value: Any, info: ValidationInfo) -> Any:
        if value == "" and info.field_name == "analyst":
            return None
        return ModelSpec.parse(value) if isinstance(value, str) else value
