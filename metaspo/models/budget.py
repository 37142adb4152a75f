"""The most that a run may use: as a whole, and of it each role."""

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, Field

from ..domain.calls import Role, Usage
from ..tasks.written import Exact

ROLES: tuple[Role, ...] = ("base", "optimizer", "analyst", "judge")


class RoleBudget(Exact):
    """The most that the calls of one role may use, over all sessions of a run; what is not set is not limited."""

    model_config = ConfigDict(extra="forbid")

    calls: int | None = Field(None, ge=0, description="Paid model calls.")
    input_tokens: int | None = Field(None, ge=0, description="Tokens read.")
    output_tokens: int | None = Field(None, ge=0, description="Tokens written.")
    cost: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="In the currency of the models' prices, or of what the endpoint says."
    )

    def spent(self, usage: Usage, reserved: int) -> str | None:
        """Which limit what was used has reached, None while there is room. Calls in flight, `reserved`, count as made."""
        if self.calls is not None and usage.total_calls + reserved >= self.calls:
            return f"{self.calls:,} calls"
        if self.input_tokens is not None and usage.input_tokens >= self.input_tokens:
            return f"{self.input_tokens:,} input tokens"
        if self.output_tokens is not None and usage.output_tokens >= self.output_tokens:
            return f"{self.output_tokens:,} output tokens"
        if self.cost is not None and (usage.cost or 0.0) >= self.cost:
            return f"{self.cost:g} in cost"
        return None


class Budget(RoleBudget):
    """The most a run may use, over all its sessions; what is not set is not limited."""

    minutes: float | None = Field(None, ge=0, allow_inf_nan=False, description="Working time.")
    base: RoleBudget | None = Field(None, description="Of that, the most for answers of the base model.")
    optimizer: RoleBudget | None = Field(None, description="Of that, the most for the optimizer model.")
    analyst: RoleBudget | None = Field(None, description="Of that, the most for the analyst, where one is named.")
    judge: RoleBudget | None = Field(None, description="Of that, the most for grades of judges.")

    def on(self, before: "Budget") -> "Budget":
        """This budget, with the limits that it does not name as they were; one that names none lifts them all."""
        return Budget.model_validate(_on(before.model_dump(), self.model_dump(exclude_unset=True)))

    def roles(self) -> Iterator[tuple[Role, RoleBudget]]:
        """The roles that have a budget of their own."""
        for role in ROLES:
            if (own := getattr(self, role)) is not None:
                yield role, own

    def limits(self) -> dict[str, float]:
        """Every limit that is set, by its name; that of a role as optimizer.cost."""
        limits: dict[str, float] = {}
        for name, limit in self.model_dump(exclude_none=True).items():
            limits |= {f"{name}.{one}": of_role for one, of_role in limit.items()} if name in ROLES else {name: limit}
        return limits


def _on(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    if not now:
        return now
    of_roles = {name: _on((before or {}).get(name), value) for name, value in now.items() if isinstance(value, dict)}
    return {**(before or {}), **now, **of_roles}
