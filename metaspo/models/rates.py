"""How much is asked of an endpoint at once, and for how long."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Rates(BaseModel):
    """The settings of a spec that shape no request: an endpoint's limits."""

    concurrency: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto", description="Requests in flight at most; auto finds how many the endpoint is fastest with."
    )
    timeout: float = Field(120, gt=0, description="Seconds that one request may take.")
    patience: float = Field(120, ge=0, description="Seconds for which a failing endpoint is tried again.")
