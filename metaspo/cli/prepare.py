"""Before a first run: a config to edit, and the ways to search."""

import json
from pathlib import Path

import click

from . import show
from .options import JSON


@click.command("init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a commented config and a sample task into an empty FOLDER."""
    from ..runs.scaffold import scaffold

    for path in scaffold(folder):
        click.echo(f"wrote {path}")
    click.echo("next: edit them, then run 'metaspo optimize metaspo.yaml' there")


@click.command("methods")
@JSON
def methods(as_json: bool) -> None:
    """List the ways to search."""
    from ..methods import builtin as builtin  # registers them
    from ..workspace.method import known_methods

    rows = [{"method": method.name, "what it does": method.description} for method in known_methods()]
    click.echo(json.dumps(rows, indent=2)) if as_json else show.table(rows)
