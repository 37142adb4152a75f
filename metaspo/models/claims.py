"""Two processes never ask the same call at once: it is claimed in the store, and others wait for whoever has it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..domain.errors import StoreError
from ..store.database import Store
from ..store.leases import BEAT_EVERY
from .account import Account

LOOK_EVERY = 0.05
"""Seconds between two looks at the calls that other processes ask."""


class Claims:
    """What this process may ask. Whoever waits holds no slot of a limiter and pays nothing."""

    def __init__(self, store: Store) -> None:
        """Claim calls in `store`."""
        self._store = store
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._releases: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def alone(self, key: str, account: Account) -> AsyncIterator[None]:
        """Have a call claimed, once nobody else has; whoever had it may have recorded it. Raises what stops the account."""
        ended = False
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        try:
            while not await self._store.claim_call(key):
                await self._given_up(key, account)
            yield
            ended = True
        finally:
            if not ended or key in self._store.holder.held:
                # Not awaited: whoever is cancelled gives it up too.
                task = asyncio.create_task(self._release(key))
                self._releases.add(task)
                task.add_done_callback(self._releases.discard)

    def has(self, key: str) -> bool:
        """Whether a claim is ours still: others take over from a process that was paused for long."""
        return self._store.holder.has(key)

    async def settle(self) -> None:
        """Wait until what was given up is known to others."""
        await asyncio.gather(*self._releases)
        if self._beating is not None:
            self._beating.cancel()

    async def _given_up(self, key: str, account: Account) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await account.unless_stopped(self._awaited.setdefault(key, asyncio.get_running_loop().create_future()))
        if account.stopped is not None:
            self._awaited.pop(key, None)
            raise account.stopped

    async def _release(self, key: str) -> None:
        with contextlib.suppress(StoreError):  # Others find out when this process is gone.
            await self._store.release_call(key)

    async def _look(self) -> None:
        while self._awaited:
            await asyncio.sleep(LOOK_EVERY)
            try:
                free = await self._store.unclaimed(list(self._awaited))
            except StoreError:
                free = list(self._awaited)  # Whoever waits gets the same error, and says so.
            for key in free:
                future = self._awaited.pop(key, None)
                if future is not None and not future.done():
                    future.set_result(None)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            with contextlib.suppress(StoreError):
                await self._store.sign_of_life()
