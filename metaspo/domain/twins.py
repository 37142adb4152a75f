"""The twins of async functions, for code without an event loop and for notebooks that run one."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def blocking(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where this one has a running loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def twin_of(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The same function under its name without the leading "a", for code without an event loop; same parameters and docs."""

    @wraps(function)
    def twin(*args: P.args, **kwargs: P.kwargs) -> T:
        return blocking(function(*args, **kwargs))

    twin.__name__ = twin.__qualname__ = function.__name__.removeprefix("a")
    return twin
