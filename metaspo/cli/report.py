"""The command that writes a report as a page."""

from pathlib import Path

import click

from ..domain.errors import ConfigError
from .screen import hand_over, say


@click.command("report")
@click.argument("run", required=False)
@click.argument("other", required=False)
@click.option(
    "--study", metavar="FILE", help="Instead, the study in FILE, or a built-in one by its name, as far as it is done."
)
@click.option("--alone", is_flag=True, help="Of a run that is one of an adaptation's searches, its own page.")
@click.option(
    "--output",
    metavar="FILE",
    help="Write to this file, into this folder, or to standard output if -; report-RUN.html if none.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in your browser.")
@click.option("--force", is_flag=True, help="Replace a file that is there and is no page of metaspo.")
@click.option("--store", help="The SQLite file; METASPO_STORE if none, else metaspo.db, and for a study its own.")
def report_command(
    run: str | None, other: str | None, study: str | None, alone: bool, output: str | None, opens: bool, force: bool,
    store: str | None,
) -> None:  # fmt: skip
    """Write what a RUN achieved as one HTML file that opens anywhere and fetches nothing.

    That is the newest run if none is named, of whichever kind: a search, a generalization, an adaptation. With two
    runs it is their comparison, with --study a study.
    """
    if output == "-" and opens:
        raise ConfigError("--open needs a file: leave --output - out, or name a file")
    if study is not None:
        if run is not None or alone:
            raise ConfigError(f"--study {study} is a page of its own: leave {run or '--alone'} out")
        from ..studies.study_page import open_study_page

        name, page = open_study_page(study, store)
    else:
        from ..studies.any_page import named_page

        name, page = named_page(store, run or "last", other, alone=alone)
    if output == "-":
        hand_over(page, as_json=False)
        return
    from ..reports.pages.file import place, write_page

    written = place(output, name)
    write_page(page, written, force=force)
    say(f"wrote {written}")
    if opens:
        _show(written)


def _show(path: Path) -> None:
    """In the browser of whoever is here; where there is none, say so."""
    import webbrowser

    if not webbrowser.open(path.absolute().as_uri()):
        say(f"no browser was found here; open {path} yourself", err=True)
