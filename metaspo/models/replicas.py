"""Several endpoints of the same model: the least loaded one, and one prompt prefix on one of them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping

from ..domain.calls import Reply, Request
from ..domain.errors import UserError
from ..domain.messages import text_of
from .backend import Backend, tell
from .faults import Fault
from .replica import Replica

STEP, LONGEST = 64, 2048
"""Prefixes are compared every so many characters (about a vLLM block of 16 tokens) up to this length."""
FEW, TIMES = 4, 2
"""A prefix goes to a further replica when its own has this many open, and so many times as many as the idlest: to read it
once more costs less than a replica without work, and of what is tried in `benchmarks/replicas.py` that is the fastest."""
REMEMBERED = 50_000
"""Prefixes whose replicas are remembered."""

Look = Callable[[str], Awaitable[bool]]
"""Whether a server answers at an address and serves the model."""


class Replicas:
    """Sends each request to one of several backends.

    A request goes where the longest known part of its beginning went before, so that a replica's
    prefix cache is used, unless others have little to do: a single prefix must not leave them without
    work. What is new goes to the idlest. A replica that fails rests, and its requests go to the others at once;
    when it is back is found out by looking, and not by requests that would hang.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        timeout: float,
        is_up: Callable[[str], Awaitable[bool]],
        silent: Collection[str] = (),
    ) -> None:
        """Share requests among backends by address; one that is given up after `timeout` seconds counts as a failure.

        `is_up` says whether an address serves the model now; those in `silent` did not at first.
        """
        self._replicas = [Replica(address, backend) for address, backend in backends.items()]
        self._timeout, self._is_up = timeout, is_up
        self._homes: OrderedDict[int, set[int]] = OrderedDict()
        self._looks: set[asyncio.Task[None]] = set()
        for replica in self._replicas:
            if replica.address in silent:
                replica.failed("no answer", time.monotonic())

    async def complete(self, request: Request) -> Reply:
        """Send one request, to the next replica if one fails; raises the Fault that says most when all do."""
        prefixes = prefixes_of(request)
        self._look_after_those_that_failed()
        faults: dict[int, Fault] = {}
        while (at := self._choose(prefixes, faults)) is not None:
            try:
                reply = await self._ask(self._replicas[at], request)
            except Fault as fault:
                if not _of_the_replica(fault):
                    raise
                faults[at] = fault
                self._replicas[at].failed(fault.message, time.monotonic())
            else:
                self._tell()
                return reply
        for at, why in faults.items():
            if not why.unsent:
                # What fails wherever it gets may be the request's own fault.
                self._replicas[at].excused()
        raise min(reversed(faults.values()), key=lambda why: why.unsent)

    async def close(self) -> None:
        """Close all connections."""
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)
        await asyncio.gather(*(replica.backend.close() for replica in self._replicas))

    async def _ask(self, replica: Replica, request: Request) -> Reply:
        started = time.monotonic()
        replica.open += 1
        replica.served += 1
        try:
            reply = await replica.backend.complete(request)
        except asyncio.CancelledError:
            # Given up by the ledger for want of a reply: one that hangs must not look like an idle one.
            if time.monotonic() - started > 0.9 * self._timeout:
                replica.failed(f"no reply in {self._timeout:g} s", time.monotonic())
            raise
        finally:
            replica.open -= 1
        replica.answered(started)
        return reply

    def _tell(self) -> None:
        """Say which replicas have failed: to each run once, and only where another one answers."""
        for replica in self._replicas:
            if replica.failures:
                tell(replica.said)

    def _look_after_those_that_failed(self) -> None:
        for replica in self._replicas:
            if replica.wants_a_look(time.monotonic()):
                replica.is_looked_at = True
                look = asyncio.create_task(self._look(replica))
                self._looks.add(look)
                look.add_done_callback(self._looks.discard)

    async def _look(self, replica: Replica) -> None:
        try:
            replica.is_back = await self._is_up(replica.address)
        except (Fault, UserError):
            replica.is_back = False
        finally:
            replica.is_looked_at = False
        if not replica.is_back:
            replica.failed("no answer", time.monotonic())

    def _choose(self, prefixes: list[int], tried: Collection[int]) -> int | None:
        """Where a request goes next; None when nobody is left."""
        now = time.monotonic()
        left = [at for at in range(len(self._replicas)) if at not in tried]
        available = [at for at in left if self._replicas[at].may_be_asked(now)]
        if not available:
            if tried and all(self._replicas[at].failures for at in left):
                return None
            # Nobody is sound: the one that may be back first.
            available = [min(left, key=lambda at: self._replicas[at].rests_until)]
        idlest = min(available, key=self._load)
        chosen = idlest
        for prefix in reversed(prefixes):
            homes = [at for at in self._homes.get(prefix, ()) if at in available]
            if homes:
                home = min(homes, key=self._load)
                if self._replicas[home].open < FEW + TIMES * self._replicas[idlest].open:
                    chosen = home
                break
        self._remember(prefixes, chosen)
        return chosen

    def _load(self, at: int) -> tuple[int, int]:
        return self._replicas[at].open, self._replicas[at].served

    def _remember(self, prefixes: list[int], at: int) -> None:
        for prefix in prefixes:
            self._homes.setdefault(prefix, set()).add(at)
            self._homes.move_to_end(prefix)
        while len(self._homes) > REMEMBERED:
            self._homes.popitem(last=False)


def _of_the_replica(fault: Fault) -> bool:
    """Whether a fault may be one replica's alone: what is passing, or a server that serves another model or nobody by now.

    429 is a healthy endpoint's word for slower, and the ledger's to obey.
    """
    return fault.for_all if fault.kind == "refused" else fault.kind == "transient" and not fault.message.startswith("HTTP 429")


def prefixes_of(request: Request) -> list[int]:
    """Hashes of ever longer beginnings of a request, the shortest first."""
    text = "\x1e".join(f"{role}\x1f{text_of(content)}" for role, content in request.messages)[:LONGEST]
    return [hash(text[:end]) for end in range(STEP, len(text) + 1, STEP)] or [hash(text)]
