"""The account of a study, for a worker's runs: the desk is asked for every call, and what ends the study ends them."""

import asyncio
from typing import Any

from ...domain.calls import Reply
from ...domain.errors import MetaspoError
from ...store.batcher import Batcher
from ..account import Account
from .messages import GiveBack, Reason, Reserve
from .wire import Wire


class SharedAccount(Account):
    """Parent to the accounts of a worker's runs. What was paid, the desk counts when it is recorded."""

    def __init__(self) -> None:
        """Nobody is asked yet."""
        super().__init__("")
        self.wire: Wire | None = None
        self._entries: Batcher[Reserve | GiveBack, Reason | None] = Batcher(self._ask)
        self._back: set[asyncio.Task[Any]] = set()

    def stop(self, reason: MetaspoError | None = None) -> None:
        """Let no further call of any run start here; the desk is not told, see `end`."""
        super().stop(reason)
        for child in self.children:
            child.stop(self.reason)

    def end(self, reason: MetaspoError) -> None:
        """End the study, for the workers in all processes."""
        self.stop(reason)
        if self.wire is not None:
            self.wire.tell("stop", Reason.of(reason))

    def under(self, parent: Account | None) -> None:
        """A study is under nothing."""
        raise ValueError("the account of a study has no parent")

    def hear(self, text: str) -> None:
        """What a run has noted, the whole study knows."""
        if text not in self.notes and self.wire is not None:
            self.notes.append(text)
            self.wire.tell("note", text)

    async def reserve(self, role: str, *, sent: bool = False) -> None:
        """Make room for one call in the whole study, or raise what ended it."""
        if self.stopped is not None:
            raise self.stopped
        asked = asyncio.ensure_future(self._entries.submit(Reserve(role, sent)))
        try:
            refused = await asyncio.shield(asked)
        except asyncio.CancelledError:
            # It may be granted by now, to nobody.
            asked.add_done_callback(lambda done: self._unless_refused(role, done))
            raise
        except MetaspoError as error:
            self.stop(error)
            raise
        if refused is not None:
            self.stop(refused.error())
            raise self.reason

    def settle(self, role: str, reply: Reply | None) -> None:
        """A reserved call came back. One with a reply is settled at the desk by being recorded there."""
        if reply is None:
            self._enter(GiveBack(role))

    async def flush(self) -> None:
        """Wait until the desk has what it was told."""
        while self._back:
            await asyncio.wait([*self._back])

    def _unless_refused(self, role: str, asked: "asyncio.Future[Reason | None]") -> None:
        if not asked.cancelled() and asked.exception() is None and asked.result() is None:
            self._enter(GiveBack(role))

    def _enter(self, entry: GiveBack) -> None:
        task = asyncio.ensure_future(self._entries.submit(entry))
        self._back.add(task)
        task.add_done_callback(self._entered)

    def _entered(self, task: "asyncio.Task[Any]") -> None:
        self._back.discard(task)
        if not task.cancelled():
            task.exception()

    async def _ask(self, entries: list[Reserve | GiveBack]) -> list[Reason | None]:
        assert self.wire is not None
        found: list[Reason | None] = await self.wire.ask("account", entries)
        return found
