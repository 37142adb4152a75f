"""What a worker process opens, as part of a study that another process leads."""

import asyncio
import contextlib
from importlib.metadata import version
from pathlib import Path

from ...domain.errors import ConfigError, MetaspoError
from ..limiter import Limiter
from ..pacing import Pace
from ..spec import ModelSpec
from .messages import Greeting, Line, News
from .shared_account import SharedAccount
from .shared_limiter import SharedLimiter
from .shared_pace import SharedPace
from .shared_store import SharedStore
from .wire import Wire


class Sharing:
    """All that goes through one line; `account` is parent to those of the runs that are worked on here."""

    def __init__(self, line: Line) -> None:
        """Nothing has been asked."""
        self.account = SharedAccount()
        self._wire = self.account.wire = Wire(line, self._heard, self._lost)
        self._limiters: dict[str, SharedLimiter] = {}
        self._run: str | None = None

    async def store(self, path: Path) -> SharedStore:
        """The store of a run, open and with all that the run has paid for. Raises what the desk refuses, and LineLost."""
        if self._run is None:
            # A desk that is silent from the beginning is found out too.
            self._wire.listen()
            greeting: Greeting = await self._wire.ask("greet", version("metaspo"))
            self.account.notes = [*greeting.notes]
            self._run = greeting.run
            if greeting.ended is not None:
                self._lost(greeting.ended.error())
        store = await asyncio.to_thread(SharedStore, path, self._wire)
        try:
            await store.catch_up(self._run)
        except BaseException:
            await asyncio.to_thread(store.close)
            raise
        return store

    def limiter(self, endpoint: str, level: int | None) -> Limiter:
        """The limiter of an endpoint."""
        if endpoint not in self._limiters:
            self._limiters[endpoint] = SharedLimiter(endpoint, level, self._wire)
        return self._limiters[endpoint]

    def pace(self, name: str) -> Pace:
        """The pace of a model."""
        return SharedPace(name, self._wire)

    def refuse(self, spec: ModelSpec) -> None:
        """Raise ConfigError for a model that cannot be asked by several processes as one."""
        if spec.batch:
            raise ConfigError(
                f"{spec.label}: batch: true gathers the calls of one process, and here several work on one study; take it out, "
                "or run the study without --engine"
            )

    async def close(self) -> None:
        """Tell the desk all that it is to know, and leave."""
        await self.account.flush()
        await self._wire.flush()
        if self._run is not None:
            with contextlib.suppress(MetaspoError):  # It has given this worker up, or is gone.
                await self._wire.ask("leave")
        self._wire.hang_up()

    def _heard(self, news: News) -> None:
        if news.ended is not None:
            self._lost(news.ended.error())
        for endpoint, limiter in self._limiters.items():
            limiter.hear(news.granted.get(endpoint, 0), news.contended.get(endpoint, False))

    def _lost(self, why: MetaspoError) -> None:
        self.account.stop(why)
        for limiter in self._limiters.values():
            limiter.end()
