"""The desk of a study: one process has it, and the workers in all others ask it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...domain.errors import ConfigError, MetaspoError, RunHeldError
from ...store.calls import Call
from ...store.database import Store
from ..account import Account
from .messages import Claims, GiveBack, Greeting, News, Page, Reason, Reserve, SlotWish, TurnWish, Worker
from .pool import Pool
from .seats import LONGEST, Seat, Seats
from .shelf import Shelf
from .turnstile import Turnstiles


class Desk:
    """What the workers of a study share: its store, its account, the limits of its endpoints. Used on one event loop.

    `store` is the study's own, open from `open` to `close`: whoever joins the stores of runs into it does so with
    `desk.store.run(...)`. `account` holds the budget of the study, and its totals follow from what is recorded.
    """

    store: Store

    def __init__(self, path: str | Path, account: Account) -> None:
        """Lead a study whose store is at `path`, within the budget of an account that has what was paid before."""
        self._path, self.account = path, account
        self._seats = Seats()
        self._pools: dict[str, Pool] = {}
        self._turnstiles = Turnstiles(account)
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False
        self._may: dict[str, Callable[..., Any]] = {
            "greet": self._greet, "news": self._news, "paid": self._paid, "find": self._find, "claim": self._claim,
            "unclaimed": self._unclaimed, "release": self._release, "record": self._record, "account": self._account,
            "slots": self._slots, "turn": self._turn, "took": self._took, "note": self._note, "stop": self._stop,
            "leave": self._leave,
        }  # fmt: skip

    async def open(self) -> "Desk":
        """Open the store, and be ready to answer."""
        self.store = await asyncio.to_thread(Store, self._path)
        self._shelf = Shelf(self.store, self.account)
        self._tasks = [asyncio.create_task(self._shelf.beat()), asyncio.create_task(self._tell_the_end())]
        return self

    async def answer(self, worker: Worker, what: str, args: tuple[Any, ...]) -> Any:
        """Answer what a worker asks, see messages; never raises for what it is asked, a refusal is a `Reason`.

        The first word of a newer attempt at a run takes the place of an older one, which is refused from then on.
        """
        try:
            if self._closing:
                raise self.account.reason
            if what not in self._may:
                raise ConfigError(f"a desk is not asked {what!r}: the worker is of another version of metaspo")
            try:
                seat, before = self._seats.of(worker)
            except RunHeldError:
                if what == "record":
                    # Paid is paid: whoever goes on with the run finds it.
                    await self._shelf.record(Seat(worker, gone=True), *args)
                raise
            if before is not None:
                self._free(before)
            found = await self._may[what](seat, *args)
            if self._closing or not seat.gone or what == "leave":
                return found
            raise RunHeldError(f"run {worker.run} was taken from this worker, attempt {worker.attempt}")
        except MetaspoError as error:
            return Reason.of(error)
        except Exception as error:
            return Reason.of(MetaspoError(f"the desk of the study failed at '{what}' with {type(error).__name__}: {error}"))

    async def forget(self, run: str, attempt: int | None = None) -> None:
        """The worker of a run is gone, whatever became of it: its claims, slots and reservations come back at once.

        The attempt is over: should it still be alive, it is refused, and only a higher one may work on the run. Where
        a higher one than `attempt` does so already, nothing happens.
        """
        seat = self._seats.drop(run, attempt, over=True)
        if seat is not None:
            self._free(seat)

    def stop(self, reason: MetaspoError | None = None) -> None:
        """End the study for all workers: no further call starts, calls in flight finish. The first reason stands."""
        self.account.stop(reason)

    async def close(self) -> None:
        """End all that waits here, and close the store."""
        self.account.stop()
        self._closing = True
        for seat in self._seats:
            self._free(seat)
        await self._shelf.settle()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.store.close)

    def _free(self, seat: Seat) -> None:
        seat.leave()
        self._shelf.release(seat, [*seat.claimed])
        for pool in self._pools.values():
            pool.forget(seat)
        for role in [*seat.reserved.elements()]:
            self.account.settle(role, None)
        seat.reserved.clear()

    async def _tell_the_end(self) -> None:
        await self.account.unless_stopped(asyncio.get_running_loop().create_future())
        for seat in self._seats:
            seat.changed.set()

    async def _greet(self, seat: Seat, theirs: str) -> Greeting:
        ours = version("metaspo")
        if theirs != ours:
            raise ConfigError(
                f"a worker has metaspo {theirs}, and the study is led by {ours}: install the same on all machines"
            )
        return Greeting(seat.worker.run, tuple(self.account.notes), self._ended())

    def _ended(self) -> Reason | None:
        return Reason.of(self.account.stopped) if self.account.stopped is not None else None

    async def _news(self, seat: Seat, knows: bool) -> News:
        if knows or self.account.stopped is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await seat.changed.wait()
        seat.changed.clear()
        return News(self._ended(), dict(seat.granted), dict(seat.contended))

    async def _paid(self, seat: Seat, after: int) -> Page:
        return await self._shelf.paid(seat.worker.run, after)

    async def _find(self, seat: Seat, keys: Sequence[str]) -> list[Call | None]:
        return await self._shelf.find(keys)

    async def _claim(self, seat: Seat, keys: Sequence[str]) -> Claims:
        return await self._shelf.claim(seat, keys)

    async def _unclaimed(self, seat: Seat, keys: Sequence[str]) -> list[str]:
        return await self._shelf.unclaimed(seat, keys)

    async def _release(self, seat: Seat, keys: Sequence[str]) -> None:
        self._shelf.release(seat, keys)

    async def _record(self, seat: Seat, paid: Sequence[Call]) -> list[list[Call]]:
        return await self._shelf.record(seat, paid)

    async def _account(self, seat: Seat, entries: Sequence[Reserve | GiveBack]) -> list[Reason | None]:
        return [await self._entered(seat, entry) for entry in entries]

    async def _entered(self, seat: Seat, entry: Reserve | GiveBack) -> Reason | None:
        if isinstance(entry, GiveBack):
            if seat.reserved[entry.role]:
                seat.reserved[entry.role] -= 1
                self.account.settle(entry.role, None)
            return None
        try:
            await self.account.reserve(entry.role, sent=entry.sent)
        except MetaspoError as error:
            return Reason.of(error)
        seat.reserved[entry.role] += 1
        return None

    async def _slots(self, seat: Seat, wish: SlotWish) -> int:
        if wish.endpoint not in self._pools:
            self._pools[wish.endpoint] = Pool(wish.endpoint, wish.level)
        self._pools[wish.endpoint].wish(seat, wish)
        return seat.granted.get(wish.endpoint, 0)

    async def _turn(self, seat: Seat, wish: TurnWish) -> list[int]:
        return await self._turnstiles.turn(wish)

    async def _took(self, seat: Seat, pace: str, number: int, tokens: int) -> None:
        self._turnstiles.took(pace, number, tokens)

    async def _note(self, seat: Seat, text: str) -> None:
        self.account.note(text)

    async def _stop(self, seat: Seat, reason: Reason) -> None:
        self.account.stop(reason.error())

    async def _leave(self, seat: Seat) -> None:
        self._seats.drop(seat.worker.run, seat.worker.attempt, over=False)
        self._free(seat)
