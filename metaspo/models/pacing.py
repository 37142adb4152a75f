"""When the next request of a model may go out: within the limits that its spec sets and those that its endpoint tells."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..domain.calls import Request, tokens_of
from ..domain.errors import EndpointUnavailable
from .account import Account
from .meters import Meter, Sent, Told
from .rate_headers import Left, limits_told
from .spec import ModelSpec

LOOK = 0.25
"""Seconds between two looks at whether it is time: replies that come in meanwhile may change when it is."""

WORTH_TELLING = 3.0
"""Seconds of waiting for an endpoint from which on a person is told."""

FALLING = 0.05
"""How fast the longest of the late replies is forgotten, a reply."""


@dataclass(eq=False)
class Permit:
    """One request on its way; in a `with` around it, what its endpoint tells of limits is heard.

    `before` is what had come back, in requests and tokens, when it went out; `added` is what its `tokens` hold
    beyond the estimate of its text.
    """

    pace: "Pace"
    tokens: float
    before: tuple[float, float]
    metered: Sent | None
    added: float = 0.0

    def __enter__(self) -> "Permit":
        """It goes out."""
        self._token = _current.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """It came back, whatever with."""
        _current.reset(self._token)
        self.pace.came_back(self)

    def took(self, read: int, written: int) -> None:
        """How many tokens it took indeed."""
        self.pace.correct(self, read, written)


_current: ContextVar[Permit | None] = ContextVar("permit", default=None)


async def heard(response: Any) -> None:
    """For the hooks of an HTTP client: every response, an error too, says in its headers how much the endpoint will still take.

    It is that to the request that the running task has under way.
    """
    permit = _current.get()
    if permit is not None:
        permit.pace.hear(permit, response.headers)


class Pace:
    """Lets the requests of a model out, first come, first served, as its limits allow.

    A provider's limits belong to an account and a model: specs that share endpoint, key and name share one `Pace`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """No limit is set, and none was told."""
        self._clock = clock
        self._queue: deque[asyncio.Future[None]] = deque()
        self._requests: Meter | None = None
        self._tokens: Meter | None = None
        self._told: dict[str, tuple[Left, Told]] = {}
        self._out = self._back = (0.0, 0.0)
        self._longest: float | None = None
        self._lacking = 0.0
        self._announced = -math.inf

    @property
    def holds_back(self) -> bool:
        """Whether requests wait here, so that what comes back says nothing of how fast the endpoint is."""
        return bool(self._queue)

    def limit(self, spec: ModelSpec) -> None:
        """Keep to what a spec sets; of several that share a pace, the lowest number stands."""
        self._requests = tighter(self._requests, spec.requests_per_minute)
        self._tokens = tighter(self._tokens, spec.tokens_per_minute)

    async def turn(self, request: Request, spec: ModelSpec, account: Account) -> Permit:
        """Wait until a request may go out. Raises what ends the run meanwhile, as a limit does that is used up for too long."""
        tokens = self._estimate(request)
        if self._queue or self._metered(tokens) or self._held(tokens):
            async with self._in_turn(account):
                await self.clear(spec, account, tokens)
                # Replies that came in meanwhile tell better what it will take.
                while wait := max(self._metered(tokens := self._estimate(request)), self._held(tokens)):
                    await account.sleep(min(wait, LOOK))
                    if account.stopped is not None:
                        raise account.reason
                    await self.clear(spec, account, tokens)
        return self._send(tokens)

    async def clear(self, spec: ModelSpec, account: Account, tokens: float = 1.0) -> None:
        """Wait while the endpoint says that too little is left. Raises what ends the run meanwhile."""
        began = self._clock()
        while wait := self._held(tokens):
            if self._clock() - began >= spec.patience:
                what = " and ".join(sorted({left.kind for left, told in self._told.values() if self._wait(left, told, tokens)}))
                account.stop(
                    EndpointUnavailable(
                        f"{spec.label}: its endpoint says that the limit of {what} is used up for another {wait:.0f} s, "
                        f"which is longer than its patience of {spec.patience:g} s"
                    )
                )
            else:
                self._announce(wait, account)
                await account.sleep(min(wait, LOOK))
            if account.stopped is not None:
                raise account.reason

    def hear(self, permit: Permit, headers: Mapping[str, str]) -> None:
        """Take in what the reply to a request told of limits."""
        now = self._clock()
        for left in limits_told(headers):
            told = self._told.setdefault(left.form, (left, Told()))[1]
            # What had come back before this request went out is counted in its reply; anything else may not be.
            at = int(left.counts_tokens)
            told.hear(now, left, self._out[at] - permit.before[at] - (permit.tokens if at else 1.0))

    def came_back(self, permit: Permit) -> None:
        """A request is no longer under way."""
        self._back = self._back[0] + 1, self._back[1] + permit.tokens

    def correct(self, permit: Permit, read: int, written: int) -> None:
        """Count what a request took indeed, and expect the like of the next ones."""
        if permit.metered is not None and self._tokens is not None:
            self._tokens.correct(self._clock(), permit.metered, read + written)
        falling = (self._longest or 0.0) * (1 - FALLING) + written * FALLING
        self._longest = max(float(written), falling)
        # A chat template, or a language of many tokens, makes requests longer than their text tells.
        lacking = max(0.0, read + written - permit.tokens + permit.added)
        self._lacking = max(lacking, self._lacking * (1 - FALLING) + lacking * FALLING)

    def _send(self, tokens: float) -> Permit:
        now, before = self._clock(), self._back
        self._out = self._out[0] + 1, self._out[1] + tokens
        for left, told in self._told.values():
            told.send(tokens if left.counts_tokens else 1.0)
        if self._requests is not None:
            self._requests.send(now, 1.0)
        return Permit(self, tokens, before, self._tokens.send(now, tokens) if self._tokens else None, self._lacking)

    def _estimate(self, request: Request) -> float:
        """About how many tokens a request takes: its messages, and a reply as long as the longest of late."""
        longest = request.max_tokens if self._longest is None else min(request.max_tokens, self._longest)
        return float(tokens_of(request.messages) + math.ceil(longest)) + self._lacking

    def _metered(self, tokens: float) -> float:
        """Seconds until the limits that were set allow a request."""
        now = self._clock()
        waits = [meter.wait(now, amount) for meter, amount in ((self._requests, 1.0), (self._tokens, tokens)) if meter]
        return max(waits, default=0.0)

    def _held(self, tokens: float) -> float:
        """Seconds until what the endpoint says is left is enough for a request."""
        return max((self._wait(left, told, tokens) for left, told in self._told.values()), default=0.0)

    def _wait(self, left: Left, told: Told, tokens: float) -> float:
        at = int(left.counts_tokens)
        return told.wait(self._clock(), tokens if at else 1.0, self._out[at] - self._back[at])

    @asynccontextmanager
    async def _in_turn(self, account: Account) -> AsyncIterator[None]:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        self._call_next()
        try:
            await account.unless_stopped(mine)
            if account.stopped is not None:
                raise account.reason
            yield
        finally:
            self._queue.remove(mine)
            self._call_next()

    def _call_next(self) -> None:
        if self._queue and not self._queue[0].done():
            self._queue[0].set_result(None)

    def _announce(self, wait: float, account: Account) -> None:
        now = self._clock()
        if wait >= WORTH_TELLING and now >= self._announced:
            self._announced = now + wait
            account.told(f"waiting for the endpoint's limit: {wait:.0f} s")


def tighter(known: Meter | None, limit: int | None) -> Meter | None:
    """The meter of the lower of two limits; what it has counted stays counted."""
    if limit is None or (known is not None and known.limit <= limit):
        return known
    if known is not None:
        known.limit = limit
        return known
    return Meter(limit)
