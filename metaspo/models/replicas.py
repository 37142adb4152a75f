"""Several endpoints of the same model: the least loaded one, and one prompt prefix on one of them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.calls import Reply, Request
from ..domain.messages import text_of
from .backend import Backend
from .faults import Fault

STEP, LONGEST = 64, 2048
"""Prefixes are compared every so many characters (about a vLLM block of 16 tokens) up to this length."""
ROOM = 32
"""Requests that a replica may have open beyond the idlest one's before a prefix goes elsewhere as well: so many
sequences at once cost a GPU little more than one."""
REMEMBERED = 50_000
"""Prefixes whose replica is remembered."""
COOLDOWN = 10.0
"""Seconds for which a replica that failed gets no requests."""


@dataclass(eq=False)
class _Replica:
    backend: Backend
    open: int = 0
    served: int = 0
    cooldown_until: float = 0.0


class Replicas:
    """Sends each request to one of several backends.

    A request goes where the longest known part of its beginning went before, so that a replica's
    prefix cache is used, unless that replica has `ROOM` more open than the idlest: a single prefix
    must not leave the others without work. What is new goes to the idlest. A replica that fails
    cools down for `COOLDOWN` seconds; its requests go to the others at once.
    """

    def __init__(self, backends: Sequence[Backend], timeout: float) -> None:
        """Share requests among `backends`; one that is given up after `timeout` seconds counts as a failure."""
        self._replicas = [_Replica(backend) for backend in backends]
        self._timeout = timeout
        self._homes: OrderedDict[int, set[int]] = OrderedDict()

    async def complete(self, request: Request) -> Reply:
        """Send one request, to the next replica if one fails; raises the last Fault when all do."""
        prefixes = prefixes_of(request)
        tried: set[int] = set()
        while True:
            at = self._choose(prefixes, tried)
            replica = self._replicas[at]
            started = time.monotonic()
            replica.open += 1
            replica.served += 1
            try:
                return await replica.backend.complete(request)
            except Fault as fault:
                # 429 is a healthy endpoint's word for slower, and the ledger's to obey.
                if fault.kind != "transient" or fault.message.startswith("HTTP 429"):
                    raise
                replica.cooldown_until = time.monotonic() + COOLDOWN
                tried.add(at)
                if len(tried) == len(self._replicas):
                    if not fault.unsent:
                        # What fails everywhere may be the request's own fault.
                        for one in self._replicas:
                            one.cooldown_until = 0.0
                    raise
            except asyncio.CancelledError:
                # Given up by the ledger for want of a reply: one that hangs must not look like an idle one.
                if time.monotonic() - started > 0.9 * self._timeout:
                    replica.cooldown_until = time.monotonic() + COOLDOWN
                raise
            finally:
                replica.open -= 1

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(replica.backend.close() for replica in self._replicas))

    def _choose(self, prefixes: list[int], tried: set[int]) -> int:
        now = time.monotonic()
        left = [at for at in range(len(self._replicas)) if at not in tried]
        available = [at for at in left if self._replicas[at].cooldown_until <= now]
        # All cooling down: the one that may be back first.
        available = available or [min(left, key=lambda at: self._replicas[at].cooldown_until)]
        idlest = min(available, key=self._load)
        chosen = idlest
        for prefix in reversed(prefixes):
            homes = [at for at in self._homes.get(prefix, ()) if at in available]
            if homes:
                home = min(homes, key=self._load)
                if self._replicas[home].open < ROOM + self._replicas[idlest].open:
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


def prefixes_of(request: Request) -> list[int]:
    """Hashes of ever longer beginnings of a request, the shortest first."""
    text = "\x1e".join(f"{role}\x1f{text_of(content)}" for role, content in request.messages)[:LONGEST]
    return [hash(text[:end]) for end in range(STEP, len(text) + 1, STEP)] or [hash(text)]
