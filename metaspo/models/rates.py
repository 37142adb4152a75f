"""How much is asked of an endpoint at once and in a minute, and for how long."""

from typing import Annotated, Literal

from pydantic import Field

from ..tasks.written import Exact

RATES = ("requests_per_minute", "tokens_per_minute")
"""The settings that say how fast a model may be asked."""


class Rates(Exact):
    """The settings of a spec that shape no request: an endpoint's limits."""

    concurrency: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        "auto", description="Requests in flight at most; auto finds how many the endpoint is fastest with."
    )
    requests_per_minute: int | None = Field(
        None, ge=1, description="Requests in any minute at most, of all models of this name at this endpoint with this key."
    )
    tokens_per_minute: int | None = Field(
        None, ge=1, description="Tokens, read and written, in any minute at most; estimated before a request, counted after it."
    )
    timeout: float = Field(120, gt=0, description="Seconds that one request may take.")
    patience: float = Field(120, ge=0, description="Seconds for which a failing endpoint is tried again.")
