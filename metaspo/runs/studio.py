"""The Agent Server and LangGraph Studio with the right settings, from a clone or an installed package."""

import os

from ..compat import agent_server
from ..domain.errors import MissingExtraError
from ..domain.paths import path_of
from ..store.database import default_store
from .graphs import SERVED

AT_ONCE = 10
"""Runs that work at the same time."""


def serve(port: int, store: str | None = None, *, browser: bool = True) -> None:
    """Serve the graphs on this machine until interrupted, with every thread kept in `store`.

    Needs no key and no network; the browser opens Studio, which talks to the server from there. A
    port that is taken is replaced by a free one. Raises MissingExtraError without the extra `studio`.
    """
    try:
        run_server = agent_server()
    except ImportError:
        raise MissingExtraError("metaspo studio", "studio") from None
    os.environ["METASPO_STORE"] = str(path_of(store or default_store()).absolute())
    for quiet in ("LANGGRAPH_NO_VERSION_CHECK", "LANGGRAPH_CLI_NO_ANALYTICS"):
        os.environ.setdefault(quiet, "true")
    run_server("127.0.0.1", port, n_jobs_per_worker=AT_ONCE, open_browser=browser, **SERVED)
