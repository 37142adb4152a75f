"""The command that starts the server."""

import click

from ..store.location import default_store


@click.command()
@click.option("--port", default=2024, show_default=True, help="Where the server listens, on this machine only.")
@click.option("--browser/--no-browser", default=True, help="Open LangGraph Studio in the browser.")
@click.option("--store", default=default_store, show_default="METASPO_STORE, else metaspo.db", help="The SQLite file.")
def studio(port: int, browser: bool, store: str) -> None:
    """Start the Agent Server: LangGraph Studio, the SDK and MCP on the runs of a store."""
    from ..runs.studio import serve

    serve(port, store, browser=browser)
