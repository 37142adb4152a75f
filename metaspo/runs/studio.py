"""The Agent Server and LangGraph Studio with the right settings, from a clone or an installed package."""

import os

from ..compat import agent_server
from ..domain.errors import ConfigError, MissingExtraError
from ..domain.paths import path_of
from ..store.database import default_store
from ..workspace.serving import TRUST, Serving
from .graphs import SERVED
from .server.access import TOKEN, Access, access, is_loopback

AT_ONCE = 10
"""Runs that work at the same time."""


def serve(host: str, port: int, store: str | None = None, *, browser: bool = True) -> None:
    """Serve the graphs until interrupted, with every thread kept in `store`.

    Needs no key and no network; the browser opens Studio, which talks to the server from there. A
    port that is taken is replaced by a free one. Who may use the server, and what clients may name, is in the
    environment. Raises MissingExtraError without the extra `studio`, ConfigError or ModelError for what
    the environment says wrongly, and where other machines would reach a server without a token, or one that trusts.
    """
    refuse_open(host, access())
    Serving.of(os.environ)
    try:
        run_server = agent_server()
    except ImportError:
        raise MissingExtraError("metaspo studio", "studio") from None
    os.environ["METASPO_STORE"] = str(path_of(store or default_store()).absolute())
    for quiet in ("LANGGRAPH_NO_VERSION_CHECK", "LANGGRAPH_CLI_NO_ANALYTICS"):
        os.environ.setdefault(quiet, "true")
    run_server(host, port, n_jobs_per_worker=AT_ONCE, open_browser=browser, **SERVED)


def refuse_open(host: str, given: Access) -> None:
    """Refuse to listen where other machines reach a server that any of them could use."""
    if is_loopback(host):
        return
    if given.trusting:
        raise ConfigError(
            f"--host {host}: a server that trusts its clients (--trust, {TRUST}=1) runs their code, so that it listens on "
            "127.0.0.1 alone; leave out one of the two"
        )
    if given.token is None:
        raise ConfigError(
            f"--host {host}: other machines would use this server without a login; put a token into {TOKEN}, which clients "
            "send as 'Authorization: Bearer TOKEN', or leave out --host"
        )
