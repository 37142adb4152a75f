"""How many requests may be in flight to one endpoint: a number, or as many as make it faster."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from typing import Any, TypeVar

from ..domain.calls import Request
from ..domain.files import room

Item = TypeVar("Item")
Result = TypeVar("Result")

START, MOST = 16, 512
"""Where an adaptive limit begins, and how far it goes."""

FAST, GENTLE = 2.0, 1.25
"""The factor between two levels: until the first one that is too high, and from then on."""

SAMPLE = {FAST: 64, GENTLE: 256}
"""Replies that a level is judged by, at least. Latencies of models have long tails: fewer tell little."""

WORTH = 0.5
"""The share of a level's growth that must arrive as throughput; less, and requests only wait at the endpoint."""

BACKOFF = 0.7
"""What is left of a level that the endpoint could not bear."""

LONGEST_REST = 16
"""Windows between two trials at most."""

SEEN, PASSES = 32, 32
"""Of how many of those who wait a backend chooses, and how often the one who has waited longest is passed over at most."""

Choose = Callable[[list[Request]], int]
"""Which of the requests that wait, the one that has waited longest first, a backend would best be asked next."""

FEWEST_READY = 256
"""Examples that are ready to be asked at least: most of them may turn out to be in the store already."""


class AdaptiveLimit:
    """Finds how many requests in flight an endpoint is fastest with, by trial.

    A window of replies measures the throughput of a level. Then a higher one is tried, and stays only
    if it brought enough; then a lower one, which stays if it cost little. Trials that fail become
    rarer. An endpoint that refuses for load, or doesn't answer in time, is asked less at once.
    Times are seconds of a monotonic clock.
    """

    def __init__(self, level: int = START, most: int = MOST) -> None:
        """Begin with `level` requests in flight and never go beyond `most`."""
        self.level, self.most = min(level, most), most
        self._factor = FAST
        self._step = FAST
        self._rest = self._next_rest = 0
        self._doubted = False
        self._before: tuple[int, float] | None = None
        self._shrunk = -math.inf
        self._count = self._enough = 0
        self._open(-math.inf)

    def answered(self, started: float, now: float, saturated: bool) -> None:
        """A request that began at `started` was answered; `saturated` says that others are waiting to begin."""
        if not saturated:
            # It is not the level that limits the throughput now, so nothing is learned about it.
            self._forget_trial()
            self._open(now)
        elif started >= self._opened:
            self._count += 1
            if self._count == 0:
                self._since = now
            if self._count >= self._enough and now > self._since:
                self._judge(self._count / (now - self._since))
                self._open(now)

    def overloaded(self, started: float, now: float, in_flight: int) -> None:
        """The endpoint refused a request for load or did not answer it in time."""
        if started < self._shrunk or in_flight > self.level:
            return  # the last step down has not had its effect yet
        self._shrunk = now
        if self._before is not None and self._before[0] < self.level:
            self.level = self._before[0]
            self._turn_round()
        else:
            self.level = max(1, int(self.level * BACKOFF))
            self._step = self._factor = GENTLE
        self._before = None
        self._open(now)

    def _open(self, now: float) -> None:
        # The first round only lets the new level take effect. From then on requests that began together
        # end together: whole rounds measure a level.
        self._opened, self._since, self._count = now, now, -self.level
        self._enough = self.level * math.ceil(SAMPLE[self._step] / self.level)

    def _judge(self, rate: float) -> None:
        if self._before is not None:
            level, rate_before = self._before
            if rate < rate_before * (1 + WORTH * (self.level / level - 1)):
                self.level, self._before = level, None
                if self._step == FAST and not self._doubted:
                    self._doubted = True  # a few slow replies do as much; one more try before the steps get small
                else:
                    self._turn_round()
                return
            self._next_rest, self._doubted = 0, False
        if self._rest:
            self._rest -= 1
            return
        self._before = self.level, rate
        further = round(self.level * self._factor)
        further = max(further, self.level + 1) if self._factor > 1 else min(further, self.level - 1)
        self.level = min(self.most, max(1, further))
        if self.level == self._before[0]:
            self._before = None
            self._turn_round()

    def _turn_round(self) -> None:
        self._step = GENTLE
        self._factor = 1 / GENTLE if self._factor > 1 else GENTLE
        self._next_rest = self._rest = min(LONGEST_REST, 2 * self._next_rest + 1)

    def _forget_trial(self) -> None:
        if self._before is not None:
            self.level, self._before = self._before[0], None


class GroupQueue:
    """Starts the work of many groups, group after group, and not more than `most` at a time.

    What belongs together goes out together, in order; what is yet to come takes up no memory.
    """

    def __init__(self, most: int) -> None:
        """Let `most` pieces of work be under way."""
        self._turn = asyncio.Lock()
        self._permits = asyncio.Semaphore(most)

    async def start(
        self, group: asyncio.TaskGroup, work: Callable[[Item], Coroutine[Any, Any, Result]], items: Iterable[Item]
    ) -> list[asyncio.Task[Result]]:
        """Start work on every item in the group, once those who came before have started all of theirs."""
        tasks = []
        async with self._turn:
            for item in items:
                await self._permits.acquire()
                task = group.create_task(work(item))
                task.add_done_callback(lambda done: self._permits.release())
                tasks.append(task)
        return tasks


class Limiter:
    """Limits the requests in flight to one endpoint, first come, first served unless `choose` is given.

    `queue` is for whoever has many requests: enough of them wait here to take every slot that gets free.
    """

    def __init__(self, level: int | None = None, *, connected: bool = True, choose: Choose | None = None) -> None:
        """Allow `level` requests at a time; without one, an `AdaptiveLimit` finds it; `connected` if each takes one."""
        # A connection is an open file; keeping within what the system allows beats failing at it.
        allowed = (room() if connected else level) or MOST
        self._level = level and min(level, allowed)
        self._adaptive = AdaptiveLimit(most=min(MOST, allowed))
        self._in_flight = 0
        self._waiting: deque[tuple[asyncio.Future[None], Request | None]] = deque()
        self._choose, self._passed = choose, 0
        self.queue = GroupQueue(max(FEWEST_READY, 2 * self.most))

    @property
    def level(self) -> int:
        """How many requests may be in flight now."""
        return self._level or self._adaptive.level

    @property
    def most(self) -> int:
        """How many there will ever be."""
        return self._level or self._adaptive.most

    def turn(self, request: Request) -> AbstractAsyncContextManager[None]:
        """A slot for a request, waited for."""
        return self._slot(request)

    def first(self) -> AbstractAsyncContextManager[None]:
        """A slot before all others that wait for one, for what they depend on."""
        return self._slot(None)

    @asynccontextmanager
    async def _slot(self, request: Request | None) -> AsyncIterator[None]:
        await self._enter(request)
        try:
            yield
        finally:
            self._release()

    async def _enter(self, request: Request | None) -> None:
        if self._in_flight < self.level and not self._waiting:
            self._in_flight += 1
            return
        slot = asyncio.get_running_loop().create_future()
        if request is None:
            self._waiting.appendleft((slot, None))
        else:
            self._waiting.append((slot, request))
        self._queued(first=request is None)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                self._release()
            raise

    def _queued(self, *, first: bool) -> None:
        """Somebody waits for a slot."""

    def _release(self) -> None:
        self._in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._in_flight < self.level:
            slot = self._next()
            if not slot.done():
                self._in_flight += 1
                slot.set_result(None)

    def _next(self) -> asyncio.Future[None]:
        """Whoever is next no longer waits."""
        at = 0
        if self._choose and len(self._waiting) > 1 and self._passed < PASSES:
            seen = [request for _, request in islice(self._waiting, SEEN) if request]
            # What others depend on stands first, and is no matter of choice.
            at = self._choose(seen) if self._waiting[0][1] else 0
        self._passed = self._passed + 1 if at else 0
        slot, _ = self._waiting[at]
        del self._waiting[at]
        return slot

    def answered(self, started: float, *, held_back: bool = False) -> None:
        """A request that began at `started` (`time.monotonic`) was answered; `held_back` says that a pace holds others."""
        self._adaptive.answered(started, time.monotonic(), saturated=bool(self._waiting) and not held_back)
        self._admit()

    def overloaded(self, started: float) -> None:
        """A request that began at `started` was refused for load, or not answered in time."""
        self._adaptive.overloaded(started, time.monotonic(), self._in_flight)
