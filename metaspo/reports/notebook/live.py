"""Progress where somebody works in Python: one output of a notebook's cell that changes in place, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ...domain.visible import visible
from ..progress import RunProgress

if TYPE_CHECKING:
    from ...workspace.events import Event

Listens = TypeVar("Listens", bound=Callable[..., None])

EVERY = 0.5
"""Seconds between two changes of what a notebook shows."""

AT_ONCE = ("round_opened", "round_closed", "stage_opened", "noted")
"""The events, few in any run, whose news waits for nothing."""

KEPT = 3
"""Lines told for good, such as one a round, that stay above the one that changes."""

RUNS = 5
"""Of several runs, those that told something last are shown."""


class Live:
    """Takes in the events of a run, or of several by their labels, and shows where they stand.

    In a notebook that is one output, without widgets or scripts, which is changed at most twice a second and has a few
    lines however long a run is; elsewhere lines on standard error, one a round. It is a listener: call it with an event.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self._runs: dict[str, RunProgress] = {}
        self._told: list[str] = []
        self._shell = shell()
        self._handle: Any = None
        self._shown = (0.0, "")

    def __call__(self, *told: Any) -> None:
        """Take in an event, behind the label of its run where there are several."""
        event: Event = told[-1]
        label, now = str(told[0]) if len(told) > 1 else "", time.time()
        run = self._runs.pop(label, None) or RunProgress()
        self._runs[label] = run
        named = [f"{label}: {line}" if label else line for line in run.take(event, now)]
        self._told = [*self._told, *named][-KEPT:]
        if self._shell is None:
            for line in named:
                print(visible(line), file=sys.stderr, flush=True)
        elif event["event"] in AT_ONCE or time.monotonic() - self._shown[0] >= EVERY:
            self._show(now)

    def close(self) -> None:
        """Leave what was told for good; what comes next is shown anew."""
        self._runs.clear()
        if self._handle is not None:
            self._show(time.time())
        self._told, self._handle, self._shown = [], None, (0.0, "")

    def _show(self, now: float) -> None:
        text = visible("\n".join([*self._told, *self._standing(now)]))
        if text == self._shown[1]:
            return
        self._shown = (time.monotonic(), text)
        # Text alone: what a prompt or an endpoint says is never markup for a notebook.
        data = {"text/plain": text}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(data, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(data, raw=True)

    def _standing(self, now: float) -> list[str]:
        """Where the runs at work stand, a line each."""
        at_work = [(label, run) for label, run in self._runs.items() if run.doing()]
        lines = []
        for label, run in at_work[-RUNS:]:
            parts = [part for part in (run.doing(), *run.now(now), *run.left(now)) if part]
            lines.append((f"{label}: " if label else "") + ", ".join(parts))
        rest = len(at_work) - len(lines)
        return [*lines, f"... and {rest} more runs"] if rest else lines


def progress() -> Live:
    """A listener that shows where a run stands: `metaspo.optimize(..., listener=metaspo.progress())`.

    In a notebook every run shows this by itself, unless it is given another listener; elsewhere Python is silent without.
    """
    return Live()


def shell() -> Any:
    """The shell of the notebook that this process works for, None where it works for none."""
    ipython = sys.modules.get("IPython")
    found = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return found if getattr(found, "kernel", None) is not None else None


@contextmanager
def listening(listener: Listens | None) -> Iterator[Listens | None]:
    """Whoever listens to a run; where nobody does, in a notebook what shows its progress, and elsewhere still nobody."""
    shown: Any = listener or (Live() if shell() is not None else None)
    try:
        yield shown
    finally:
        if isinstance(shown, Live):
            shown.close()
