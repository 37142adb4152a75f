"""The limiter of an endpoint, for a worker: its slots are the desk's, and stay here while nobody else waits for them."""

import asyncio
import contextlib

from ...domain.errors import MetaspoError
from ..limiter import MOST, Limiter
from .messages import SlotWish
from .wire import Wire


class SharedLimiter(Limiter):
    """Never more requests in flight than the desk has given slots.

    A slot goes to the next request here, or is kept for it, unless other workers wait: then each goes back to the desk
    when its request ends, and to whoever's turn it is.
    """

    def __init__(self, endpoint: str, level: int | None, wire: Wire) -> None:
        """Share `level` with all workers; without one, each finds its own, and together they stay within `MOST`."""
        super().__init__(level)
        self._endpoint, self._all, self._wire = endpoint, level or MOST, wire
        self._granted = self._returned = 0
        self._contended = self._first = self._ended = False
        self._told = SlotWish(endpoint, self._all, 0)
        self._telling: asyncio.Task[None] | None = None

    @property
    def level(self) -> int:
        """How many requests may be in flight now."""
        return self._in_flight + 1 if self._ended else min(self._held, super().level)

    @property
    def _held(self) -> int:
        return self._granted - self._returned

    def hear(self, granted: int, contended: bool) -> None:
        """How many slots were granted in all, and whether others wait for some."""
        self._granted, self._contended = max(self._granted, granted), contended
        self._admit()
        if contended:
            self._returned += max(0, self._held - self._in_flight)
        self._look()

    def end(self) -> None:
        """Nothing goes out any more: whoever waits is let in, to be told so by its account."""
        self._ended = True
        self._admit()

    def answered(self, started: float, *, held_back: bool = False) -> None:
        """A request that began at `started` was answered; where slots lack, that says nothing of the level that is best."""
        super().answered(started, held_back=held_back or self._held < super().level)

    def _queued(self, *, first: bool) -> None:
        self._first = self._first or first
        self._look()

    def _release(self) -> None:
        # Given back before it could go to anybody here.
        self._returned += self._contended and not self._ended
        super()._release()
        self._look()

    def _wish(self) -> SlotWish:
        wanted = max(0, min(len(self._waiting), super().level - self._held))
        return SlotWish(self._endpoint, self._all, wanted, self._granted, self._returned, self._first and wanted > 0)

    def _is_news(self, wish: SlotWish) -> bool:
        expected = max(0, self._told.wanted - (self._granted - self._told.granted))
        return wish.wanted != expected or wish.returned != self._told.returned or wish.first

    def _look(self) -> None:
        if (self._telling is None or self._telling.done()) and not self._ended and self._is_news(self._wish()):
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        with contextlib.suppress(MetaspoError):  # Whoever waits is told by its account.
            while not self._ended and self._is_news(wish := self._wish()):
                self._told, self._first = wish, False
                self._granted = max(self._granted, await self._wire.ask("slots", wish))
                self._admit()
