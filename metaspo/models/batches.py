"""Half price: the calls of a superstep that the store cannot answer go out as one batch, which takes minutes to a day.

What is asked is in the store before the endpoint hears of it, under an id that the endpoint gets with it. So whoever
needs one of these calls, in whatever process and however much later, waits for the batch that holds it. When that has
ended, everything that it brought is recorded at once, and what it did not answer goes out in the next one.
"""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import uuid4

from ..domain.errors import AwaitsBatch, BudgetSpent, MetaspoError
from ..domain.messages import stored_images, text_of
from ..store import batches, images
from ..store.batches import Batch
from ..store.database import Store, now
from .account import Account
from .addresses import address_of
from .batch import MOST_BYTES, MOST_REQUESTS
from .collecting import Collecting, Waiting

SETTLED = 1.0
"""Seconds without another call after which those that have come are sent: a superstep's come all at once."""


class Batches:
    """Gathers the calls of all runs of this process on one store, and waits for batches, its own and those it finds there."""

    def __init__(self, store: Store) -> None:
        """Nothing has been gathered yet."""
        self._store = store
        self._gathering: dict[int, list[Waiting]] = {}
        self._added = 0.0
        self._gathers: set[asyncio.Task[None]] = set()
        self._watches: dict[asyncio.Task[None], Collecting] = {}
        self._leaves: set[asyncio.Task[None]] = set()
        self._collecting: dict[str, Collecting] = {}
        self._leaving: set[str] = set()

    async def wait(self, one: Waiting) -> bool:
        """Wait until a batch that holds a call has ended, and say whether its run has paid for a reply then.

        Raises what ends the run: a budget, an interruption, an endpoint that refuses or is gone.
        """
        account, reply = one.account, None
        held = await self._store.batch_of(one.key)
        await account.reserve(one.role, sent=held is not None)
        try:
            if held is None:
                self._gather(one)
            else:
                self._watch(held, [one])
            while not one.done.done():
                await account.unless_stopped(one.done)
                # What is sent is paid: where only the budget is spent, what was sent within it is waited for.
                if account.stopped is not None and not isinstance(account.stopped, BudgetSpent):
                    raise account.stopped
                if account.stopped is not None:
                    await asyncio.wait([one.done])
            found = one.done.result()
            reply = found[1] if found is not None and found[0] == account.run else None
            return reply is not None
        finally:
            one.done.cancel()
            account.settle(one.role, reply)
            for collecting in self._collecting.values():
                collecting.look_round()

    async def settle(self) -> None:
        """Wait until nothing is being sent, and nobody watches a batch that no call waits for any more."""
        while self._gathers:
            await asyncio.wait(self._gathers)
        left = [task for task, collecting in self._watches.items() if not collecting.waits]
        for collecting in self._collecting.values():
            collecting.look_round()
        if left:
            await asyncio.wait(left)

    def abandon(self) -> None:
        """Watch no batch any more; what is sent is found again."""
        for task in (*self._gathers, *self._watches):
            task.cancel()

    def _gather(self, one: Waiting) -> None:
        self._added = time.monotonic()
        at = id(one.model.backend)
        if at not in self._gathering:
            self._gathering[at] = []
            _start(self._when_settled(at), self._gathers)
        self._gathering[at].append(one)

    async def _when_settled(self, at: int) -> None:
        left = SETTLED
        while left > 0 and len(self._gathering[at]) < MOST_REQUESTS:
            await asyncio.sleep(left)
            left = self._added + SETTLED - time.monotonic()
        gathered = [one for one in self._gathering.pop(at) if not one.done.done()]
        sizes = await self._store.run(
            images.sizes, stored_images(chain.from_iterable(one.request.messages for one in gathered))
        )
        for part in _parts(gathered, sizes):
            await self._send(part)

    async def _send(self, gathered: Sequence[Waiting]) -> None:
        """Send calls as one batch, less those that another one holds by now."""
        spec = gathered[0].model.spec
        batch = Batch(uuid4().hex, address_of(spec), spec.label, self._store.holder.id, None, "sending", len(gathered), now())
        try:
            ours = await self._store.run(batches.begin, self._store.holder, batch, [one.asked() for one in gathered])
            mine = [one for one in gathered if one.key in ours]
            for one in gathered:
                if one.key not in ours:
                    one.end(None)
            if mine:
                self._watch(batch.id, mine, fresh=True)
        except MetaspoError as error:
            for one in gathered:
                one.end(error)

    def _watch(self, id: str, waiting: Sequence[Waiting], *, fresh: bool = False) -> None:
        """Have calls told when the batch that holds them has ended; a `fresh` one the endpoint does not have yet."""
        collecting = self._collecting.get(id)
        if collecting is None:
            collecting = self._collecting[id] = Collecting(self._store, id, waiting[0].model, fresh=fresh)
            task = asyncio.create_task(self._until_ended(id, collecting))
            self._watches[task] = collecting
            task.add_done_callback(self._watches.pop)
        for one in waiting:
            collecting.waiting.setdefault(one.key, []).append(one)
            if one.account.exits_when_waiting and one.account.run not in self._leaving:
                self._leaving.add(one.account.run)
                _start(self._leave(one.account), self._leaves)

    async def _until_ended(self, id: str, collecting: Collecting) -> None:
        try:
            await collecting.until_ended()
        finally:
            del self._collecting[id]
            # Whoever came in the last moment looks again.
            collecting.end(None)

    async def _leave(self, account: Account) -> None:
        """End a run's session once all that it has asked waits for batches that the endpoint has."""
        try:
            quiet = 0
            while account.stopped is None and quiet < 2:
                await asyncio.sleep(SETTLED / 2)
                its_own = [one for one in self._collecting.values() if one.waits_for(account)]
                waiting = sum(one.waits_for(account) for one in its_own)
                quiet = quiet + 1 if its_own and all(one.seen for one in its_own) and waiting == account.reserved else 0
                if not its_own and not account.reserved:
                    return
            if account.stopped is None:
                said = " and ".join([one.waiting_for for one in its_own])
                account.stop(AwaitsBatch(f"{said}; go on with 'metaspo resume {account.run}'"))
        finally:
            self._leaving.discard(account.run)


def _start(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(work)
    among.add(task)
    task.add_done_callback(among.discard)


def _parts(gathered: Sequence[Waiting], sizes: Mapping[str, int]) -> list[list[Waiting]]:
    """Calls in parts that an endpoint takes as one batch each; `sizes` are the bytes of their images."""
    parts: list[list[Waiting]] = [[]]
    size = 0
    for one in gathered:
        length = 1_000 + 2 * sum(len(text_of(content).encode("utf-8", "replace")) for _, content in one.request.messages)
        length += sum(4 * (sizes.get(hash, 0) // 3 + 1) for hash in stored_images(one.request.messages))
        if parts[-1] and (len(parts[-1]) >= MOST_REQUESTS or size + length > MOST_BYTES):
            parts.append([])
            size = 0
        parts[-1].append(one)
        size += length
    return [part for part in parts if part]
