"""Before a first run: a config to edit, and the ways to search."""

from pathlib import Path

import click

from . import show
from .options import JSON
from .screen import say, say_json


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a commented config and a sample task into an empty FOLDER."""
    from ..runs.scaffold import scaffold

    for path in scaffold(folder):
        say(f"wrote {path}")
    say("next: edit them, then run 'metaspo optimize metaspo.yaml' there")


@click.command("prompts")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def prompts(folder: Path) -> None:
    """Write our optimizer prompts into a FOLDER, to be edited: files of a run's own are used in the place of ours."""
    from ..prompts.own import write_folder

    for path in write_folder(folder):
        say(f"wrote {path}")
    say(f"next: edit some, delete the others, then run 'metaspo optimize --optimizer-prompts {folder}'")


@click.command("methods")
@JSON
def methods(as_json: bool) -> None:
    """List the ways to search."""
    from ..methods import builtin as builtin  # registers them
    from ..workspace.method import known_methods

    rows = [{"method": method.name, "what it does": method.description} for method in known_methods()]
    say_json(rows) if as_json else show.table(rows)
