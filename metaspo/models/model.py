"""A model as the ledger asks it: its backend, its limit of requests in flight, and replies as they are recorded."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

from ..domain.calls import BROKEN_OFF, NO_REPLY, Constraint, Reply, Request, Role, finish_of
from ..domain.errors import UserError
from ..domain.redaction import reply_without_keys
from ..store.database import Store
from .account import Account
from .adaptation import Adaptation, Adapted
from .backend import Backend, told_to
from .evidence import Evidence
from .faults import Fault
from .limiter import Limiter
from .pacing import Pace
from .seen import seen
from .spec import ModelSpec
from .usage import MOST_TOKENS, completed


@dataclass(eq=False)
class Model:
    """A backend with its spec, the limiter of its requests in flight and their pace, both of which it may share.

    `by_name` is for runs that began before the code of scripted functions counted: they know them by their names alone.
    `store` is the one that keeps the images of what is asked.
    """

    spec: ModelSpec
    backend: Backend
    limiter: Limiter
    by_name: bool = False
    pace: Pace = field(default_factory=Pace)
    evidence: Evidence = field(default_factory=Evidence)
    adaptation: Adaptation = field(default_factory=Adaptation)
    store: Store | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this model from others in the keys of its calls and scores."""
        own = self.backend.identity
        return {"script": own["script"]} if self.by_name and "script" in own else own

    @property
    def named(self) -> str:
        """The model and where it is asked, for people."""
        return f"{self.spec.label} at {self.spec.base_url}" if self.spec.base_url else self.spec.label

    def temperature(self, role: Role) -> float | None:
        """What requests are drawn at; None where they go without."""
        return None if self.adaptation.leaves_out("temperature", self.spec) else self.spec.drawn_at(role)

    def held(self, constraint: Constraint | None) -> Constraint | None:
        """The form that a reply is held to, unless the endpoint cannot do that."""
        return None if self.adaptation.leaves_out("constraint", self.spec) else constraint

    async def try_once(self, request: Request, account: Account) -> Reply:
        """One try at a request. Until a first reply has come, one at a time: a wrong key costs one call, not sixteen.

        Raises Adapted where the endpoint does not take such requests, and others of ours may be answered.
        """
        setting = self.evidence.under(request)
        while not setting.answers:
            turn = self.evidence.turn(request)
            async with turn:
                if setting.answers or turn is not self.evidence.turn(request):
                    continue
                if isinstance(account.stopped, UserError):
                    raise account.stopped
                await self.backend.ready()
                return await self._tried(request, account)
        # Whoever waited for the first goes on with all the others, not in single file.
        if isinstance(account.stopped, UserError):
            raise account.stopped
        return await self._tried(request, account)

    async def _tried(self, request: Request, account: Account) -> Reply:
        if self.adaptation.outdated(request, self.spec):
            raise Adapted
        try:
            reply = await self.send(request, account)
        except Fault as fault:
            self.adaptation.learn(fault, self.spec)
            raise
        self.adaptation.answered(request, self.spec)
        return reply

    async def send(self, request: Request, account: Account) -> Reply:
        """Send a request once, as soon as its endpoint's limits allow; raises a Fault when there is no reply."""
        asked = time.monotonic()
        permit = await self.pace.turn(request, self.spec, account)
        sent = replace(request, length=self.adaptation.length(self.spec))
        sent = await seen(self.store, sent) if self.store else sent
        # Only now: the wait is none of the endpoint's slowness, nor of the time that it has to answer in.
        started = time.monotonic()
        try:
            with permit, told_to(account.note):
                async with asyncio.timeout(self.spec.timeout):
                    reply = await self.backend.complete(sent)
            reply = finished(request, reply, time.monotonic() - started)
        except (TimeoutError, Fault) as error:
            fault = (
                error if isinstance(error, Fault) else Fault("transient", f"no reply in {self.spec.timeout:g} s", overload=True)
            )
            if fault.overload:
                self.limiter.overloaded(started)
            fault.held_back = started - asked
            raise fault from None
        self.limiter.answered(started, held_back=self.pace.holds_back)
        permit.took(reply.input_tokens, reply.output_tokens)
        self.evidence.answered(request, started)
        return reply


def finished(request: Request, reply: Reply, seconds: float) -> Reply:
    """A reply that took so many seconds as it is recorded. Raises a Fault where it broke off."""
    reply = replace(reply, finish=finish_of(reply.finish))
    if reply.finish in NO_REPLY:
        # Half of what a filter held back is no answer; the store keeps it as what was said instead of one.
        reply = replace(reply, text="", error=reply.error or reply.text)
    if reply.finish == BROKEN_OFF:
        raise Fault("transient", "the reply broke off with an error")
    return completed(request, _storable(reply, seconds))


def _storable(reply: Reply, seconds: float) -> Reply:
    # Half of a surrogate pair, as cut-off JSON escapes leave it, is no text that SQLite could keep, nor is 10**30 a number.
    said = (reply_without_keys(part) for part in (reply.text, reply.finish))
    text, finish = (part.encode("utf-8", "replace").decode("utf-8") for part in said)
    read, written = (count if 0 <= count <= MOST_TOKENS else 0 for count in (reply.input_tokens, reply.output_tokens))
    cached = reply.cached_tokens if 0 <= reply.cached_tokens <= read else 0
    return replace(
        reply, text=text, finish=finish, input_tokens=read, output_tokens=written, latency=round(seconds, 4),
        cached_tokens=cached,
    )  # fmt: skip


def with_cost(reply: Reply, spec: ModelSpec, *, batched: bool = False) -> Reply:
    """A reply with what it costs by the prices of a spec, unless the endpoint told that itself."""
    if reply.cost:
        return reply  # A router's own figure stands.
    cost = spec.cost(reply.input_tokens, reply.output_tokens, reply.cached_tokens, batched)
    return replace(reply, cost=reply.cost if cost is None else cost)
