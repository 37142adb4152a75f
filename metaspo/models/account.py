"""What a run may spend and what it has spent."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..domain.calls import BYTES_A_TOKEN, NO_REPLY, Reply, Role, Usage
from ..domain.errors import BudgetSpent, ConfigError, Interrupted, MetaspoError
from .budget import Budget
from .priced import from_lists, lists_say, priced
from .spec import ModelSpec

TELLS = ("server", "program", "object", "openrouter", "litellm")
"""Providers behind which an endpoint may say what a call cost, as routers do."""

NEVER = (
    "a budget of {cost:g} in cost can never be reached: {why}; set input_price and output_price (per million tokens) "
    "of the models that cost something, or another limit, such as budget.calls"
)


@dataclass
class Account:
    """A run's budget and its running totals; the ledger asks it before every paid call.

    `seconds` is what earlier sessions of the run took; `abandoned` says that calls in flight were
    given up too, `exits_when_waiting` that the session ends once all calls wait for batches. `parent`
    is an account that pays as well: the one of a study that the run belongs to, `children` are those it pays for.
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
    children: "list[Account]" = field(default_factory=list, repr=False, compare=False)
    notes: list[str] = field(default_factory=list)
    doubts: set[str] = field(default_factory=set)
    told: Callable[[str], None] = lambda note: None
    _reserved: Counter[str] = field(default_factory=Counter)
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
        self._check_roles(models)
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

    def _check_roles(self, models: list[tuple[Role, ModelSpec]]) -> None:
        """Raise ConfigError for a role's budget that nothing of the run could ever use up."""
        for role, budget in self.budget.roles() if models else ():
            specs = [spec for one, spec in models if one == role]
            if not specs:
                raise ConfigError(f"budget.{role} can never be reached: no model of this run is asked as {role}")
            if budget.cost is None or any(spec.is_charged for spec in specs):
                continue
            if not any(not spec.is_priced and spec.provider in TELLS for spec in specs):
                raise ConfigError(NEVER.format(cost=budget.cost, why=f"as {role}, {_without_cost(specs)}"))
            self.note(
                f"{specs[0].label} has no prices: its calls count in the budget of {budget.cost:g} for the {role} "
                "only if it says what they cost"
            )

    def note(self, text: str) -> None:
        """Tell a person something about the figures, once."""
        if text not in self.notes:
            self.notes.append(text)
            self.told(text)
            if self.parent is not None:
                self.parent.hear(text)

    def hear(self, text: str) -> None:
        """One of those that this account pays for has noted something. In one process it tells of that itself."""

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

    def under(self, parent: "Account | None") -> None:
        """Have the account of a study pay as well."""
        self.parent = parent
        if parent is not None:
            parent.children.append(self)

    async def reserve(self, role: str, *, sent: bool = False) -> None:
        """Make room for one call of a role, or raise what ended the run: a budget, an interruption, an endpoint that is gone.

        For one that an earlier session has `sent` there is room whatever the budget: it is paid.
        """
        if self.stopped is None and not sent:
            spent = self._spent(role)
            if spent:
                self.stop(BudgetSpent(f"{spent} is spent"))
        if self.stopped is not None:
            raise self.stopped
        # Counted before the parent is asked, which may take a moment.
        self._count(role, 1)
        if self.parent is not None:
            await self._reserve_above(self.parent, role, sent)

    async def _reserve_above(self, parent: "Account", role: str, sent: bool) -> None:
        granted = False
        try:
            await parent.reserve(role, sent=sent)
            granted = True
        except MetaspoError as reason:
            self.stop(reason)
        finally:
            if not granted:
                self._count(role, -1)
        # What was granted is within the budget, also where that has come to its end meanwhile.
        if self.stopped is not None and not (granted and isinstance(self.stopped, BudgetSpent)):
            if granted:
                self.settle(role, None)
            raise self.stopped

    async def settled(self) -> None:
        """Wait until no reserved call is in flight any more."""
        if self.reserved:
            self._settled = asyncio.Event()
            await self._settled.wait()

    def settle(self, role: str, reply: Reply | None) -> None:
        """A reserved call came back, with a reply that was paid for or with none."""
        if reply is not None:
            self.pay(role, reply)
        if self.parent is not None:
            self.parent.settle(role, reply)
        self._count(role, -1)

    def pay(self, role: str, reply: Reply) -> None:
        """Count what a call took."""
        self.usage.add(role, reply)
        self._watch(role, reply)

    def _count(self, role: str, change: int) -> None:
        """So many more reserved calls of a role are in flight."""
        self.reserved += change
        self._reserved[role] += change
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

    def _spent(self, role: str) -> str | None:
        """The limit that is reached where a call of a role is asked for, in words."""
        # Calls in flight count as made, so the number of calls is never overshot.
        if (spent := self.budget.spent(self.usage, self.reserved)) is not None:
            return f"the budget of {spent}"
        minutes = self.budget.minutes
        if minutes is not None and self.seconds + self.session_seconds >= minutes * 60:
            return f"the budget of {minutes:g} minutes"
        for one, own in self.budget.roles():
            if one == role and (spent := own.spent(self.usage.of(role), self._reserved[role])) is not None:
                return f"the budget of {spent} for the {role if role in ('judge', 'analyst') else f'{role} model'}"
        return None


def _without_cost(specs: list[ModelSpec]) -> str:
    """Why none of some models can bring a budget of cost to its end."""
    free, unknown = (list(dict.fromkeys(spec.label for spec in specs if spec.is_priced is known)) for known in (True, False))
    said = [f"no price is known of {' and '.join(unknown)}"] if unknown else []
    return ", and ".join([*said, f"{' and '.join(free)} costs 0"] if free else said)
