"""No call is paid twice: every model call goes through here."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from ..domain.calls import Reply, Request, call_key
from ..domain.errors import BudgetSpent, ConfigError, Interrupted, RunHeldError
from ..store.calls import Call, key_in_run
from ..store.database import Store, now
from .account import Account
from .asking import Asking
from .batches import Batches
from .claims import Claims
from .collecting import Waiting
from .faults import Fault
from .model import Model, with_cost
from .spec import ModelSpec

Found = TypeVar("Found", Reply, Reply | None)

ITS_OWN = (BudgetSpent, Interrupted, RunHeldError, ConfigError)
"""What ends the run that asked a call first, and not others that wait for its reply: they try themselves."""


class Ledger:
    """Answers calls from the store, or pays for them once and records them.

    Shared by all runs of a process on one store, so that the same call in flight is awaited, not
    repeated, whoever asked first.
    """

    def __init__(self, store: Store) -> None:
        """Keep calls in `store`."""
        self._store = store
        self._claims = Claims(store)
        self._batches = Batches(store)
        self._in_flight: dict[str, asyncio.Task[tuple[str, Reply]]] = {}
        self._asking: dict[str, Account] = {}

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
                self._in_flight[key], self._asking[key] = task, account
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

    async def settle(self, account: Account | None = None) -> None:
        """Wait until every call in flight is recorded, or all that one account has asked."""
        while asked := [task for key, task in self._in_flight.items() if account in (None, self._asking[key])]:
            await asyncio.gather(*asked, return_exceptions=True)
        if not self._in_flight:
            await self._batches.settle()
            await self._claims.settle()

    def abandon(self) -> None:
        """Give up calls in flight at once; what they would have answered is not recorded."""
        self._batches.abandon()
        for task in self._in_flight.values():
            task.cancel()

    def _finished(self, key: str, task: asyncio.Task[tuple[str, Reply]]) -> None:
        self._in_flight.pop(key, None)
        self._asking.pop(key, None)
        if not task.cancelled():
            task.exception()

    async def _answer(self, key: str, model: Model, request: Request, role: str, account: Account) -> tuple[str, Reply]:
        known = await self._known(key, account.run)
        if known is None and model.spec.batch:
            return await self._batched(key, model, request, role, account)
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

    async def _batched(self, key: str, model: Model, request: Request, role: str, account: Account) -> tuple[str, Reply]:
        """The outcome of a call that goes out with others."""
        paid, known = False, None
        while known is None:
            paid = await self._batches.wait(Waiting(key, model, request, role, account))
            known = await self._known(key, account.run)
        account.usage.cached += not paid
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
        model = replace(model, store=self._store)
        setting = model.evidence.under(request)
        asking = Asking(request, model.spec, account, setting)
        with setting.at_work():
            while True:
                await model.pace.clear(model.spec, account)
                async with model.limiter.turn(request):
                    if not self._claims.has(key):
                        return None
                    reply = await _paid(lambda: asking.reply(model.try_once), model.spec, role, account)
                if reply is None:
                    reply = await asking.verdict(lambda: self._witnessed(model, request, role, account))
                    if reply is not None:
                        await account.reserve(role)
                        account.settle(role, reply)
                if reply is not None:
                    return reply

    async def _witnessed(self, model: Model, request: Request, role: str, account: Account) -> bool:
        """Whether another request under the same setting is answered; what it costs is recorded like any other."""
        witness = model.evidence.witness(request)
        async with model.limiter.first():
            try:
                reply = await _paid(lambda: model.send(witness, account), model.spec, role, account)
            except Fault:
                return False
        key = call_key(model.identity, witness.content())
        await self._recorded(Call(key, account.run, role, model.spec.label, witness.content(), reply, now()))
        return True


async def _paid(ask: Callable[[], Awaitable[Found]], spec: ModelSpec, role: str, account: Account) -> Found:
    """What comes of asking, within the budget, and what it cost."""
    await account.reserve(role)
    found = None
    try:
        found = await ask()
        found = found and with_cost(found, spec)
        return found
    finally:
        account.settle(role, found)
