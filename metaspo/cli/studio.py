"""The command that starts the server."""

import os

import click
from click.core import ParameterSource

from ..domain.errors import StoreError
from ..domain.paths import path_of
from .options import STORE
from .screen import say


@click.command()
@click.option("--port", default=2024, show_default=True, help="Where the server listens.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address that it listens on; one that other machines reach needs a token.",
)
@click.option("--browser/--no-browser", default=True, help="Open LangGraph Studio in the browser.")
@STORE
@click.option("--create", is_flag=True, help="Begin a new store where there is none.")
@click.option("--tasks", multiple=True, metavar="FOLDER", help="A folder whose tasks clients may name; may be repeated.")
@click.option("--models", metavar="FILE", help="The model specs that clients may name, each under a name.")
@click.option(
    "--trust",
    is_flag=True,
    envvar="METASPO_SERVE_TRUST",
    help="Take paths, functions and any model from clients as from you: whoever reaches the server runs code as you.",
)
@click.pass_context
def studio(
    context: click.Context,
    port: int,
    host: str,
    browser: bool,
    store: str,
    create: bool,
    tasks: tuple[str, ...],
    models: str | None,
    trust: bool,
) -> None:
    """Start the Agent Server: LangGraph Studio, the SDK and MCP on the runs of a store.

    A store that is named with --store is there already, or is begun with --create. The server takes data from
    its clients, never paths, functions or keys, unless --trust is given. With a token in METASPO_SERVE_TOKEN
    it answers those who send it, else this machine alone.
    """
    from ..runs.studio import serve
    from ..workspace.serving import MODELS, TASKS, TRUST

    named = context.get_parameter_source("store") is not ParameterSource.DEFAULT
    if not path_of(store).exists():
        if named and not create:
            raise StoreError(f"{store}: no such store; name one that is there, or add --create to begin it")
        say(f"{store}: no such store yet; the server begins it", err=True)
    if tasks:
        os.environ[TASKS] = os.pathsep.join(str(path_of(one).absolute()) for one in tasks)
    if models:
        os.environ[MODELS] = str(path_of(models).absolute())
    os.environ[TRUST] = "1" if trust else "0"
    serve(host, port, store, browser=browser)
