"""The pace of a model, for a worker: limits a minute that were set hold for all workers, and the desk counts them."""

import asyncio
from collections import deque
from weakref import WeakKeyDictionary

from ...domain.calls import Request
from ...domain.errors import MetaspoError
from ..account import Account
from ..pacing import Pace, Permit
from ..spec import ModelSpec
from .messages import TurnWish
from .wire import Wire

TOGETHER = 64
"""Requests that wait for their turn in one message at most."""


class SharedPace(Pace):
    """What endpoints tell of their limits is heard here as ever; each worker hears of what all have sent."""

    def __init__(self, name: str, wire: Wire) -> None:
        """No limit is set, and none was told."""
        super().__init__()
        self._name, self._wire = name, wire
        self._limits: tuple[int | None, int | None] = None, None
        self._asking: deque[tuple[asyncio.Future[int], float]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._numbers: WeakKeyDictionary[Permit, int] = WeakKeyDictionary()

    @property
    def holds_back(self) -> bool:
        """Whether requests wait here, so that what comes back says nothing of how fast the endpoint is."""
        return bool(self._asking) or super().holds_back

    def limit(self, spec: ModelSpec) -> None:
        """Keep to what a spec sets; of several that share a pace, the lowest number stands."""
        requests, tokens = self._limits
        self._limits = _lower(requests, spec.requests_per_minute), _lower(tokens, spec.tokens_per_minute)

    async def turn(self, request: Request, spec: ModelSpec, account: Account) -> Permit:
        """Wait until a request may go out. Raises what ends the run meanwhile."""
        if self._limits == (None, None):
            return await super().turn(request, spec, account)
        await self.clear(spec, account, self._estimate(request))
        mine: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asking.append((mine, self._estimate(request)))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._ask())
        try:
            await account.unless_stopped(mine)
            if account.stopped is not None:
                raise account.reason
            permit = self._send(self._estimate(request))
            self._numbers[permit] = mine.result()
            return permit
        finally:
            mine.cancel()

    def correct(self, permit: Permit, read: int, written: int) -> None:
        """Count what a request took indeed, and expect the like of the next ones."""
        super().correct(permit, read, written)
        if self._limits[1] is not None and permit in self._numbers:
            self._wire.tell("took", self._name, self._numbers.pop(permit), read + written)

    async def _ask(self) -> None:
        while self._asking:
            while self._asking and self._asking[0][0].done():
                self._asking.popleft()
            amounts = tuple(amount for _, amount in list(self._asking)[:TOGETHER])
            if not amounts:
                return
            try:
                numbers: list[int] = await self._wire.ask("turn", TurnWish(self._name, *self._limits, amounts))
            except MetaspoError as error:
                for mine, _ in self._asking:
                    if not mine.done():
                        mine.set_exception(error)
                return
            for number in numbers:
                mine, _ = self._asking.popleft()
                if not mine.done():
                    mine.set_result(number)


def _lower(known: int | None, limit: int | None) -> int | None:
    return min((one for one in (known, limit) if one is not None), default=None)
