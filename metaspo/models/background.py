"""The event loop of callers that have none: in a thread of its own, for as long as somebody uses it."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, TypeVar

from ..domain.errors import ConfigError
from .registry import registry

T = TypeVar("T")


class Background:
    """An event loop in a thread of its own; what is opened there stays open until the loop is left."""

    def __init__(self) -> None:
        """Start the loop."""
        self._at_work: set[asyncio.Task[Any]] = set()
        self._interrupted = False
        begun = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._lasting(begun)), name="metaspo", daemon=True)
        self.thread.start()
        begun.wait()

    async def _lasting(self, begun: threading.Event) -> None:
        self._loop, self._left = asyncio.get_running_loop(), asyncio.Event()
        async with registry().used():
            begun.set()
            await self._left.wait()

    def leave(self) -> None:
        """Close what is open in the loop, runs first, and end it."""
        self._loop.call_soon_threadsafe(self._left.set)
        self.thread.join()

    def wait_for(self, work: Coroutine[Any, Any, T], context: Context) -> T:
        """What a coroutine returns that runs in the loop, with the context variables of whoever waits."""
        found: Future[T] = Future()

        def ended(task: "asyncio.Task[T]") -> None:
            self._at_work.discard(task)
            if task.cancelled():
                found.cancel()
            elif error := task.exception():
                found.set_exception(error)
            else:
                found.set_result(task.result())

        def begin() -> None:
            task = self._loop.create_task(work)
            self._at_work.add(task)
            task.add_done_callback(ended)

        # What is called in the loop later has the variables of this moment.
        context.run(self._loop.call_soon_threadsafe, begin)
        try:
            return found.result()
        except CancelledError:
            raise KeyboardInterrupt from None

    def _cancel(self) -> None:
        for task in [*self._at_work]:
            task.cancel()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Have Ctrl-C cancel what runs in the loop; else the threads that wait for it would keep it to its end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def cancel(*_: object) -> None:
            self._interrupted = True
            self._loop.call_soon_threadsafe(self._cancel)

        before = signal.signal(signal.SIGINT, cancel)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
            interrupted, self._interrupted = self._interrupted, False
            if interrupted:
                raise KeyboardInterrupt


_lock = threading.Lock()
_running: Background | None = None
_users = 0


@contextmanager
def background() -> Iterator[Background]:
    """The background loop of this process; it ends with the last who uses it.

    Raises ConfigError in the loop itself, where waiting for it would never end.
    """
    global _running, _users
    with _lock:
        if _running is None:
            _running = Background()
        found = _running
        if threading.current_thread() is found.thread:
            raise ConfigError("a graph of metaspo calls itself without await: in async code, write await graph.ainvoke(...)")
        _users += 1
    try:
        yield found
    finally:
        with _lock:
            _users -= 1
            last = not _users
            if last:
                _running = None
        if last:
            found.leave()


def in_background(function: Callable[..., Coroutine[Any, Any, T]], *given: Any, context: Context | None = None) -> T:
    """Run an async function in the background loop to its end."""
    with background() as loop:
        return loop.wait_for(function(*given), context or copy_context())


class Opened:
    """What graphs open stays open inside, and is closed at the end; for code with and without an event loop."""

    async def __aenter__(self) -> None:
        self._used = registry().used()
        await self._used.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._used.__aexit__(kind, error, trace)

    def __enter__(self) -> None:
        self._held = background()
        self._held.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._held.__exit__(kind, error, trace)


def opened() -> Opened:
    """Around graphs that you invoke yourself: what they open (stores, connections, local models) is closed at the end.

    `async with` for ainvoke and astream, `with` for invoke and stream, where it keeps open what each call would
    close at its end. `optimize` and `resume` do this on their own, and a server keeps things open as long as it lives.
    """
    return Opened()
