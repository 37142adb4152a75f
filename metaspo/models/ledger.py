"""No call is paid twice: every model call goes through here."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..domain.calls import BROKEN_OFF, NO_REPLY, Reply, Request, call_key, finish_of
from ..domain.errors import BudgetSpent, ConfigError, Interrupted, RunHeldError, UserError
from ..domain.redaction import reply_without_keys
from ..store.calls import Call, key_in_run
from ..store.database import Store, now
from .account import Account
from .asking import Asking
from .backend import Backend
from .claims import Claims
from .evidence import Evidence
from .faults import Fault
from .limiter import Limiter
from .spec import ModelSpec
from .usage import MOST_TOKENS, completed

Found = TypeVar("Found", Reply, Reply | None)

ITS_OWN = (BudgetSpent, Interrupted, RunHeldError, ConfigError)
"""What ends the run that asked a call first, and not others that wait for its reply: they try themselves."""


@dataclass(eq=False)
class Model:
    """A backend with its spec and the limiter of its requests in flight, which it may share.

    `by_name` is for runs that began before the code of scripted functions counted: they know them by their names alone.
    """

    spec: ModelSpec
    backend: Backend
    limiter: Limiter
    by_name: bool = False
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this model from others in the keys of its calls and scores."""
        own = self.backend.identity
        return {"script": own["script"]} if self.by_name and "script" in own else own

    async def try_once(self, request: Request, account: Account) -> Reply:
        """One try at a request. Until a first reply has come, one at a time: a wrong key costs one call, not sixteen."""
        setting = self.evidence.under(request)
        while not setting.answers:
            turn = self.evidence.turn(request)
            async with turn:
                if setting.answers or turn is not self.evidence.turn(request):
                    continue
                if isinstance(account.stopped, UserError):
                    raise account.stopped
                await self.backend.ready()
                return await self.send(request)
        # Whoever waited for the first goes on with all the others, not in single file.
        if isinstance(account.stopped, UserError):
            raise account.stopped
        return await self.send(request)

    async def send(self, request: Request) -> Reply:
        """Send a request, now and once; raises a Fault when there is no reply."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.spec.timeout):
                reply = await self.backend.complete(request)
            reply = replace(reply, finish=finish_of(reply.finish))
            if reply.finish in NO_REPLY:
                # Half of what a filter held back is no answer; the store keeps it as what was said instead of one.
                reply = replace(reply, text="", error=reply.error or reply.text)
            if reply.finish == BROKEN_OFF:
                raise Fault("transient", "the reply broke off with an error")
        except (TimeoutError, Fault) as error:
            fault = (
                error if isinstance(error, Fault) else Fault("transient", f"no reply in {self.spec.timeout:g} s", overload=True)
            )
            if fault.overload:
                self.limiter.overloaded(started)
            raise fault from None
        self.limiter.answered(started)
        self.evidence.answered(request, started)
        return completed(request, _storable(reply, time.monotonic() - started))


class Ledger:
    """Answers calls from the store, or pays for them once and records them.

    Shared by all runs of a process on one store, so that the same call in flight is awaited, not
    repeated, whoever asked first.
    """

    def __init__(self, store: Store) -> None:
        """Keep calls in `store`."""
        self._store = store
        self._claims = Claims(store)
        self._in_flight: dict[str, asyncio.Task[tuple[str, Reply]]] = {}

    async def call(self, model: Model, request: Request, role: str, account: Account) -> tuple[str, Reply]:
        """The key that a call is recorded under and the reply to it.

        A fact of the model is known to all runs. Anything else, see `Reply.is_fact`, is the outcome of this run, which
        finds it again when it is resumed, and other runs ask for themselves.
        Raises RunStopped when the account allows no further call or the endpoint stays unavailable,
        ModelError when the endpoint refuses the key, the model's name or the request.
        """
        key = call_key(model.identity, request.content())
        while True:
            task = self._in_flight.get(key)
            asks = task is None
            if task is None:
                task = asyncio.create_task(self._answer(key, model, request, role, account))
                self._in_flight[key] = task
                task.add_done_callback(lambda done: self._finished(key, done))
            try:
                # Shielded: whoever waits may be cancelled, a call that is paid for is finished and recorded.
                recorded, reply = await asyncio.shield(task)
            except ITS_OWN:
                if asks or account.stopped is not None:
                    raise
            else:
                if asks or recorded in (key, key_in_run(key, account.run)):
                    return recorded, reply

    async def settle(self) -> None:
        """Wait until every call in flight is recorded."""
        while self._in_flight:
            await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        await self._claims.settle()

    def abandon(self) -> None:
        """Give up calls in flight at once; what they would have answered is not recorded."""
        for task in self._in_flight.values():
            task.cancel()

    def _finished(self, key: str, task: asyncio.Task[tuple[str, Reply]]) -> None:
        self._in_flight.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _answer(self, key: str, model: Model, request: Request, role: str, account: Account) -> tuple[str, Reply]:
        known = await self._known(key, account.run)
        while known is None:
            async with self._claims.alone(key, account):
                known = await self._known(key, account.run)
                if known is None:
                    reply = await self._asked(key, model, request, role, account)
                    if reply is None:
                        continue
                    # The slot is free again while the reply is being recorded: the endpoint never waits for the disk.
                    return await self._recorded(Call(key, account.run, role, model.spec.label, request.content(), reply, now()))
        account.usage.cached += 1
        return known

    async def _recorded(self, call: Call) -> tuple[str, Reply]:
        """The key under which a call is recorded now, and the reply that stands there."""
        at = call.key if call.reply.is_fact else key_in_run(call.key, call.run)
        return at, await self._store.record_call(replace(call, key=at))

    async def _known(self, key: str, run: str) -> tuple[str, Reply] | None:
        """What became of a call in this run, or else the fact that any run found, with the key that it is recorded under."""
        own = key_in_run(key, run)
        outcome, fact = await asyncio.gather(self._store.find_call(own), self._store.find_call(key))
        if outcome is not None:
            return own, outcome
        return (key, fact) if fact is not None and fact.is_fact else None

    async def _asked(self, key: str, model: Model, request: Request, role: str, account: Account) -> Reply | None:
        """The reply, or what stands for it; None when the claim was lost before the endpoint's turn came."""
        setting = model.evidence.under(request)
        asking = Asking(request, model.spec, account, setting)
        with setting.at_work():
            while True:
                async with model.limiter:
                    if not self._claims.has(key):
                        return None
                    reply = await _paid(lambda: asking.reply(model.try_once), model.spec, role, account)
                if reply is None:
                    reply = await asking.verdict(lambda: self._witnessed(model, request, role, account))
                    if reply is not None:
                        account.reserve()
                        account.settle(role, reply)
                if reply is not None:
                    return reply

    async def _witnessed(self, model: Model, request: Request, role: str, account: Account) -> bool:
        """Whether another request under the same setting is answered; what it costs is recorded like any other."""
        witness = model.evidence.witness(request)
        async with model.limiter.first():
            try:
                reply = await _paid(lambda: model.send(witness), model.spec, role, account)
            except Fault:
                return False
        key = call_key(model.identity, witness.content())
        await self._recorded(Call(key, account.run, role, model.spec.label, witness.content(), reply, now()))
        return True


async def _paid(ask: Callable[[], Awaitable[Found]], spec: ModelSpec, role: str, account: Account) -> Found:
    """What comes of asking, within the budget, and what it cost."""
    account.reserve()
    found = None
    try:
        found = await ask()
        found = found and _priced(found, spec)
        return found
    finally:
        account.settle(role, found)


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


def _priced(reply: Reply, spec: ModelSpec) -> Reply:
    if reply.cost:
        return reply  # A router's own figure stands.
    cost = spec.cost(reply.input_tokens, reply.output_tokens, reply.cached_tokens)
    return replace(reply, cost=reply.cost if cost is None else cost)
