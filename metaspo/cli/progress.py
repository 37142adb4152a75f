"""Live progress from the graph's events: a panel in a terminal, plain lines elsewhere."""

import contextlib
import time
from types import TracebackType
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ..domain.costs import cost_says
from ..workspace.events import Event, Spent
from .screen import Aside, plain

LEVELS = {
    "seed": "scoring the first prompts",
    "branch": "prompts carried over",
    "user": "user prompts",
    "system": "system prompt",
    "confirm": "meeting the seeds on validation",
    "test": "final test",
}


MANY = 0.1
"""The share of replies without a readable answer from which on a person is told."""


class Progress:
    """Feeds on events; shows round, level, candidates, best score, calls, calls a second, cost and time left."""

    def __init__(self, *, quiet: bool = False, label: str = "") -> None:
        """Show nothing when `quiet`; with a `label`, the run is one of several and shows lines only."""
        self._console = Aside()
        self._quiet = quiet
        self._label = label
        self._live = self._console.is_terminal and not quiet and not label
        self._started = time.monotonic()
        self._first_calls: int | None = None
        self._round = self._rounds = 0
        self._replies = self._unread = self._ungraded = 0
        self._sample = ""
        self._score: float | None = None
        self._spent: Spent | None = None
        self._bars = Bars(
            SpinnerColumn("line"), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=self._console,
        )  # fmt: skip
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

    def listen(self, event: Event) -> None:
        """Take in one event."""
        data: dict[str, Any] = dict(event)
        if "spent" in data:
            before, now = self._spent, data["spent"]
            if before is not None and now["calls"] < before["calls"]:
                # Another run begins under the same display, such as a placebo: its pace is its own.
                self._first_calls, self._started = None, time.monotonic()
            self._spent = now
            self._first_calls = now["calls"] if self._first_calls is None else self._first_calls
        getattr(self, "_" + data["event"])(data)

    def _round_opened(self, data: dict[str, Any]) -> None:
        self._round, self._rounds = data["round"], data["rounds"]
        name = f"round {data['round']} of {data['rounds']}: " if data["level"] in ("user", "system") else ""
        self._total = data["candidates"] + data["evaluations"]
        for old in self._bars.task_ids:
            self._bars.remove_task(old)
        self._bars.add_task(name + LEVELS[data["level"]], total=self._total)

    def _stage_opened(self, data: dict[str, Any]) -> None:
        for bar in self._bars.tasks:
            self._bars.update(bar.id, total=(bar.total or 0) + data["evaluations"])

    def _scored(self, data: dict[str, Any]) -> None:
        self._advance()
        self._replies += data.get("examples", 0)
        self._unread += data.get("unparsed", 0)
        self._ungraded += data.get("ungraded", 0)
        self._sample = data.get("sample") or self._sample

    def _proposed(self, data: dict[str, Any]) -> None:
        self._advance()
        if data["dropped"] and data["dropped"] != "no failures left to mend":
            self._line(f"  a proposal for {data['task'] or 'the system prompt'} was dropped: {data['dropped']}")

    def _noted(self, data: dict[str, Any]) -> None:
        self._line(f"note: {data['text']}")

    def _advance(self) -> None:
        for bar in self._bars.task_ids:
            self._bars.advance(bar)

    def _tell_unread(self) -> None:
        """What could not be read in the round that ends, where that is more than a few."""
        if self._unread > MANY * self._replies:
            self._line(f"  {self._unread / self._replies:.0%} of replies could not be read, such as: {self._sample}")
        if self._ungraded > MANY * self._replies:
            self._line(f"  {self._ungraded / self._replies:.0%} of answers got no grade from the judge")
        self._replies = self._unread = self._ungraded = 0

    def _round_closed(self, data: dict[str, Any]) -> None:
        self._tell_unread()
        before, self._score = self._score, data["score"]
        what = LEVELS[data["level"]]
        if data["level"] == "test":
            self._line(f"final test done, {self._costs()}")
            return
        gain = "" if before is None else f" ({100 * (data['score'] - before):+.1f})"
        news = {"user": f", {data['accepted']} kept", "system": ", new incumbent" if data["accepted"] else ", incumbent stays"}
        # A resumed run may close a round that it did not open.
        rounds = f" of {self._rounds}" if self._rounds else ""
        name = (
            f"round {data['round']}{rounds}, {what}" if data["round"] and data["level"] not in ("branch", "confirm") else what
        )
        self._line(f"{name}: score {100 * data['score']:.1f}{gain}{news.get(data['level'], '')}, {self._costs()}")

    def _costs(self) -> str:
        if self._spent is None:
            return ""
        seconds = time.monotonic() - self._started
        rate = (self._spent["calls"] - (self._first_calls or 0)) / seconds if seconds else 0
        about = "about " if self._spent["estimated"] else ""
        paid, unpriced = self._spent["cost"], self._spent["unpriced"]
        cost = f", cost {cost_says(paid, unpriced, estimated=bool(about))}" if paid or unpriced else ""
        tokens = ""
        if about or {"input_tokens", "output_tokens"} & self._spent["budget"].keys():
            read, written = (f"{self._spent[side]:,}" for side in ("input_tokens", "output_tokens"))
            tokens = f", {about}{read} input and {written} output tokens{' (estimated)' if about else ''}"
        cached = f" + {self._spent['cached']:,} known" if self._spent["cached"] else ""
        limits = ", ".join(f"{limit:g} {name.replace('_', ' ')}" for name, limit in self._spent["budget"].items())
        budget = f" (budget: {limits})" if limits else ""
        return f"{self._spent['calls']:,} calls{cached}, {rate:.1f} calls/s{tokens}{cost}, {seconds:.0f} s{budget}"

    def _left(self) -> str:
        """Time left in this round, from its own pace."""
        for bar in self._bars.tasks:
            if bar.time_remaining is not None and not bar.finished:
                return f", {bar.time_remaining:.0f} s left in this round"
        return ""

    def _line(self, text: str) -> None:
        if not self._quiet:
            self._console.print(f"{self._label}: {text}" if self._label else text, soft_wrap=True, markup=False)

    def _render(self) -> Group:
        best = "" if self._score is None else f"best score {100 * self._score:.1f}, "
        return Group(
            self._bars, plain(f"  {best}{self._costs()}{self._left()}" if self._spent else "  preparing models and tasks")
        )


class Several:
    """Lines of progress from runs that work at the same time."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Show nothing when `quiet`."""
        self._quiet = quiet
        self._each: dict[str, Progress] = {}

    def listen(self, label: str, event: Event) -> None:
        """Take in one event of the run with that label."""
        self._each.setdefault(label, Progress(quiet=self._quiet, label=label)).listen(event)
