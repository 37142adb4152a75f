"""The Agent Server and LangGraph Studio with the right settings, from a clone or an installed package."""

import os
from pathlib import Path
from typing import Any

from ..domain.errors import MissingExtraError
from ..store.database import default_store

SERVED: dict[str, Any] = {
    "graphs": {
        "metaspo": {
            "path": "metaspo.graph.bilevel:graph",
            "description": "Finds one system prompt that works across several tasks, and the user prompt that suits each: user "
            "prompts and the system prompt are improved in turn from their own failures. The defaults run the built-in demo.",
        },
        "adapt": {
            "path": "metaspo.graph.adapt:graph",
            "description": "Adapts to tasks at test time: the system prompt stays, the user prompts are improved "
            "from their own failures, and the test score after every round is kept as a curve. The "
            "defaults run on the built-in target tasks.",
        },
        "generalize": {
            "path": "metaspo.graph.generalize:graph",
            "description": "Says whether a system prompt helps tasks that it was not made for: user prompts are "
            "induced for each task, and the prompt is scored with them against another one on the "
            "test split. The defaults run on the built-in target tasks.",
        },
    },
    "checkpointer": {"path": "metaspo.runs.server.saver"},
    "http": {"app": "metaspo.runs.server:app"},
}
"""What is served, as langgraph.json has it for `langgraph dev`."""

AT_ONCE = 10
"""Runs that work at the same time."""


def serve(port: int, store: str | None = None, *, browser: bool = True) -> None:
    """Serve the graphs on this machine until interrupted, with every thread kept in `store`.

    Needs no key and no network; the browser opens Studio, which talks to the server from there. A
    port that is taken is replaced by a free one. Raises MissingExtraError without the extra `studio`.
    """
    try:
        from langgraph_api.cli import run_server
    except ImportError:
        raise MissingExtraError("metaspo studio", "studio") from None
    os.environ["METASPO_STORE"] = str(Path(store or default_store()).expanduser().absolute())
    for quiet in ("LANGGRAPH_NO_VERSION_CHECK", "LANGGRAPH_CLI_NO_ANALYTICS"):
        os.environ.setdefault(quiet, "true")
    run_server("127.0.0.1", port, n_jobs_per_worker=AT_ONCE, open_browser=browser, **SERVED)
