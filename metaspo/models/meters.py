"""How much may go out now: of a limit a minute that was set, and of what an endpoint says is left. Times are seconds."""

import math
from collections import deque
from dataclasses import dataclass

from .rate_headers import Left

WINDOW = 61.0
"""Seconds in which no more than a limit goes out: a minute, and one, since one request travels longer than another."""

BURST = 0.1
"""The share of a minute's limit that may go out at once; what is more goes out evenly."""

TICK = 1e-6
"""Seconds that make no difference: sums of clock times are not exact."""

SOON = 0.25
"""Seconds until a look again where nobody knows when there will be more."""


@dataclass(eq=False, slots=True)
class Sent:
    """An amount that went out, and when."""

    at: float
    amount: float


class Meter:
    """A limit a minute: never more than `limit` in any window, and evenly beyond a small burst.

    Even sending alone would cost its burst of every minute, the window alone would send all at once.
    """

    def __init__(self, limit: float) -> None:
        """Nothing has gone out."""
        self.limit = limit
        self._sent: deque[Sent] = deque()
        self._total = 0.0
        self._due = -math.inf

    def wait(self, now: float, amount: float) -> float:
        """Seconds until `amount` may go out; 0 is now. More than the whole limit may go out where nothing else does."""
        while self._sent and self._sent[0].at <= now - WINDOW + TICK:
            self._total -= self._sent.popleft().amount
        amount = min(amount, self.limit)
        over, until = self._total + amount - self.limit, now
        for sent in self._sent if over > 0 else ():
            over, until = over - sent.amount, sent.at + WINDOW
            if over <= 0:
                break
        took = amount * WINDOW / self.limit
        wait = max(until - now, self._due - now + took - max(BURST * WINDOW, took))
        return wait if wait > TICK else 0.0

    def send(self, now: float, amount: float) -> Sent:
        """Count what goes out now."""
        sent = Sent(now, min(amount, self.limit))
        self._sent.append(sent)
        self._total += sent.amount
        self._due = max(self._due, now) + sent.amount * WINDOW / self.limit
        return sent

    def correct(self, now: float, sent: Sent, amount: float) -> None:
        """What went out was another amount than it was taken for."""
        if sent.at > now - WINDOW + TICK:
            self._total += amount - sent.amount
            self._due += (amount - sent.amount) * WINDOW / self.limit
            sent.amount = amount


class Told:
    """What is left of a limit that an endpoint tells of. Without news, nothing of it is used beyond what it told.

    Its count may leave out whatever was under way between a request and its reply: so much less is taken to be left.
    Waiting until a reset costs nothing where the limit fills up all the time: it is full then.
    """

    def __init__(self) -> None:
        """Nothing is known."""
        self._most = 1.0
        self._left = math.inf
        self._reset: float | None = None

    def hear(self, now: float, told: Left, under_way: float) -> None:
        """What a reply told, and how much else was under way that it may not have counted."""
        self._most = told.limit or max(self._most, told.remaining + 1)
        self._left = told.remaining - under_way
        self._reset = None if told.reset is None else now + told.reset

    def wait(self, now: float, amount: float, under_way: float) -> float:
        """Seconds until `amount` may go out, as far as is known."""
        if self._reset is not None and now >= self._reset:
            self._left, self._reset = self._most - under_way, None
        if self._left >= min(amount, self._most):
            return 0.0
        if self._reset is not None:
            return self._reset - now
        # Nobody said until when: the next reply does, or else the endpoint's answer to one more request.
        return SOON if under_way else 0.0

    def send(self, amount: float) -> None:
        """Count what goes out."""
        self._left -= amount
