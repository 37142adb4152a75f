"""Tracking: what a run tells MLflow while it is at work, on a thread of its own, so that it costs the run nothing."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ...domain.excerpts import excerpt
from ...domain.redaction import redact
from .mlflow_runs import MLflowRun, Told, TrackedRun

MOST = 1000
"""Rounds that wait for a server; older ones are left out then."""

PATIENCE = 2.0
"""Seconds that all runs of this process together wait at their ends for a server that is slow or gone."""

SHORTEST = 0.1
"""Seconds that each waits however many before it have waited in vain."""

AGAIN = 5.0
"""Seconds before a server that failed is tried again."""

_left = PATIENCE
_lock = threading.Lock()


class Tracker:
    """Tells MLflow of one run. Nothing here raises, and nothing waits but `close`."""

    def __init__(self, tracked: TrackedRun, note: Callable[[str], None]) -> None:
        """Begin; `note` takes a sentence on what is wrong, at most one, and is called from the loop that runs now."""
        self._tracked, self._note = tracked, note
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Told] = deque(maxlen=MOST)
        self._some = threading.Condition()
        self._closing = self._failed = False
        self._replies: dict[int, tuple[int, int]] = {}
        self._noted = False
        self._thread = threading.Thread(target=self._work, name=f"mlflow {tracked.run[:8]}", daemon=True)
        self._thread.start()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take an event of the run; its figures go out when the round ends."""
        if event["event"] == "scored":
            unparsed, examples = self._replies.get(event["round"], (0, 0))
            self._replies[event["round"]] = (unparsed + event["unparsed"], examples + event["examples"])
        elif event["event"] == "round_closed":
            unparsed, examples = self._replies.pop(event["round"], (0, 0))
            spent = event["spent"]
            score = f"{event['level']}_score" if event["level"] in ("confirm", "test") else "score"
            figures = {
                score: event["score"],
                "calls": spent["calls"],
                "accepted": event["accepted"],
                "dropped": event["dropped"],
            }
            figures |= {"cost": spent["cost"]} if spent["cost"] is not None else {}
            figures |= {"unparsed": unparsed / examples} if examples else {}
            self._put(Told({name: float(value) for name, value in figures.items()}, event["round"]))

    async def close(self, told: Told) -> None:
        """Tell how the run ends, and wait for that no longer than this process has patience."""
        global _left
        if self._closing:
            return
        self.leave(told)
        began = time.monotonic()
        await asyncio.to_thread(self._thread.join, _left)
        if self._thread.is_alive():
            self._say("no answer in time")
        well = not self._thread.is_alive() and not self._failed
        with _lock:
            _left = PATIENCE if well else max(SHORTEST, _left - (time.monotonic() - began))

    def leave(self, told: Told) -> None:
        """Tell how the run ends, without waiting."""
        if not self._closing:
            self._put(told, closing=True)

    def _put(self, told: Told, *, closing: bool = False) -> None:
        with self._some:
            self._waiting.append(told)
            self._closing = self._closing or closing
            self._some.notify()

    def _work(self) -> None:
        made: MLflowRun | None = None
        while True:
            told = self._next()
            try:
                made = made or MLflowRun(self._tracked)
                made.tell(told)
                self._failed = False
            except Exception as error:
                self._failed = True
                self._say(f"{type(error).__name__}: {excerpt(redact(str(error)), 200)}")
                with self._some:
                    # To a full deque `extendleft` would do the reverse: leave out what is new.
                    self._waiting = deque([*told, *self._waiting], maxlen=MOST)
                    if self._closing:
                        return
                    self._some.wait(AGAIN)
                continue
            with self._some:
                if self._closing and not self._waiting:
                    return

    def _next(self) -> list[Told]:
        """What waits to be told; nothing at first, so that the run is there at once."""
        with self._some:
            while not self._waiting and self._begun:
                self._some.wait()
            self._begun = True
            told = [*self._waiting]
            self._waiting.clear()
            return told

    _begun = False

    def _say(self, why: str) -> None:
        if self._noted:
            return
        self._noted = True
        text = "MLflow could not be told of the run" + (f" ({why})" if why else "") + "; the run itself goes on without it"
        try:
            self._loop.call_soon_threadsafe(self._note, text)
        except RuntimeError:
            pass  # The loop has ended, and nobody listens any more.
