"""What a run may spend and what it has spent."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from ..domain.calls import Reply, Usage
from ..domain.errors import BudgetSpent, Interrupted, MetaspoError


class Budget(BaseModel):
    """The most a run may use, over all its sessions; what is not set is not limited."""

    model_config = ConfigDict(extra="forbid")

    calls: int | None = Field(None, ge=0, description="Paid model calls of every kind.")
    input_tokens: int | None = Field(None, ge=0, description="Tokens read.")
    output_tokens: int | None = Field(None, ge=0, description="Tokens written.")
    cost: float | None = Field(None, ge=0, description="In the currency of the models' prices.")
    minutes: float | None = Field(None, ge=0, description="Working time.")


@dataclass
class Account:
    """A run's budget and its running totals; the ledger asks it before every paid call.

    `seconds` is what earlier sessions of the run took; `abandoned` says that calls in flight were
    given up too. `parent` is an account that pays as well: the one of a study that the run belongs to.
    """

    run: str
    budget: Budget = field(default_factory=lambda: Budget())
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)
    reserved: int = 0
    stopped: MetaspoError | None = None
    abandoned: bool = False
    parent: "Account | None" = None
    _alarm: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: asyncio.Event | None = None

    @property
    def session_seconds(self) -> float:
        """Seconds since this session began."""
        return time.monotonic() - self.started

    def stop(self, reason: MetaspoError | None = None) -> None:
        """Let no further call start; calls in flight finish and are recorded. The first reason stands."""
        self.stopped = self.stopped or reason or Interrupted("interrupted")
        self._alarm.set()

    @property
    def reason(self) -> MetaspoError:
        """Why the run was stopped."""
        return self.stopped or Interrupted("interrupted")

    async def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until the run is stopped."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._alarm.wait(), seconds)

    async def unless_stopped(self, work: "asyncio.Future[None]") -> None:
        """Wait for `work`, but not longer than until the run is stopped."""
        alarm = asyncio.ensure_future(self._alarm.wait())
        try:
            await asyncio.wait((work, alarm), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()

    def reserve(self) -> None:
        """Make room for one call, or raise what ended the run: a budget, an interruption, an endpoint that is gone."""
        if self.stopped is None:
            spent = self._spent()
            if spent:
                self.stop(BudgetSpent(f"the budget of {spent} is spent"))
        if self.stopped is None and self.parent is not None:
            try:
                self.parent.reserve()
            except MetaspoError as reason:
                self.stop(reason)
        if self.stopped is not None:
            raise self.stopped
        self.reserved += 1

    async def settled(self) -> None:
        """Wait until no reserved call is in flight any more."""
        if self.reserved:
            self._settled = asyncio.Event()
            await self._settled.wait()

    def settle(self, role: str, reply: Reply | None) -> None:
        """A reserved call came back, with a reply that was paid for or with none."""
        self.reserved -= 1
        if reply is not None:
            self.usage.add(role, reply)
        if self.parent is not None:
            self.parent.settle(role, reply)
        if not self.reserved and self._settled is not None:
            self._settled.set()

    def _spent(self) -> str | None:
        budget, usage = self.budget, self.usage
        # Calls in flight count as made, so the number of calls is never overshot.
        if budget.calls is not None and usage.total_calls + self.reserved >= budget.calls:
            return f"{budget.calls:,} calls"
        if budget.input_tokens is not None and usage.input_tokens >= budget.input_tokens:
            return f"{budget.input_tokens:,} input tokens"
        if budget.output_tokens is not None and usage.output_tokens >= budget.output_tokens:
            return f"{budget.output_tokens:,} output tokens"
        if budget.cost is not None and usage.cost >= budget.cost:
            return f"{budget.cost:g} in cost"
        if budget.minutes is not None and self.seconds + self.session_seconds >= budget.minutes * 60:
            return f"{budget.minutes:g} minutes"
        return None
