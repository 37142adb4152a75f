"""A worker's end of the line: refusals become errors again, news are heard, and a desk that is gone ends every wait."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from ...domain.errors import MetaspoError
from .messages import Line, LineLost, News, Reason

SILENCE = 30.0
"""Seconds without a word from the desk, which has one every few, after which it is taken to be gone."""

Result = TypeVar("Result")


class Wire:
    """Asks over a line, for all of a process. `heard` gets the news, `lost` why nothing is answered any more."""

    def __init__(self, line: Line, heard: Callable[[News], None], lost: Callable[[MetaspoError], None]) -> None:
        """Nothing has been asked."""
        self._line, self._heard, self._tell_lost = line, heard, lost
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._why: LineLost | None = None
        self._listening: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._knows_end = False

    async def ask(self, what: str, *args: Any) -> Any:
        """What the desk answers. Raises the error that a refusal stands for, and LineLost for all once the desk is gone."""
        if self._why is not None:
            raise self._why
        task = asyncio.ensure_future(self._line.ask(what, *args))
        try:
            await asyncio.wait((task, self._gone), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise self._why or LineLost()
            found = task.result()
        except LineLost as lost:
            self.lose(lost)
            raise
        finally:
            task.cancel()
        if isinstance(found, Reason):
            raise found.error()
        return found

    def tell(self, what: str, *args: Any) -> None:
        """Ask something that nobody waits for; it is on its way before `flush` returns."""
        task = asyncio.create_task(self.ask(what, *args))
        self._under_way.add(task)
        task.add_done_callback(self._told)

    async def flush(self) -> None:
        """Wait until the desk has what it was told."""
        while self._under_way:
            await asyncio.wait([*self._under_way])

    def listen(self) -> None:
        """Hear news from now on."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    def hang_up(self) -> None:
        """Hear no more, and wait for nothing."""
        if self._listening is not None:
            self._listening.cancel()
        if not self._gone.done():
            self._gone.cancel()

    def lose(self, why: LineLost) -> None:
        """The desk is gone: every wait ends. The first reason stands."""
        if self._why is None:
            self._why = why
            self._tell_lost(why)
            if not self._gone.done():
                self._gone.set_result(None)

    async def _listen(self) -> None:
        try:
            while self._why is None:
                async with asyncio.timeout(SILENCE):
                    news: News = await self.ask("news", self._knows_end)
                self._knows_end = self._knows_end or news.ended is not None
                self._heard(news)
        except TimeoutError:
            self.lose(LineLost(f"it has been silent for {SILENCE:g} s"))
        except LineLost:
            pass  # Whoever asked has said so.
        except MetaspoError as refused:
            # What is paid may still be recorded.
            self._tell_lost(refused)

    def _told(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()
