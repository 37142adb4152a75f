"""The twins of async functions, for code without an event loop and for notebooks that run one."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

P = ParamSpec("P")
T = TypeVar("T")

SIGNALS = (signal.SIGINT, signal.SIGTERM)

interrupts: "WeakKeyDictionary[asyncio.AbstractEventLoop, Callable[[], None]]" = WeakKeyDictionary()
"""What a signal means to the work on a loop that cannot catch signals itself, since it is not the main thread's."""


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where this one has a running loop.

    A signal that comes meanwhile reaches the work as it would in this thread.
    """
    running = None
    with suppress(RuntimeError):
        running = asyncio.get_running_loop()
    # Not while that error is handled: every exception inside would have it behind it.
    if running is None:
        return asyncio.run(work)
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def noted() -> T:
        begun.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    def interrupt(*_: object) -> None:
        for loop, task in begun:
            # Work that knows no signals is cancelled.
            told = interrupts.get(loop) or (task.cancel if task else None)
            if told is not None and not loop.is_closed():
                loop.call_soon_threadsafe(told)

    with ThreadPoolExecutor(1) as pool, _signals_to(interrupt):
        try:
            return pool.submit(asyncio.run, noted()).result()
        except CancelledError:
            raise KeyboardInterrupt from None


@contextmanager
def _signals_to(handler: Callable[..., None]) -> Iterator[None]:
    """Have signals handled so for as long as this lasts; in a thread other than the main one they are the host's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)


def twin_of(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The same function under its name without the leading "a", for code without an event loop; same parameters and docs."""

    @wraps(function)
    def twin(*args: P.args, **kwargs: P.kwargs) -> T:
        return blocking(function(*args, **kwargs))

    twin.__name__ = twin.__qualname__ = function.__name__.removeprefix("a")
    return twin
