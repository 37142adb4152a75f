"""The command that starts the server."""

import click
from click.core import ParameterSource

from ..domain.errors import StoreError
from ..domain.paths import path_of
from .options import STORE
from .screen import say


@click.command()
@click.option("--port", default=2024, show_default=True, help="Where the server listens, on this machine only.")
@click.option("--browser/--no-browser", default=True, help="Open LangGraph Studio in the browser.")
@STORE
@click.option("--create", is_flag=True, help="Begin a new store where there is none.")
@click.pass_context
def studio(context: click.Context, port: int, browser: bool, store: str, create: bool) -> None:
    """Start the Agent Server: LangGraph Studio, the SDK and MCP on the runs of a store.

    A store that is named with --store is there already, or is begun with --create.
    """
    from ..runs.studio import serve

    named = context.get_parameter_source("store") is not ParameterSource.DEFAULT
    if not path_of(store).exists():
        if named and not create:
            raise StoreError(f"{store}: no such store; name one that is there, or add --create to begin it")
        say(f"{store}: no such store yet; the server begins it", err=True)
    serve(port, store, browser=browser)
