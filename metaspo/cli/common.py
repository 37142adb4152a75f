"""What the commands that work on a run share: options, progress, and how they end."""

import json
from collections.abc import Callable

import click

from ..reports import export as exports
from ..runs.optimize import Result
from ..runs.session import Listener
from . import show
from .options import stopped
from .progress import Progress


def with_progress(quiet: bool, work: Callable[[Listener], Result]) -> Result:
    """Do the work with its progress on display."""
    with Progress(quiet=quiet) as progress:
        return work(progress.listen)


def finish(result: Result, as_json: bool) -> None:
    """Print what a run has found; where it is not done, say why and what to do, and exit with the reason's code."""
    if as_json:
        click.echo(json.dumps(exports.as_data(result.report), ensure_ascii=False, indent=2))
    else:
        show.summary(result.report)
    if result.stopped is not None:
        command = "approve" if result.request else "resume"
        stopped(result.stopped, f"metaspo {command} {result.run[:8]} --store {result.report.store}")
