"""One batch at an endpoint: sent, looked at until it has ended, and what it brought recorded."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from ..domain.calls import Reply, Request, Role
from ..domain.errors import EndpointUnavailable, MetaspoError, ModelError
from ..store import batches
from ..store.batches import Asked, Batch
from ..store.calls import Call, key_in_run
from ..store.database import Store, now
from .account import Account
from .adaptation import Adapted
from .batch import GONE, Look
from .faults import Fault
from .model import Model, finished, with_cost
from .seen import seen

Found = TypeVar("Found")

FIRST_LOOK, LONGEST, GROWTH = 1.0, 60.0, 1.3
"""Seconds between two looks at a batch: at first, at most, and by how much more each time."""

TRIES = 3
"""Batches that may end without a reply to a call before it is set aside."""


@dataclass(eq=False)
class Waiting:
    """A call that waits for a batch. `done` gets the run that has paid for a reply and the reply, or None: look again."""

    key: str
    model: Model
    request: Request
    role: str
    account: Account
    done: "asyncio.Future[tuple[str, Reply] | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def asked(self) -> Asked:
        """The call as the store keeps it until it is answered."""
        return Asked(self.key, self.account.run, self.role, self.model.spec.label, self.request.content())

    def end(self, outcome: tuple[str, Reply] | MetaspoError | Adapted | None) -> None:
        """Let the call go on, unless whoever waited has left."""
        if self.done.done():
            return
        if isinstance(outcome, MetaspoError):
            self.account.stop(outcome)
        if isinstance(outcome, Exception):
            self.done.set_exception(outcome)
            self.done.exception()  # Seen, even where whoever waited has left meanwhile.
        else:
            self.done.set_result(outcome)


class Collecting:
    """Watches a batch as long as a call waits for it. `look` is the last look at it, `seen` says that more comes of it."""

    def __init__(self, store: Store, id: str, model: Model, *, fresh: bool = False) -> None:
        """Watch the batch of this id, by our name for it, at the endpoint of a model that is asked for one of its calls."""
        self._store, self._id, self._model, self._fresh = store, id, model, fresh
        # Who is here has the client loaded already.
        from .batch_endpoint import BatchEndpoint

        self._endpoint = BatchEndpoint(cast(Any, model.backend))
        self.waiting: dict[str, list[Waiting]] = {}
        self.batch: Batch | None = None
        self.look: Look | None = None
        self._news = asyncio.Event()
        self._told: set[str] = set()

    @property
    def waits(self) -> bool:
        """Whether any call still waits."""
        return any(not one.done.done() for ones in self.waiting.values() for one in ones)

    @property
    def seen(self) -> bool:
        """Whether the endpoint is known to have the batch and to work on it; one that has ended is being collected."""
        return self.look is not None and not self.look.ended

    @property
    def waiting_for(self) -> str:
        """What a person is told of the batch."""
        assert self.batch is not None
        done = f", {self.look.done:,} of them done" if self.look is not None and self.look.done else ""
        at, of = urlsplit(self.batch.endpoint).netloc, f"{self.batch.requests:,} calls{done}"
        return f"waiting for batch {self.batch.batch} at {at} since {self.batch.created}, {of}"

    def waits_for(self, account: Account) -> int:
        """How many calls of an account wait here."""
        return sum(one.account is account and not one.done.done() for ones in self.waiting.values() for one in ones)

    def look_round(self) -> None:
        """Somebody has left: perhaps nobody waits any more."""
        self._news.set()

    async def until_ended(self) -> None:
        """Wait for the batch and record what it brought, or end when no call waits for it any more."""
        try:
            if await self._is_there():
                await self._looked_at()
        except MetaspoError as error:
            self.end(error)
        except Fault as fault:
            self.end(ModelError(f"{self._model.spec.label}: its batches: {fault.message}"))

    async def _is_there(self) -> bool:
        """Have the endpoint know the batch; False where nothing is left to wait for."""
        while True:
            self.batch = await self._store.run(batches.find, self._id)
            if self.batch is None or self.batch.state == "ended":
                self.end(None)
                return False
            if self.batch.state == "waiting":
                return True
            if not await self._store.run(batches.is_orphan, self._store.holder, self._id):
                await self._pause(FIRST_LOOK)
                if not self.waits:
                    return False
                continue
            await self._sent()

    async def _sent(self) -> None:
        """Send the batch, unless the endpoint has it: then whoever sent it has not learned its name there."""
        asked = await self._store.run(batches.requests, self._id)
        length = self._model.adaptation.length(self._model.spec)
        shown = [await seen(self._store, replace(_request(one), length=length)) for one in asked]
        lines = [self._endpoint.line(one.key, request) for one, request in zip(asked, shown, strict=True)]

        async def send() -> str:
            found = None if self._fresh else await self._endpoint.found(self._id)
            self._fresh = False
            return found or await self._endpoint.send(self._id, lines)

        try:
            name = await self._patiently(send)
        except Fault:
            # Refused: nothing of it has been worked on.
            await self._store.run(batches.forget, self._id)
            raise
        await self._store.run(batches.sent, self._id, name)

    async def _looked_at(self) -> None:
        batch = self.batch
        assert batch is not None and batch.batch is not None
        pause = FIRST_LOOK
        while True:
            look = await self._patiently(lambda: self._endpoint.look(str(batch.batch)))
            self.look = look
            if look.ended:
                break
            self._tell()
            await self._pause(pause)
            if not self.waits:
                return
            pause = min(LONGEST, pause * GROWTH)
        if look.state == GONE:
            self._note(f"batch {batch.batch} is not at {batch.endpoint} any more: its calls are asked again")
        if look.state == GONE or (look.state == "failed" and not look.files):
            await self._store.run(batches.forget, self._id)
            said = f"{self._model.spec.label}: batch {batch.batch} failed: {look.error or 'the endpoint does not say why'}"
            limit = "limit" in look.error.lower()
            self.end(None if look.state == GONE else (EndpointUnavailable if limit else ModelError)(said))
            return
        asked = await self._store.run(batches.requests, self._id)
        requests = {one.key: _request(one) for one in asked}
        replies = await self._patiently(lambda: self._endpoint.replies(look, requests))
        await self._record(asked, requests, replies)

    async def _record(self, asked: list[Asked], requests: Mapping[str, Request], replies: Mapping[str, Reply | Fault]) -> None:
        """Record what the batch brought, and let whoever waits go on."""
        lost = Fault("transient", f"the batch has {self.look.state if self.look else 'ended'} without it")
        came = {key: _finished(request, replies.get(key, lost)) for key, request in requests.items()}
        evidence = self._model.evidence
        for key, outcome in came.items():
            if isinstance(outcome, Reply):
                evidence.answered(requests[key], time.monotonic())
                self._model.adaptation.answered(requests[key], self._model.spec)
        if not evidence.proven:
            try:
                self._adapt(came.values())
            except Adapted:
                await self._store.run(batches.forget, self._id)
                return self.end(Adapted())
        tries: dict[str, int] = {}
        for run in {one.run for one in asked}:
            tries |= await self._store.run(batches.tries, [one.key for one in asked if one.run == run], run)
        label = self._model.spec.label
        comes_to = {key: _comes_to(label, found, tries.get(key, 0) + 1, evidence.proven) for key, found in came.items()}
        calls = [self._call(one, reply) for one in asked if isinstance(reply := comes_to[one.key], Reply)]
        standing = await asyncio.gather(*(self._store.record_call(call) for call in calls))
        paid = {call.key.partition("/")[0]: (call.run, reply) for call, reply in zip(calls, standing, strict=True)}
        await self._store.run(batches.end, self._id, list(paid))
        for key, ones in self.waiting.items():
            reason = comes_to.get(key)
            for waiting in ones:
                waiting.end(reason if isinstance(reason, MetaspoError) else paid.get(key))

    def _adapt(self, came: Iterable[Reply | Fault]) -> None:
        """Learn from refusals of what every request holds: raises Adapted, or ModelError that names the setting for it."""
        for fault in came:
            if isinstance(fault, Fault) and fault.kind == "refused":
                try:
                    self._model.adaptation.learn(fault, self._model.spec)
                except Fault as told:
                    raise ModelError(f"{self._model.spec.label}: {told.message}") from None

    def _call(self, one: Asked, reply: Reply) -> Call:
        """A reply, or what stands for one, as it is recorded: at the prices of whoever waits for it."""
        spec = next((waiting.model.spec for waiting in self.waiting.get(one.key, ())), self._model.spec)
        reply = with_cost(reply, spec, batched=True)
        key = one.key if reply.is_fact else key_in_run(one.key, one.run)
        return Call(key, one.run, one.role, one.model, one.request, reply, now())

    async def _patiently(self, ask: Callable[[], Awaitable[Found]]) -> Found:
        """What the endpoint says once it can be reached; raises EndpointUnavailable after the model's patience."""
        began, pause = time.monotonic(), 1.0
        while True:
            try:
                return await ask()
            except Fault as fault:
                if fault.kind != "transient":
                    raise
                if time.monotonic() - began >= self._model.spec.patience:
                    lasted = time.monotonic() - began
                    raise EndpointUnavailable(
                        f"{self._model.spec.label} has failed for {lasted:.0f} s, last with: {fault.message}"
                    ) from None
                await self._pause(max(pause, fault.retry_after or 0))
                pause = min(30.0, pause * 2)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until nobody waits any more."""
        until = time.monotonic() + seconds
        while self.waits and (left := until - time.monotonic()) > 0:
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return

    def _tell(self) -> None:
        for account in self._accounts():
            if account.run not in self._told:
                self._told.add(account.run)
                account.told(self.waiting_for)

    def _note(self, text: str) -> None:
        for account in self._accounts():
            account.note(text)

    def _accounts(self) -> list[Account]:
        return list({id(one.account): one.account for ones in self.waiting.values() for one in ones}.values())

    def end(self, outcome: MetaspoError | Adapted | None) -> None:
        """Have all calls go on, to look again or to be made anew, or stop their runs."""
        for ones in self.waiting.values():
            for one in ones:
                one.end(outcome)


def _finished(request: Request, found: Reply | Fault) -> Reply | Fault:
    """What came of a request; a reply as it is recorded."""
    try:
        return found if isinstance(found, Fault) else finished(request, found, 0.0)
    except Fault as fault:
        return fault


def _comes_to(label: str, found: Reply | Fault, tries: int, works: bool) -> Reply | MetaspoError | None:
    """What stands for a call, or ends its run; None: ask it again. The endpoint `works` if it has answered others."""
    if isinstance(found, Reply):
        return found
    if found.kind in ("content_filter", "context_length"):
        return Reply("", found.kind, error=found.message)
    if found.kind == "transient" and tries < TRIES:
        return None
    if found.kind == "transient":
        said = f"{tries} batches ended without a reply, the last with: {found.message}"
        return Reply("", "failed", error=said) if works else EndpointUnavailable(f"{label}: {said}")
    return Reply("", "refused", error=found.message) if works else ModelError(f"{label}: {found.message}")


def _request(asked: Asked) -> Request:
    return Request.of(asked.request, cast(Role, asked.role))
