"""What a worker sends to its study while it works: what happens, and its run as it stands after each round."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ...domain.errors import MetaspoError
from ...store.joining.extract import extract
from ...workspace.events import Event
from .line import RayLine

TELL_EVERY = 0.3
"""Seconds between two batches of events."""

SHIP_EVERY = 3.0
"""Seconds between two shipments of a run, at least."""

SHARE = 10
"""Of the time that passes, one part in so many at most goes into shipping."""


class Reporting:
    """Sends what a run's listener hears, and the run itself, as long as the context lasts; the last word at its end.

    `failed` is why the run could not be sent, None if it was.
    """

    def __init__(self, line: RayLine, run: str, store: Path) -> None:
        """Send a run that is in `store`."""
        self._line, self._run, self._store = line, run, store
        self._heard: list[Event] = []
        self._due, self._over = asyncio.Event(), asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self.failed: MetaspoError | None = None

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._loops = [asyncio.create_task(self._telling()), asyncio.create_task(self._shipping())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send what is left, whatever the end is."""
        self._over.set()
        self._due.set()
        await asyncio.gather(*self._loops, return_exceptions=True)
        try:
            await self._tell()
            await self._ship()
        except MetaspoError as failed:
            self.failed = failed

    def listen(self, event: Event) -> None:
        """Hear an event of the run."""
        self._heard.append(event)
        if event["event"] in ("round_opened", "round_closed"):
            self._due.set()

    async def _telling(self) -> None:
        while not self._over.is_set():
            await self._pause(TELL_EVERY)
            await self._tell()

    async def _tell(self) -> None:
        heard, self._heard = self._heard, []
        if heard:
            await self._line.tell([dict(event) for event in heard])

    async def _shipping(self) -> None:
        while not self._over.is_set():
            self._due.clear()
            began = time.monotonic()
            # What cannot be sent now is sent with the next round, or else the run's end says why not.
            with contextlib.suppress(MetaspoError):
                await self._ship()
            await self._pause(max(SHIP_EVERY, SHARE * (time.monotonic() - began)))
            await self._due.wait()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _ship(self) -> None:
        if store := await asyncio.to_thread(self._extracted):
            await self._line.ship(store)

    def _extracted(self) -> bytes:
        with tempfile.TemporaryDirectory(dir=self._store.parent) as folder:
            target = Path(folder) / "run.db"
            extract(self._store, self._run, target, with_calls=False)
            return target.read_bytes()
