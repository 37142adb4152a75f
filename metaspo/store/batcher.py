"""Many small jobs, done as few large ones."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Gathers what is submitted while a batch is under way into the next batch.

    Thousands of concurrent callers cost a handful of transactions, a single caller waits for
    nobody. `work` takes a list of items and returns their results in the same order; a result that
    is an exception is raised for its item alone. When `work` raises, everyone in that batch gets the
    error.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        gather: float = 0.0,
        skip_cancelled: bool = False,
    ) -> None:
        """Gather items for `work`.

        Args:
            work: Does a batch.
            gather: Seconds that every batch waits for what comes with its first item.
            skip_cancelled: Leave out items whose caller gave up before their batch began. Without it
                what was handed in is done, whether or not somebody still waits for it.
        """
        self._work = work
        self._gather = gather
        self._skip_cancelled = skip_cancelled
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Hand in one item and wait for its result."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._run())
        return await future

    async def join(self) -> None:
        """Wait until everything that was submitted is done."""
        if self._worker is not None:
            await self._worker

    async def _run(self) -> None:
        while self._waiting:
            if self._gather:
                await asyncio.sleep(self._gather)
            batch, self._waiting = self._waiting, []
            if self._skip_cancelled:
                batch = [(item, future) for item, future in batch if not future.cancelled()]
            if batch:
                await self._do(batch)

    async def _do(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue  # Given up meanwhile.
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
