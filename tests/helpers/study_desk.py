"""A study within one process: a desk, and workers of its own that talk to it through pickle."""

import asyncio
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.registry import Registry
from metaspo.models.sharing.desk import Desk
from metaspo.models.sharing.messages import LineLost, Worker
from metaspo.store import calls
from metaspo.store.calls import Call


class Direct:
    """A line of no length; `slow` is the most that a message takes, `cut` says that nothing comes through any more."""

    def __init__(self, desk: Desk, worker: Worker, slow: float = 0.0) -> None:
        self.desk, self.worker, self.slow = desk, worker, slow
        self.asked: list[str] = []
        self.cut = asyncio.Event()
        self._random = Random(worker.run)

    async def ask(self, what: str, *args: Any) -> Any:
        self.asked.append(what)
        answer = asyncio.create_task(self._answer(what, pickle.dumps(args)))
        cut = asyncio.create_task(self.cut.wait())
        try:
            await asyncio.wait((answer, cut), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise LineLost("cut")
            return pickle.loads(answer.result())
        finally:
            answer.cancel()
            cut.cancel()

    async def _answer(self, what: str, args: bytes) -> bytes:
        await asyncio.sleep(self._random.random() * self.slow)
        found = pickle.dumps(await self.desk.answer(self.worker, what, pickle.loads(args)))
        await asyncio.sleep(self._random.random() * self.slow)
        return found


class Participant:
    """A worker with its store, its run's account and a model."""

    def __init__(self, line: Direct, path: Path) -> None:
        self.line, self.path = line, path
        self.registry, self.account = Registry(), Account(line.worker.run)

    async def open(self, spec: dict[str, Any]) -> "Participant":
        self.parent = self.registry.share(self.line)
        self.store, self.ledger = await self.registry.ledger(self.path)
        self.model = await self.registry.model(ModelSpec.parse(spec))
        self.account.under(self.parent)
        return self

    async def ask(self, text: str) -> Any:
        request = Request((("user", text),), 16, 0.0)
        return (await self.ledger.call(self.model, request, "base", self.account))[1].text

    async def ask_all(self, texts: Sequence[str]) -> list[Any]:
        return await asyncio.gather(*map(self.ask, texts), return_exceptions=True)

    async def close(self) -> None:
        await self.registry.close()


class Study:
    """A desk and its workers; `close` ends them all."""

    def __init__(self, folder: Path, **budget: Any) -> None:
        self.folder = folder
        self.path = folder / "study.db"
        self.account = Account("", Budget.model_validate(budget))
        self.workers: list[Participant] = []

    async def open(self) -> "Study":
        self.desk = await Desk(self.path, self.account).open()
        return self

    async def __aenter__(self) -> "Study":
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def worker(self, run: str, spec: dict[str, Any], attempt: int = 1, slow: float = 0.0) -> Participant:
        line = Direct(self.desk, Worker(run, attempt), slow)
        self.workers.append(Participant(line, self.folder / f"{run}-{attempt}.db"))
        return await self.workers[-1].open(spec)

    async def close(self) -> None:
        for worker in self.workers:
            await worker.close()
        await self.desk.close()


def rows_of(store: Any) -> list[Call]:
    """All calls of an open store, by key."""
    return sorted(calls.since(store.db, 0), key=lambda call: call.key)


async def until(true: Callable[[], object], seconds: float = 150) -> None:
    for _ in range(int(seconds * 100)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")
