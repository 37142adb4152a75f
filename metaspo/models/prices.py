"""What a model's tokens cost."""

from pydantic import BaseModel, Field


class Prices(BaseModel):
    """The settings of a spec that say what its calls cost; a reply's cost follows from them and from its tokens."""

    input_price: float = Field(0, ge=0, allow_inf_nan=False, description="Price of a million input tokens.")
    output_price: float = Field(0, ge=0, allow_inf_nan=False, description="Price of a million output tokens.")

    @property
    def is_priced(self) -> bool:
        """Whether it says what its calls cost."""
        return self.input_price > 0 or self.output_price > 0

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost, in the currency of the prices."""
        return (input_tokens * self.input_price + output_tokens * self.output_price) / 1_000_000
