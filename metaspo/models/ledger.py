"""No call is paid twice: every model call goes through here."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_random_exponential

from ..domain.calls import Reply, Request, call_key
from ..domain.errors import BudgetSpent, ConfigError, EndpointUnavailable, Interrupted, ModelError, RunHeldError, UserError
from ..store.calls import Call
from ..store.database import Store, now
from .account import Account
from .backend import Backend
from .claims import Claims
from .faults import Fault
from .limiter import Limiter
from .spec import ModelSpec

LONGEST_WAIT = 30.0
"""Seconds between two tries at most, unless the endpoint asked for more."""


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
    proven: bool = False
    proof: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def identity(self) -> dict[str, Any]:
        """What tells this model from others in the keys of its calls and scores."""
        own = self.backend.identity
        return {"script": own["script"]} if self.by_name and "script" in own else own

    async def try_once(self, request: Request, account: Account) -> Reply:
        """One try at a request. Until a first reply has come, one at a time: a wrong key costs one call, not sixteen."""
        if not self.proven:
            async with self.proof:
                if not self.proven:
                    if isinstance(account.stopped, UserError):
                        raise account.stopped
                    await self.backend.ready()
                    reply = await self._send(request)
                    self.proven = True
                    return reply
        # Whoever waited for the proof goes on with all the others, not in single file.
        return await self._send(request)

    async def _send(self, request: Request) -> Reply:
        started = time.monotonic()
        try:
            async with asyncio.timeout(self.spec.timeout):
                reply = await self.backend.complete(request)
        except (TimeoutError, Fault) as error:
            fault = (
                error if isinstance(error, Fault) else Fault("transient", f"no reply in {self.spec.timeout:g} s", overload=True)
            )
            if fault.overload:
                self.limiter.overloaded(started)
            raise fault from None
        self.limiter.answered(started)
        return replace(reply, text=_storable(reply.text), latency=round(time.monotonic() - started, 4))


class Ledger:
    """Answers calls from the store, or pays for them once and records them.

    Shared by all runs of a process on one store, so that the same call in flight is awaited, not
    repeated, whoever asked first.
    """

    def __init__(self, store: Store) -> None:
        """Keep calls in `store`."""
        self._store = store
        self._claims = Claims(store)
        self._in_flight: dict[str, asyncio.Task[Reply]] = {}

    async def call(self, model: Model, request: Request, role: str, account: Account) -> tuple[str, Reply]:
        """The key of a call and the reply to it.

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
                return key, await asyncio.shield(task)
            except ITS_OWN:
                if asks or account.stopped is not None:
                    raise

    async def settle(self) -> None:
        """Wait until every call in flight is recorded."""
        while self._in_flight:
            await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        await self._claims.settle()

    def abandon(self) -> None:
        """Give up calls in flight at once; what they would have answered is not recorded."""
        for task in self._in_flight.values():
            task.cancel()

    def _finished(self, key: str, task: asyncio.Task[Reply]) -> None:
        self._in_flight.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _answer(self, key: str, model: Model, request: Request, role: str, account: Account) -> Reply:
        known = await self._store.find_call(key)
        while known is None:
            async with self._claims.alone(key, account):
                known = await self._store.find_call(key)
                if known is None:
                    async with model.limiter:
                        if not self._claims.has(key):
                            continue
                        reply = await self._pay(model, request, role, account)
                    # The slot is free again while the reply is being recorded: the endpoint never waits for the disk.
                    call = Call(key, account.run, role, model.spec.label, request.content(), reply, now())
                    return await self._store.record_call(call)
        account.usage.cached += 1
        return known

    async def _pay(self, model: Model, request: Request, role: str, account: Account) -> Reply:
        account.reserve()
        reply: Reply | None = None
        try:
            reply = _priced(await self._ask(model, request, account), model.spec)
            return reply
        finally:
            account.settle(role, reply)

    async def _ask(self, model: Model, request: Request, account: Account) -> Reply:
        """Call until there is a reply or an end to it; every way out but a reply stops the run."""
        started = time.monotonic()
        patience = stop_after_delay(model.spec.patience)
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.kind == "transient"),
                wait=lambda state: _wait(state, model.spec.patience),
                stop=lambda state: patience(state) or account.stopped is not None,
                sleep=account.sleep,
                reraise=True,
            ):
                with attempt:
                    return await model.try_once(request, account)
        except Fault as error:
            fault = error
        if fault.kind in ("content_filter", "context_length"):
            return Reply("", fault.kind)
        if fault.kind == "refused":
            account.stop(ModelError(f"{model.spec.label}: {fault.message}"))
        lasted = time.monotonic() - started
        account.stop(EndpointUnavailable(f"{model.spec.label} has failed for {lasted:.0f} s, last with: {fault.message}"))
        raise account.reason


_backoff = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)


def _wait(state: RetryCallState, patience: float) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Fault) else None
    return _backoff(state) if asked is None else min(asked, patience) + _backoff(state) * 0.1


def _storable(text: str) -> str:
    # Half of a surrogate pair, as cut-off JSON escapes leave it, is no text that SQLite could keep.
    return text.encode("utf-8", "replace").decode("utf-8")


def _priced(reply: Reply, spec: ModelSpec) -> Reply:
    cost = (reply.input_tokens * spec.input_price + reply.output_tokens * spec.output_price) / 1_000_000
    return replace(reply, cost=cost)
