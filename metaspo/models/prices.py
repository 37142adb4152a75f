"""What a model's tokens cost."""

from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from ..tasks.written import Exact

BATCH_DISCOUNT = 0.5
"""What most providers take off for calls that may wait a day."""


class Prices(Exact):
    """The settings of a spec that say what its calls cost; a reply's cost follows from them and from its tokens.

    None is not given: then the list price of the provider counts, and where there is none the cost is unknown.
    0 is free.
    """

    input_price: float | None = Field(None, ge=0, allow_inf_nan=False, description="Price of a million input tokens.")
    cached_price: float | None = Field(
        None, ge=0, allow_inf_nan=False,
        description="Price of a million input tokens that the endpoint found in its cache; input_price if none.",
    )  # fmt: skip
    output_price: float | None = Field(None, ge=0, allow_inf_nan=False, description="Price of a million output tokens.")
    batch_discount: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False,
        description=f"Share that is taken off for calls in batches; {BATCH_DISCOUNT} if none.",
    )  # fmt: skip

    _listed: str = PrivateAttr("")

    @model_validator(mode="after")
    def _in_and_out(self) -> Self:
        if (self.input_price is None) != (self.output_price is None):
            given, lacking = ("input_price", "output_price")[:: 1 if self.output_price is None else -1]
            raise ValueError(f"{given} without {lacking}; give both, 0 where tokens are free")
        if self.cached_price is not None and self.input_price is None:
            raise ValueError("cached_price without input_price and output_price; give all three")
        return self

    def listed_as(self, source: str) -> Self:
        """These settings, with where the prices in them are from that no person set."""
        self._listed = source
        return self

    @property
    def price_source(self) -> str:
        """Where the prices are from, such as "list price of 2026-11-26 ..."; empty for a person's own, and for none."""
        return self._listed

    @property
    def is_priced(self) -> bool:
        """Whether it is known what its calls cost."""
        return self.input_price is not None

    @property
    def is_charged(self) -> bool:
        """Whether it is known that its calls cost something."""
        return any((self.input_price, self.cached_price, self.output_price))

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0, batched: bool = False) -> float | None:
        """What so many tokens cost, in the currency of the prices; None where these are not known.

        `cached_tokens` are a part of the input tokens; without a price of their own they cost what the others do.
        """
        if self.input_price is None or self.output_price is None:
            return None
        cached_price = self.input_price if self.cached_price is None else self.cached_price
        read = (input_tokens - cached_tokens) * self.input_price + cached_tokens * cached_price
        discount = BATCH_DISCOUNT if self.batch_discount is None else self.batch_discount
        return (read + output_tokens * self.output_price) * (1 - discount * batched) / 1_000_000
