"""What a spec says of every request: how its reply is drawn and how long it may be."""

from typing import Literal

from pydantic import BaseModel, Field


class RequestSettings(BaseModel):
    """The settings of a spec that shape requests."""

    temperature: float | None = Field(None, ge=0, le=2, description="0 for a base model, 1 for an optimizer if none.")
    max_tokens: int | None = Field(
        None, gt=0, description="Longest reply; 512 for a base model, 1024 for an optimizer if none."
    )
    seed: int | None = Field(None, description="Sent with every request where the backend knows seeds.")
    constrain: Literal["none", "grammar", "structured_outputs", "json_schema"] | None = Field(
        None, description="How the backend constrains replies; the provider's own way if none."
    )
