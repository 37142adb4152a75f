"""What a desk knows of one worker: what it has of all that is shared, and what it has not been told yet."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...domain.errors import RunHeldError
from .messages import Worker

LONGEST = 2.0
"""Seconds that a worker waits for news at most before it is told that there are none: so both know that the line holds."""


@dataclass(eq=False)
class Seat:
    """One worker at the desk; `reserved` are its calls in flight by role, `claimed` those it asks."""

    worker: Worker
    reserved: Counter[str] = field(default_factory=Counter)
    claimed: set[str] = field(default_factory=set)
    granted: dict[str, int] = field(default_factory=dict)
    contended: dict[str, bool] = field(default_factory=dict)
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def grant(self, endpoint: str) -> None:
        """One slot more is the worker's."""
        self.granted[endpoint] = self.granted.get(endpoint, 0) + 1
        self.changed.set()

    def contend(self, endpoint: str, contended: bool) -> None:
        """Whether others wait for the slots of an endpoint."""
        if self.contended.get(endpoint, False) != contended:
            self.contended[endpoint] = contended
            self.changed.set()

    def leave(self) -> None:
        """Nothing is the worker's any more; whatever it still waits for ends."""
        self.gone = True
        self.changed.set()


class Seats:
    """The workers of a study. Of the attempts at a run the highest counts, and none that is over."""

    def __init__(self) -> None:
        """Nobody is there."""
        self._seats: dict[str, Seat] = {}
        self._over: dict[str, int] = {}

    def __iter__(self) -> Iterator[Seat]:
        """Those who are there."""
        return iter([*self._seats.values()])

    def of(self, worker: Worker) -> tuple[Seat, Seat | None]:
        """The seat of a worker, and the one that it takes the place of. Raises RunHeldError where another attempt counts."""
        known = self._seats.get(worker.run)
        if worker.attempt <= self._over.get(worker.run, -1) or (known and worker.attempt < known.worker.attempt):
            raise RunHeldError(
                f"run {worker.run} was given to another worker, since this one, attempt {worker.attempt}, was taken for lost"
            )
        if known is not None and known.worker == worker:
            return known, None
        self._seats[worker.run] = Seat(worker)
        return self._seats[worker.run], known

    def drop(self, run: str, attempt: int | None = None, *, over: bool) -> Seat | None:
        """Take the seat from a run's worker, unless it is at a higher attempt; one that is `over` never comes back."""
        seat = self._seats.get(run)
        if seat is None or (attempt is not None and seat.worker.attempt > attempt):
            return None
        if over:
            self._over[run] = seat.worker.attempt
        return self._seats.pop(run)
