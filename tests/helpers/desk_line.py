"""A desk behind a unix socket, and the line to it: frames of pickle between our own processes.

    python -m tests.helpers.desk_line '{"socket": ..., "store": ..., "budget": {...}}'

leads a study until its standard input is closed; a line there is done: `stop`, `forget RUN`, or nothing, and answered with
the totals of its account.
"""

import asyncio
import json
import pickle
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.sharing.desk import Desk
from metaspo.models.sharing.messages import LineLost, Worker

HEAD = struct.Struct("!I")


async def frame(reader: asyncio.StreamReader) -> Any:
    (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
    return pickle.loads(await reader.readexactly(length))


def framed(data: Any) -> bytes:
    packed = pickle.dumps(data, protocol=5)
    return HEAD.pack(len(packed)) + packed


class Served:
    """A desk for whoever comes to a unix socket."""

    def __init__(self, desk: Desk, path: Path) -> None:
        self.desk, self.path = desk, path
        self.asked: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> "Served":
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def close(self) -> None:
        self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._start(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                number, worker, what, args = await frame(reader)
                self.asked.append(what)
                self._start(self._answer(writer, number, self.desk.answer(worker, what, args)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # That the worker is gone, whoever started it says.
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, number: int, answer: Awaitable[Any]) -> None:
        found = framed((number, await answer))
        if not writer.is_closing():
            writer.write(found)

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class SocketLine:
    """A worker's line to it."""

    def __init__(self, path: Path | str, worker: Worker) -> None:
        self._path, self._worker = path, worker
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._count = 0
        self._writer: asyncio.StreamWriter | None = None
        self._opening = asyncio.Lock()
        self._lost = False

    async def ask(self, what: str, *args: Any) -> Any:
        async with self._opening:
            if self._writer is None and not self._lost:
                try:
                    reader, self._writer = await asyncio.open_unix_connection(self._path)
                except OSError as error:
                    raise LineLost(str(error)) from error
                self._reading = asyncio.create_task(self._read(reader))
        if self._lost or self._writer is None:
            raise LineLost
        self._count += 1
        number = self._count
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._writer.write(framed((number, self._worker, what, args)))
        try:
            return await self._waiting[number]
        finally:
            self._waiting.pop(number, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                number, found = await frame(reader)
                if (waiting := self._waiting.get(number)) is not None and not waiting.done():
                    waiting.set_result(found)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._lost = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(LineLost())

    async def close(self) -> None:
        if self._writer is not None:
            self._reading.cancel()
            self._writer.close()


async def lead(job: dict[str, Any], line: Callable[[], Awaitable[str]]) -> None:
    account = Account("", Budget.model_validate(job.get("budget", {})))
    desk = await Desk(job["store"], account).open()
    served = await Served(desk, Path(job["socket"])).open()
    print("ready", flush=True)
    while said := (await line()).split():
        if said[0] == "stop":
            desk.stop()
        elif said[0] == "forget":
            await desk.forget(said[1])
        print(
            json.dumps({"paid": account.usage.total_calls, "reserved": account.reserved, "why": str(account.stopped)}),
            flush=True,
        )
    await served.close()
    await desk.close()


if __name__ == "__main__":
    asyncio.run(lead(json.loads(sys.argv[1]), lambda: asyncio.to_thread(sys.stdin.readline)))
