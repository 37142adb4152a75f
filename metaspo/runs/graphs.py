"""The graphs that work on runs: which one works on which method, and what is served of them."""

from types import ModuleType
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..graph import adapt, bilevel, generalize
from ..graph.editing import kept_by
from ..workspace.generalization import GENERALIZE
from ..workspace.problem import ADAPT

AnyGraph = bilevel.Bilevel | generalize.Generalize


SEARCH = "metaspo"
"""The graph that works on every method without a graph of its own."""

COSTS = (
    "Takes tasks by name or as blocks with rows, and minutes to hours: hundreds to thousands of model calls, at most as many "
    "as its budget has; preset quick and smaller sizes need fewer."
)
"""What people and models are told that a run costs. No apostrophe: `langgraph build` writes it between two."""

GRAPHS: dict[str, tuple[ModuleType, str]] = {
    SEARCH: (
        bilevel,
        "Finds one system prompt that works across several tasks, and the user prompt that suits each: user prompts and the "
        "system prompt are improved in turn from their own failures. The defaults run the built-in demo. " + COSTS,
    ),
    ADAPT: (
        adapt,
        "Adapts to tasks at test time: the system prompt stays, the user prompts are improved from their own failures, and the "
        "test score after every round is kept as a curve. The defaults run on the built-in target tasks. " + COSTS,
    ),
    GENERALIZE: (
        generalize,
        "Says whether a system prompt helps tasks that it was not made for: user prompts are induced for each task, and the "
        "prompt is scored with them against another one on the test split. The defaults run on the built-in target tasks. "
        + COSTS,
    ),
}
"""The graphs by their names: the module of each, and what people are told about it."""

SERVED: dict[str, Any] = {
    "graphs": {name: {"path": f"{module.__name__}:graph", "description": text} for name, (module, text) in GRAPHS.items()},
    "checkpointer": {"path": "metaspo.runs.server.app.saver"},
    "http": {"app": "metaspo.runs.server.app:app", "disable_webhooks": True},
    # Studio's own way past a server's login is a header that anybody can send.
    "auth": {
        "path": "metaspo.runs.server.auth:auth",
        "disable_studio_auth": True,
        "openapi": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "security": [{"bearer": []}, {"key": []}],
        },
    },
}
"""What the Agent Server is given, as langgraph.json has it for `langgraph dev`."""


def graph_of(method: str) -> str:
    """The name of the graph that works on runs of a method."""
    return method if method in GRAPHS else SEARCH


def with_checkpointer(method: str, checkpointer: "BaseCheckpointSaver[str]") -> AnyGraph:
    """The graph that works on runs of a method, with their history."""
    if method == GENERALIZE:
        return kept_by(generalize.graph, checkpointer)
    return kept_by(bilevel.graph, checkpointer)
