"""The command that writes a report as a page."""

from pathlib import Path

import click

from ..domain.errors import ConfigError
from .options import STORE
from .screen import say


@click.command("report")
@click.argument("run", default="last")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file; report-RUN.html if none.")
@STORE
def report_command(run: str, output: Path | None, store: str) -> None:
    """Write what a RUN achieved as one HTML file that opens anywhere and fetches nothing."""
    from ..reports.any_run import open_any
    from ..reports.pages.run_page import open_run_page

    id = open_any(store, run).run.id
    written = output or Path(f"report-{id[:8]}.html")
    if not written.absolute().parent.is_dir():
        raise ConfigError(f"--output {output}: there is no folder {written.parent}; make it first")
    written.write_text(open_run_page(store, id), encoding="utf-8")
    say(f"wrote {written}")
