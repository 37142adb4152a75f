"""One of several endpoints of the same model: what it has open, and whether it may be asked."""

from dataclasses import dataclass

from .backend import Backend

COOLDOWN, LONGEST = 10.0, 60.0
"""Seconds for which a replica that failed gets no requests: the first, doubled with each further failure, and the longest."""


@dataclass(eq=False)
class Replica:
    """Once it has failed it rests, is looked at, and then gets a single request before it counts as sound again.

    Times are seconds of a monotonic clock. `said` is what a person is told of its first failure.
    """

    address: str
    backend: Backend
    open: int = 0
    served: int = 0
    failures: int = 0
    failed_at: float = 0.0
    rests_until: float = 0.0
    is_back: bool = True
    is_looked_at: bool = False
    said: str = ""

    def may_be_asked(self, now: float) -> bool:
        """Whether it is sound, or back and has nothing open: one request, and not half of all, finds out what it is worth."""
        return not self.failures or (self.is_back and now >= self.rests_until and not self.open)

    def wants_a_look(self, now: float) -> bool:
        """Whether it has rested long enough to find out if it is back."""
        return bool(self.failures) and now >= self.rests_until and not (self.is_back or self.is_looked_at)

    def failed(self, why: str, now: float) -> None:
        """It gave no reply. What else it had open when it began to rest fails with it, and makes the rest no longer."""
        self.said = self.said or f"{self.address} failed ({why}): its requests go to the other servers until it is back"
        if not self.failures or now >= self.rests_until:
            self.failures += 1
            self.failed_at = now
            self.rests_until = now + min(LONGEST, COOLDOWN * 2.0 ** (self.failures - 1))
            self.is_back = False

    def answered(self, started: float) -> None:
        """It answered a request that began at `started`; one from before it failed says nothing of how it is since."""
        if started >= self.failed_at:
            self.excused()

    def excused(self) -> None:
        """It is sound after all: what failed may have been the request's own fault."""
        self.failures, self.rests_until, self.is_back = 0, 0.0, True
