"""Whose fault it is that a request got no reply: this one example's, or the whole run's.

No list of words can tell. What tells is what becomes of other requests under the same setting: a refusal is the
example's when another one is answered, and the run's when none is.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from ..domain.calls import Request
from ..domain.messages import Message, image_urls, message_of
from .faults import Fault

FIRST = 3
"""Refusals in a row that are believed to be their examples', if an answer came shortly before; and the most of
them, when there was never an answer, until all are known to be refused."""

RECENT = 60.0
"""Seconds for which an answer says that the endpoint works."""

IN_A_ROW = 16
"""Refusals in a row after which others at work are not waited for."""

GREETING: tuple[Message, ...] = (("user", "Hello"),)

WHITE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAAAAACPAi4CAAAAKUlEQVR4nO3MQREAAAwCIPuX1hD77SAA6VEEAoFAIBAIBAKB"
    "QCAQfA8Gpwvw4pr3blgAAAAASUVORK5CYII="
)
_WHITE_PART = {"type": "image_url", "image_url": {"url": WHITE}}
PICTURED = (message_of({"role": "user", "content": [{"type": "text", "text": "Hello"}, _WHITE_PART]}),)
"""The same with a white square of 64 by 64: a model that sees nothing refuses it like any other image."""


@dataclass(eq=False)
class Setting:
    """What is known of requests that differ in their messages only, of which all show images or none does.

    Times are seconds of a monotonic clock.
    """

    connection: "Evidence"
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    answers: int = 0
    failures: int = 0
    refused: int = 0
    """In a row, since the last answer."""
    _answered_at: float = -math.inf
    _began: float = -math.inf
    _denied: float = -math.inf
    _at_work: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def answered(self, started: float) -> None:
        """A request that began at `started` was answered."""
        self.answers += 1
        self.refused = 0
        self._answered_at = time.monotonic()
        self._began = max(self._began, started)
        self._tell()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Around everything that becomes of a request."""
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._tell()

    async def refused_alone(self, fault: Fault, witness: Callable[[], Awaitable[bool]]) -> bool:
        """Whether a refusal is this one request's own; `witness` asks another one and says whether it was answered."""
        moment = time.monotonic()
        self.refused += 1
        self._tell()
        if not self.answers and (fault.for_all or (self.refused >= FIRST and not self.connection.proven)):
            return False
        if not fault.for_all and self.refused < FIRST and moment - self._answered_at < RECENT:
            return True
        patient = not fault.for_all and self.refused < IN_A_ROW
        return await self.answers_since(moment, witness, patient=patient)

    async def answers_since(self, moment: float, witness: Callable[[], Awaitable[bool]], *, patient: bool = True) -> bool:
        """Whether a request that began after `moment` is answered: one of those at work, or else the witness."""
        self._at_work -= 1
        self._tell()
        try:
            while patient and self._began <= moment and self._at_work and (self.answers or self.refused < FIRST):
                await self._news.wait()
        finally:
            self._at_work += 1
        async with self._asking:
            if self._began > moment or self._denied > moment:
                return self._began > moment
            asked = time.monotonic()
            found = await witness()
            self._denied = self._denied if found else asked
            return found

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Evidence:
    """What one connection has answered, by setting."""

    def __init__(self) -> None:
        """Nothing has been asked yet."""
        self.lock = asyncio.Lock()
        self._messages = GREETING
        self._proven = False
        self._settings: dict[Any, Setting] = {}

    @property
    def proven(self) -> bool:
        """Whether it has answered anything."""
        return self._proven

    def under(self, request: Request) -> Setting:
        """What is known of requests like this one."""
        shows = bool(image_urls(request.messages))
        setting = request.role, request.max_tokens, request.temperature, request.constraint is not None, shows
        if setting not in self._settings:
            self._settings[setting] = Setting(self)
        return self._settings[setting]

    def turn(self, request: Request) -> asyncio.Lock:
        """Held by whoever asks first: of the connection, and then of the setting."""
        return self.lock if not self.proven else self.under(request).lock

    def answered(self, request: Request, started: float) -> None:
        """A request that began at `started` was answered."""
        self._proven = True
        if not image_urls(request.messages):
            self._messages = request.messages
        self.under(request).answered(started)

    def witness(self, request: Request) -> Request:
        """A request like this one that nothing speaks against: with messages that were answered before, if there are any."""
        messages = PICTURED if image_urls(request.messages) else self._messages
        return replace(request, messages=messages, sample=f"witness {uuid4()}")
