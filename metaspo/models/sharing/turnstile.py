"""When requests of all workers may go out, within the limits a minute of their models."""

import asyncio
import time
from dataclasses import dataclass, field

from ..account import Account
from ..meters import WINDOW, Meter, Sent
from ..pacing import LOOK, tighter
from .messages import TurnWish


@dataclass(eq=False)
class Turnstile:
    """One pace: whoever came first goes first."""

    requests: Meter | None = None
    tokens: Meter | None = None
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    sent: dict[int, Sent] = field(default_factory=dict)

    def limit(self, wish: TurnWish) -> None:
        """Keep to what a spec sets; of several that share a pace, the lowest number stands."""
        self.requests, self.tokens = tighter(self.requests, wish.requests), tighter(self.tokens, wish.tokens)

    def wait(self, amount: float) -> float:
        """Seconds until a request of so many tokens may go out."""
        now = time.monotonic()
        waits = [meter.wait(now, of) for meter, of in ((self.requests, 1.0), (self.tokens, amount)) if meter]
        return max(waits, default=0.0)

    def send(self, number: int, amount: float) -> None:
        """It goes out."""
        now = time.monotonic()
        if self.requests is not None:
            self.requests.send(now, 1.0)
        if self.tokens is not None:
            self.sent[number] = self.tokens.send(now, amount)
        for old in [one for one, sent in self.sent.items() if sent.at < now - WINDOW]:
            del self.sent[old]


class Turnstiles:
    """Those of a study, by the endpoint, the key and the model that a limit is for."""

    def __init__(self, account: Account) -> None:
        """Nothing has gone out; nobody waits any more when `account` was stopped."""
        self._account = account
        self._by_pace: dict[str, Turnstile] = {}
        self._count = 0

    async def turn(self, wish: TurnWish) -> list[int]:
        """Wait until the first of some requests may go out; the numbers of those that may. Raises what ended the study."""
        here = self._by_pace.setdefault(wish.pace, Turnstile())
        here.limit(wish)
        async with here.line:
            while self._account.stopped is None and (wait := here.wait(wish.amounts[0])):
                await self._account.sleep(min(wait, LOOK))
            if self._account.stopped is not None:
                raise self._account.stopped
            numbers: list[int] = []
            for amount in wish.amounts:
                if here.wait(amount):
                    break
                self._count += 1
                here.send(self._count, amount)
                numbers.append(self._count)
            return numbers

    def took(self, pace: str, number: int, tokens: int) -> None:
        """How many tokens a request took indeed."""
        here = self._by_pace.get(pace)
        sent = here.sent.pop(number, None) if here is not None else None
        if here is not None and here.tokens is not None and sent is not None:
            here.tokens.correct(time.monotonic(), sent, tokens)
