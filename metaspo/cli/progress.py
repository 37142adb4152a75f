"""Live progress from the graph's events: a few lines that change in a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from ..reports.progress import RunProgress
from .screen import Aside, flowed, plain

if TYPE_CHECKING:
    from ..workspace.events import Event

BAR = 40
"""Cells of the bar, at most."""


class Progress:
    """Feeds on events; shows round, stage, best score, unparsed share, calls, calls a second, cost and time left."""

    def __init__(self, *, quiet: bool = False, label: str = "", clock: Callable[[], float] = time.time) -> None:
        """Show nothing when `quiet`; with a `label`, the run is one of several and shows lines only.

        `clock` gives seconds since 1970.
        """
        self._console = Aside()
        self._quiet = quiet
        self._label = label
        self._clock = clock
        self._live = self._console.is_live and not quiet and not label
        self.run = RunProgress()
        """What the events come to, in figures."""
        self._display = Live(get_renderable=self._render, console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Progress":
        """Begin to show."""
        if self._live:
            self._display.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the terminal as it was."""
        if self._live:
            with contextlib.suppress(OSError):
                self._display.stop()

    def listen(self, event: "Event", at: float | None = None) -> None:
        """Take in one event, which comes now, or came `at` a time in seconds since 1970."""
        for line in self.run.take(event, self._clock() if at is None else at):
            self._line(line)

    def catch_up(self, told: "Iterable[tuple[float, Event]]") -> None:
        """Take in what was told before, with its times; only lines from the last closed round on are shown."""
        lines: list[str] = []
        for at, event in told:
            if event["event"] == "round_closed":
                lines.clear()
            lines += self.run.take(event, at, past=True)
        for line in lines:
            self._line(line)

    def _line(self, text: str) -> None:
        """A line for good: broken between its parts in a terminal, one line to whatever else reads it."""
        if self._quiet:
            return
        shown = f"{self._label}: {text}" if self._label else text
        if not self._console.is_terminal:
            self._console.print(plain(shown), soft_wrap=True)
            return
        for line in flowed(shown.split(", "), self._console.width):
            self._console.print(plain(line))

    def _render(self) -> Group:
        """What holds now, in lines none of which is wider than the terminal."""
        run, now, width = self.run, self._clock(), self._console.width
        if run.at is None:
            return Group(plain("preparing models and tasks"))
        parts = [part for part in [run.doing(), *run.now(now), *run.left(now)] if part]
        done, total = run.done
        return Group(*map(plain, flowed(parts, width)), *([_bar(done, total, width)] if total else []))


def _bar(done: int, total: int, width: int) -> Table:
    count = f"{done:,}/{total:,}"
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(no_wrap=True)
    row.add_row(ProgressBar(total, done, width=max(4, min(BAR, width - len(count) - 1))), count)
    return row


class Several:
    """Lines of progress from runs that work at the same time."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Show nothing when `quiet`."""
        self._quiet = quiet
        self._each: dict[str, Progress] = {}

    def listen(self, label: str, event: "Event") -> None:
        """Take in one event of the run with that label."""
        self._each.setdefault(label, Progress(quiet=self._quiet, label=label)).listen(event)
