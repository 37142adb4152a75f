"""What a run may spend and what it has spent."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..domain.calls import BYTES_A_TOKEN, NO_REPLY, Reply, Role, Usage
from ..domain.errors import BudgetSpent, ConfigError, Interrupted, MetaspoError
from .priced import from_lists, lists_say, priced
from .spec import ModelSpec

TELLS = ("server", "program", "object", "openrouter", "litellm")
"""Providers behind which an endpoint may say what a call cost, as routers do."""

NEVER = (
    "a budget of {cost:g} in cost can never be reached: {why}; set input_price and output_price (per million tokens) "
    "of the models that cost something, or another limit, such as budget.calls"
)


class Budget(BaseModel):
    """The most a run may use, over all its sessions; what is not set is not limited."""

    model_config = ConfigDict(extra="forbid")

    calls: int | None = Field(None, ge=0, description="Paid model calls of every kind.")
    input_tokens: int | None = Field(None, ge=0, description="Tokens read.")
    output_tokens: int | None = Field(None, ge=0, description="Tokens written.")
    cost: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="In the currency of the models' prices, or of what the endpoint says."
    )
    minutes: float | None = Field(None, ge=0, allow_inf_nan=False, description="Working time.")


@dataclass
class Account:
    """A run's budget and its running totals; the ledger asks it before every paid call.

    `seconds` is what earlier sessions of the run took; `abandoned` says that calls in flight were
    given up too, `exits_when_waiting` that the session ends once all calls wait for batches. `parent`
    is an account that pays as well: the one of a study that the run belongs to.
    `notes` are what a person should know of the figures, `doubts` the models on whose word about cost the budget depends.
    """

    run: str
    budget: Budget = field(default_factory=lambda: Budget())
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    started: float = field(default_factory=time.monotonic)
    reserved: int = 0
    stopped: MetaspoError | None = None
    abandoned: bool = False
    exits_when_waiting: bool = False
    parent: "Account | None" = None
    notes: list[str] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)
    told: Callable[[str], None] = lambda note: None
    _alarm: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: asyncio.Event | None = None

    def check(self, asked: Iterable[tuple[Role, ModelSpec]]) -> None:
        """Look at budget and prices before the first call, given every model that may be asked with its role.

        Raises ConfigError for a limit on cost where no model has a price and no endpoint could tell a cost. Where
        one could, its first reply decides. What such a limit leaves out is noted, and which prices are of a list.
        """
        models, cost = [(role, priced(spec)) for role, spec in asked], self.budget.cost
        for said in lists_say(from_lists(spec for _, spec in models)):
            self.note(said)
        if cost is None or not models:
            return
        unpriced = [(role, spec) for role, spec in models if not spec.is_priced]
        if any(spec.is_charged for _, spec in models):
            for label in dict.fromkeys(spec.label for _, spec in unpriced):
                self.note(f"{label} has no prices: its calls count in the budget of {cost:g} only if it says what they cost")
            return
        self.doubts = {role for role, spec in unpriced if spec.provider in TELLS}
        if not self.doubts:
            raise ConfigError(NEVER.format(cost=cost, why=_without_cost([spec for _, spec in models])))

    def note(self, text: str) -> None:
        """Tell a person something about the figures, once."""
        if text not in self.notes:
            self.notes.append(text)
            self.told(text)

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

    async def unless_stopped(self, work: "asyncio.Future[Any]") -> None:
        """Wait for `work`, but not longer than until the run is stopped."""
        alarm = asyncio.ensure_future(self._alarm.wait())
        try:
            await asyncio.wait((work, alarm), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()

    def reserve(self, *, sent: bool = False) -> None:
        """Make room for one call, or raise what ended the run: a budget, an interruption, an endpoint that is gone.

        For one that an earlier session has `sent` there is room whatever the budget: it is paid.
        """
        if self.stopped is None and not sent:
            spent = self._spent()
            if spent:
                self.stop(BudgetSpent(f"the budget of {spent} is spent"))
        if self.stopped is None and self.parent is not None:
            try:
                self.parent.reserve(sent=sent)
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
            self._watch(role, reply)
        if self.parent is not None:
            self.parent.settle(role, reply)
        if not self.reserved and self._settled is not None:
            self._settled.set()

    def _watch(self, role: str, reply: Reply) -> None:
        """Say at the first call where a budget rests on estimates, and stop where it would never be reached."""
        if reply.estimated:
            named = "the judge" if role == "judge" else f"the {role} model"
            self.note(
                f"{named} comes without token counts: they are estimated at one for {BYTES_A_TOKEN} bytes of text, "
                "in budgets and costs too"
            )
        if self.doubts and reply.cost:
            self.doubts.clear()
        elif role in self.doubts and reply.finish not in NO_REPLY:
            self.doubts.discard(role)
            if not self.doubts:
                says = "says that a call costs 0" if reply.cost == 0 else "does not say what a call costs"
                why = f"no model has prices, and the endpoint {says}"
                self.stop(ConfigError(NEVER.format(cost=self.budget.cost, why=why)))

    def _spent(self) -> str | None:
        budget, usage = self.budget, self.usage
        # Calls in flight count as made, so the number of calls is never overshot.
        if budget.calls is not None and usage.total_calls + self.reserved >= budget.calls:
            return f"{budget.calls:,} calls"
        if budget.input_tokens is not None and usage.input_tokens >= budget.input_tokens:
            return f"{budget.input_tokens:,} input tokens"
        if budget.output_tokens is not None and usage.output_tokens >= budget.output_tokens:
            return f"{budget.output_tokens:,} output tokens"
        if budget.cost is not None and (usage.cost or 0.0) >= budget.cost:
            return f"{budget.cost:g} in cost"
        if budget.minutes is not None and self.seconds + self.session_seconds >= budget.minutes * 60:
            return f"{budget.minutes:g} minutes"
        return None


def _without_cost(specs: list[ModelSpec]) -> str:
    """Why none of some models can bring a budget of cost to its end."""
    free, unknown = (list(dict.fromkeys(spec.label for spec in specs if spec.is_priced is known)) for known in (True, False))
    said = [f"no price is known of {' and '.join(unknown)}"] if unknown else []
    return ", and ".join([*said, f"{' and '.join(free)} costs 0"] if free else said)
