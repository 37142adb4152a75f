"""Before a first run: a config to edit, and the ways to search."""

import sys
from pathlib import Path

import click

from ..domain.errors import ConfigError
from ..domain.visible import visible
from . import show
from .options import JSON
from .screen import say, say_json


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Write into a folder that is not empty without asking.")
def init(folder: Path, yes: bool) -> None:
    """Write a commented config and a sample task into FOLDER.

    Where files are in it already, it asks first. None of them is ever replaced.
    """
    from ..runs.scaffold import refuse_replacing, scaffold

    refuse_replacing(folder)
    there = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if there and not yes:
        said = f"{folder} is not empty: it holds {', '.join(there[:3])}{', ...' if len(there) > 3 else ''}"
        if not is_asked():
            raise ConfigError(f"{said}; name an empty folder, metaspo init FOLDER, or add --yes to write into it all the same")
        click.confirm(f"{visible(said)}. Write metaspo.yaml, tickets.yaml and tickets.csv into it?", abort=True, err=True)
    for path in scaffold(folder):
        say(f"wrote {path}")
    say("next: edit them, then run 'metaspo optimize metaspo.yaml' there")


def is_asked() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


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
