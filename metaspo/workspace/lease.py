"""Who works on a run: the lease of a run, held for as long as anything in this process works on it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from langgraph.errors import GraphBubbleUp

from ..domain.errors import AwaitsBatch, Interrupted, MetaspoError, RunHeldError, StoreError
from ..domain.redaction import redact
from ..models.account import Account
from ..models.registry import registry
from ..store import leases, runs
from ..store.database import Store, now
from ..store.leases import BEAT_EVERY, WATCH, Lease, SilentHolder

GRACE = 1.0
"""Seconds without a node at work after which a run counts as left: cancelled, failed, or waiting for a person."""

PATIENCE = 2.0
"""Seconds that cancelled work is given to end before other work on the same run is refused."""


async def acquired(store: Store, run: str, thread: str | None = None) -> Lease:
    """The lease of a run of that thread; raises RunHeldError.

    A holder that only its last sign of life speaks against is watched first.
    """
    try:
        return await store.run(leases.acquire, run, now(), None, thread)
    except SilentHolder as holder:
        await asyncio.sleep(WATCH)
        return await store.run(leases.acquire, run, now(), holder.beat, thread)


class RunLease:
    """A run's lease, kept alive by a heartbeat and given back when nothing of the run is at work any more.

    LangGraph tells a node when it starts, but nobody when a graph was cancelled. So the tasks of the
    nodes are watched: when the last one is gone and none follows, calls in flight are waited for, the
    run is recorded as stopped unless it is done, and the lease is released. `finished` says that no
    node will follow, `reason` why the run stopped.
    """

    def __init__(self, store: Store, account: Account, lease: Lease, left: Callable[[], object]) -> None:
        """Begin to hold a lease that was acquired; `left` is called when it is given back."""
        self.finished = False
        self.reason: str | None = None
        self._store, self._account, self._lease, self._left = store, account, lease, left
        self._working: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._stay = registry().tell_before_closing(self.close)

    @property
    def at_work(self) -> bool:
        """Whether a task works on the run right now."""
        return bool(self._working)

    @property
    def open(self) -> bool:
        """Whether the lease is still held for whoever comes."""
        return self._closing is None

    def enter(self) -> None:
        """Count the running task as one that works on the run, until it ends."""
        task = asyncio.current_task()
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())
        if self._timer is not None:
            self._timer.cancel()
        if task is not None and task not in self._working:
            self._working.add(task)
            task.add_done_callback(self._leave)

    async def idle(self) -> bool:
        """Whether nothing is at work on the run any more, after the moment that what was cancelled needs to end."""
        if self._working:
            await asyncio.wait([*self._working], timeout=PATIENCE)
        return not self._working

    async def close(self) -> None:
        """Wait for calls in flight, record where the run stands, and give the lease back."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def _leave(self, task: "asyncio.Task[Any]") -> None:
        self._working.discard(task)
        if task.cancelled():
            # Calls that wait for their turn are not wanted any more.
            self._account.stop(Interrupted("it was cancelled"))
        elif (error := task.exception()) is not None and not isinstance(error, GraphBubbleUp):
            known = isinstance(error, MetaspoError)
            self.reason = self.reason or (str(error) if known else redact(f"an error of ours, {type(error).__name__}: {error}"))
        if not self._working and self.open:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(0 if self.finished else GRACE, self._give_up)

    def _give_up(self) -> None:
        if self._closing is None and not self._working:
            self._closing = asyncio.create_task(self._close())

    async def _close(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
        reason = self.reason or (str(self._account.stopped) if self._account.stopped else "nobody goes on with it")
        self._account.stop()
        await self._account.settled()
        status: runs.Status
        waits = isinstance(self._account.stopped, AwaitsBatch)
        status, why = ("done", None) if self.finished else ("waiting" if waits else "stopped", reason)
        try:
            with contextlib.suppress(StoreError):
                if await self._store.run(leases.beat, self._lease):
                    await self._store.run(runs.leave, self._lease.run, status, why, self._account.session_seconds)
                    await self._store.run(leases.release, self._lease)
        finally:
            self._stay()
            self._left()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            if not await self._store.run(leases.beat, self._lease):
                self._account.stop(RunHeldError(f"run {self._lease.run} was taken over by another process"))
