"""How the commands that work on a run go: with progress, and with an end that says what to do next."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import show
from .options import stopped
from .screen import say_json

if TYPE_CHECKING:
    from ..runs.optimize import Result
    from ..runs.session import Listener


def with_progress(quiet: bool, work: "Callable[[Listener], Result]") -> "Result":
    """Do the work with its progress on display."""
    from .progress import Progress

    with Progress(quiet=quiet) as progress:
        return work(progress.listen)


def finish(result: "Result", as_json: bool) -> None:
    """Print what a run has found; where it is not done, say why and what to do, and exit with the reason's code."""
    from ..reports.commands import command
    from ..reports.export import as_data

    if as_json:
        say_json(as_data(result.report))
    else:
        # Why it is not done, and how it goes on, is told below.
        show.ending(result.report, steps=result.stopped is None)
    if result.stopped is not None:
        name = "approve" if result.request else "resume"
        stopped(result.stopped, command(name, result.run, result.report.store))
