"""The calls of a study, as its desk has them: found, claimed and recorded for all workers, in the study's store."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from sqlite_utils import Database

from ...domain.errors import StoreError
from ...store import calls, claims
from ...store.batcher import Batcher
from ...store.calls import Call, key_in_run
from ...store.database import Store
from ...store.leases import BEAT_EVERY
from ..account import Account
from .messages import PAGE, Claims, Page
from .seats import Seat

MOMENT = 0.25
"""Seconds that whoever waits for a call of others is kept waiting at most before it looks again."""


class Shelf:
    """What is recorded counts: the totals of the study's account follow from the rows that are new in its store."""

    def __init__(self, store: Store, account: Account) -> None:
        """Keep calls in `store`, and count them in `account`."""
        self._store, self._account = store, account
        self._claimed: dict[str, Seat] = {}
        self._freed = asyncio.Event()
        # Done even where whoever asked is gone by then: what is paid is recorded, and what is recorded is counted.
        self._records: Batcher[tuple[Seat, Call], list[Call]] = Batcher(self._record)
        self._releases: set[asyncio.Task[None]] = set()

    async def find(self, keys: Sequence[str]) -> list[Call | None]:
        """The calls recorded under some keys."""
        return await self._store.run(calls.rows, keys)

    async def paid(self, run: str, after: int) -> Page:
        """The calls that a run has paid for, a page at a time."""
        return Page(*await self._store.run(calls.paid_by, run, after, PAGE))

    async def claim(self, seat: Seat, keys: Sequence[str]) -> Claims:
        """Have a worker ask those calls that nobody else asks."""
        free = [key for key in dict.fromkeys(keys) if self._claimed.get(key, seat) is seat]
        for key in free:
            self._claimed[key] = seat
            seat.claimed.add(key)
        got = await asyncio.gather(*(self._store.claim_call(key) for key in free))
        ours = {key for key, is_ours in zip(free, got, strict=True) if is_ours and not seat.gone}
        # Those of another process on this store, or of a worker that is gone by now.
        self.release(seat, [key for key in free if key not in ours])
        keys_of = [key for key in free for key in (key, key_in_run(key, seat.worker.run)) if key.partition("/")[0] in ours]
        known = [call for call in await self._store.run(calls.rows, keys_of) if call is not None]
        return Claims([key in ours for key in keys], known)

    async def unclaimed(self, seat: Seat, keys: Sequence[str]) -> list[str]:
        """Those of some calls that nobody else asks any more: at once if there are any, or else after a moment."""
        free: list[str] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(MOMENT):
                while not (free := [key for key in keys if self._claimed.get(key, seat) is seat]):
                    await self._freed.wait()
        return await self._store.unclaimed(free) if free else []

    def release(self, seat: Seat, keys: Sequence[str]) -> None:
        """Give up claims of a worker."""
        mine = [key for key in keys if key in seat.claimed]
        seat.claimed.difference_update(mine)
        for key in mine:
            if self._claimed.get(key) is seat:
                del self._claimed[key]
                task = asyncio.create_task(self._release(key))
                self._releases.add(task)
                task.add_done_callback(self._releases.discard)
        self._tell()

    async def record(self, seat: Seat, paid: Sequence[Call]) -> list[list[Call]]:
        """Record calls of a worker; for each the rows that it keeps too, first the one that stands, none if that is its own."""
        return list(await asyncio.gather(*(self._records.submit((seat, call)) for call in paid)))

    async def beat(self) -> None:
        """Show other processes for as long as this goes on that the claims are alive."""
        while True:
            with suppress(StoreError):
                await self._store.sign_of_life()
            await asyncio.sleep(BEAT_EVERY)

    async def settle(self) -> None:
        """Wait until all that was handed in is in the store."""
        await self._records.join()
        while self._releases:
            await asyncio.gather(*self._releases)

    async def _release(self, key: str) -> None:
        # One that was claimed anew meanwhile is another worker's.
        with suppress(StoreError):  # Others find out when this process is gone.
            if key not in self._claimed:
                await self._store.release_call(key)

    async def _record(self, items: list[tuple[Seat, Call]]) -> list[list[Call]]:
        work = partial(_recorded, holder=self._store.holder, paid=[call for _, call in items])
        found = await self._store.run(work)
        for (seat, call), (_, is_new) in zip(items, found, strict=True):
            if is_new and not seat.reserved[call.role]:
                self._account.pay(call.role, call.reply)  # Of a worker that was given up.
            elif seat.reserved[call.role]:
                seat.reserved[call.role] -= 1
                self._account.settle(call.role, call.reply if is_new else None)
            key = call.key.partition("/")[0]
            seat.claimed.discard(key)
            if self._claimed.get(key) is seat:
                del self._claimed[key]
        self._tell()
        return [rows for rows, _ in found]

    def _tell(self) -> None:
        self._freed.set()
        self._freed = asyncio.Event()


def _recorded(db: Database, *, holder: claims.Holder, paid: Sequence[Call]) -> list[tuple[list[Call], bool]]:
    """Record calls: for each the rows that stand for it, none where it is the one itself, and whether it is a new row."""
    before = calls.last(db)
    claims.write(db, holder, paid)
    new = {call.key: call for call in calls.since(db, before)}
    asked = {call.key for call in paid}
    late = {key: call for key, call in new.items() if key not in asked}
    standing = calls.rows(db, [call.key for call in paid])
    found: list[tuple[list[Call], bool]] = []
    for call, stands in zip(paid, standing, strict=True):
        assert stands is not None
        if (stands.run, stands.reply) == (call.run, call.reply):
            found.append(([], new.pop(call.key, None) is not None))
            continue
        own = [
            key
            for key, row in late.items()
            if key.startswith(f"{call.key}/") and (row.run, row.reply) == (call.run, call.reply)
        ]
        found.append(([stands, *(late.pop(key) for key in own[:1])], bool(own)))
    return found
