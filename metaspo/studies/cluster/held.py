"""Runs that are in a cluster have a lease in the study's store, so that nobody resumes them beside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ...domain.errors import MetaspoError, RunHeldError, StoreError
from ...store import leases, runs
from ...store.database import Store
from ...store.leases import BEAT_EVERY
from ...workspace.lease import acquired


class Held:
    """A run's lease while it is held; `reason` is why nobody works on the run when it is given back, if it is not done."""

    reason = "the worker that it was on is gone"


@asynccontextmanager
async def held(store: Store, run: str, lost: Callable[[MetaspoError], None]) -> AsyncIterator[Held]:
    """Hold a run's lease; `lost` is told when somebody else took it over. Raises RunHeldError where somebody has it."""
    lease, taken = await acquired(store, run), Held()

    async def beating() -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            if not await store.run(leases.beat, lease):
                lost(RunHeldError(f"run {run} was taken over by another process"))

    beats = asyncio.create_task(beating())
    try:
        yield taken
    finally:
        beats.cancel()
        with contextlib.suppress(StoreError):
            # One that its worker has not left says that it is running.
            if await store.run(leases.beat, lease):
                await store.run(runs.leave, run, "stopped", taken.reason, 0.0)
                await store.run(leases.release, lease)
