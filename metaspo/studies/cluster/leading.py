"""The actor that leads a study: the desk that all workers ask, the study's store, and what is told of the runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from ...domain.calls import Usage
from ...domain.errors import Interrupted
from ...models.account import Account
from ...models.budget import Budget
from ...models.sharing.desk import Desk
from ...models.sharing.messages import Reason, Worker
from ...store import runs
from ...store.joining.extract import extract
from ...store.joining.join import join
from .order import worded
from .own_store import own_store, study_of

P = ParamSpec("P")
T = TypeVar("T")

BEGUN = "begun"
"""The event of an attempt that has begun, beside those of the run itself."""

SILENT = "silent"
"""The event of an attempt that says nothing any more."""

LONG = 60.0
"""Seconds without a word from a worker, which has one every few, after which it is taken for lost."""

PAUSE = 5.0
"""Seconds between two looks after which it may have been this process that was stopped."""

OVER = "another attempt at the run has begun"


def _in_words(
    method: "Callable[Concatenate[Leader, P], Awaitable[T]]",
) -> "Callable[Concatenate[Leader, P], Awaitable[T | Reason]]":
    """Have errors come back as plain data: what Ray would raise in their place says that the leader is gone."""

    @wraps(method)
    async def asked(leader: "Leader", /, *args: P.args, **kwargs: P.kwargs) -> T | Reason:
        try:
            return await method(leader, *args, **kwargs)
        except Exception as error:
            return Reason.of(worded(error, "the process that leads the study"))

    return asked


class Leader:
    """One for each study, on the machine of the study's store. Its methods are what drivers and workers ask of it.

    Of the attempts at a run the highest counts, until it is `forgotten`.
    """

    def __init__(self, store: str, budget: Budget, usage: Usage, doubts: Sequence[str]) -> None:
        """Lead the study whose store is at `store`, within a budget of which `usage` is spent."""
        self._account = Account("", budget, usage, doubts={*doubts})
        self._account.told = lambda text: self._told.append(("", {"event": "noted", "text": text}))
        self._store, self._desk = Path(store), Desk(store, self._account)
        self._study = study_of(self._store)
        self._told: list[tuple[str, dict[str, Any]]] = []
        self._attempts: dict[str, int] = {}
        self._nodes: dict[str, str] = {}
        self._rounds: dict[str, int] = {}
        self._heard: dict[Worker, float] = {}
        self._looked = time.monotonic()
        self._ended: Reason | None = None

    @_in_words
    async def open(self, notes: Sequence[str]) -> None:
        """Open the study's store; `notes` are what has been told of its account."""
        self._account.notes += notes
        await self._desk.open()

    async def answer(self, worker: Worker, what: str, args: tuple[Any, ...]) -> Any:
        """What the desk answers a worker."""
        self._heard[worker] = time.monotonic()
        try:
            return await self._desk.answer(worker, what, args)
        finally:
            if what == "leave":
                self._heard.pop(worker, None)

    @_in_words
    async def begin(self, worker: Worker, node: str, id: str) -> None:
        """An attempt has begun on a node. Raises what ended the study."""
        if self._ended is not None:
            raise self._ended.error()
        self._refuse_older(worker)
        self._attempts[worker.run], self._nodes[worker.run] = worker.attempt, node
        self._told.append((worker.run, {"event": BEGUN, "node": node, "id": id}))

    @_in_words
    async def fetch(self, worker: Worker, builds_on: Sequence[str]) -> bytes:
        """A store with a run and all that it builds on, as far as the study's has them; empty where it has nothing."""
        self._refuse_older(worker)
        known = await self._desk.store.run(lambda db: [one for one in (*builds_on, worker.run) if runs.known(db, one)])
        return await asyncio.to_thread(self._extracted, worker.run, known)

    def _extracted(self, run: str, known: Sequence[str]) -> bytes:
        with own_store(self._study, run) as target:
            # With a run come those that it builds on; calls are asked for at the desk.
            for one in [run] if run in known else known:
                extract(self._store, one, target, with_calls=False)
            return target.read_bytes() if known else b""

    @_in_words
    async def are_mine(self, worker: Worker, begun: dict[str, str]) -> bool:
        """Whether runs that were begun then are those that the study's store has."""
        known = await self._desk.store.run(lambda db: {one: runs.known(db, one) for one in begun})
        return all((run := known[one]) is not None and run.created == moment for one, moment in begun.items())

    @_in_words
    async def ship(self, worker: Worker, store: bytes) -> None:
        """Take in a run as its worker has it now."""
        self._refuse_older(worker)
        with own_store(self._study, worker.run) as path:
            await asyncio.to_thread(path.write_bytes, store)
            await self._desk.store.run(lambda db: join(db, path, further=[worker.run], at_work=[worker.run]))

    @_in_words
    async def tell(self, worker: Worker, events: Sequence[dict[str, Any]]) -> None:
        """Take in what happens in a run, for the driver."""
        self._refuse_older(worker)
        self._told += [(worker.run, event) for event in events]
        closed = [event["round"] for event in events if event["event"] == "round_closed"]
        self._rounds[worker.run] = max(closed, default=self._rounds.get(worker.run, -1))

    async def news(self) -> list[tuple[str, dict[str, Any]]]:
        """What was told since this was last asked, with the run that it is about; "" is all of them."""
        self._look()
        told, self._told = self._told, []
        return told

    def _look(self) -> None:
        """Tell of workers that are silent: Ray sees only those that are gone, not those that are stopped."""
        now, before = time.monotonic(), self._looked
        self._looked = now
        for worker, heard in [*self._heard.items()]:
            if now - before > PAUSE:
                self._heard[worker] = now
            elif now - heard > LONG:
                del self._heard[worker]
                self._told.append((worker.run, {"event": SILENT, "attempt": worker.attempt}))

    async def stop(self, reason: Reason) -> list[str]:
        """Let no further call and no further attempt start; the runs that are at work."""
        self._ended = self._ended or reason
        self._desk.stop(reason.error())
        return [run for run in self._nodes]

    async def forget(self, run: str, attempt: int) -> tuple[str, int]:
        """An attempt is over, however that came: nothing that it held is kept for it.

        Returns the node that it was on, "" where it had not begun, and the last round that the run has closed, or -1.
        """
        self._attempts[run] = max(attempt + 1, self._attempts.get(run, 0))
        self._heard = {worker: heard for worker, heard in self._heard.items() if worker.run != run}
        await self._desk.forget(run)
        return self._nodes.pop(run, ""), self._rounds.get(run, -1)

    async def close(self) -> None:
        """Close the study's store."""
        await self._desk.close()

    def _refuse_older(self, worker: Worker) -> None:
        if worker.attempt < self._attempts.get(worker.run, 0):
            raise Interrupted(OVER)
