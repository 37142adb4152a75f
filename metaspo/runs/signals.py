"""Ctrl-C and SIGTERM for everything that works on an event loop, be it one run or a study of many."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from ..domain.twins import SIGNALS, interrupts

Stop = Callable[[], None]


@dataclass
class _Watch:
    stops: list[tuple[Stop, Stop]] = field(default_factory=list)
    caught: list[int] = field(default_factory=list)
    pressed: bool = False

    def press(self) -> None:
        again, self.pressed = self.pressed, True
        for drain, abort in list(self.stops):
            abort() if again else drain()


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch]" = WeakKeyDictionary()


@asynccontextmanager
async def stopped_by_signals(drain: Stop, abort: Stop) -> AsyncIterator[None]:
    """Call `drain` on the first signal, so that calls in flight finish, and `abort` on the second."""
    loop = asyncio.get_running_loop()
    watch = _watches.setdefault(loop, _Watch())
    if not watch.stops:
        watch.pressed = False
        interrupts[loop] = watch.press
        for number in SIGNALS:
            # Not in a thread other than the main one, and not on Windows: there the host decides.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, watch.press)
                watch.caught.append(number)
    own = (drain, abort)
    watch.stops.append(own)
    try:
        yield
    finally:
        watch.stops.remove(own)
        if not watch.stops:
            interrupts.pop(loop, None)
            while watch.caught:
                loop.remove_signal_handler(watch.caught.pop())
