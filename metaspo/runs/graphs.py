"""The graphs by the method of a run: a search is the bilevel graph's, whatever its schedule."""

from langgraph.checkpoint.base import BaseCheckpointSaver

from ..graph import bilevel, generalize


def build_for(method: str, checkpointer: "BaseCheckpointSaver[str] | None" = None) -> "bilevel.Bilevel | generalize.Generalize":
    """The compiled graph that works on runs of a method."""
    return (generalize.build if method == "generalize" else bilevel.build)(checkpointer)
