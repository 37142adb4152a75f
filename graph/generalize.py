"""Does a system prompt help tasks that it was not made for? A straight line: induce user prompts, evaluate, summarize."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from metaspo.workspace.generalization import Generalization, GeneralizationOutput, GeneralizationState
from metaspo.workspace.state import Context

from ..nodes.evaluate import evaluate
from ..nodes.induce_user_prompts import induce_user_prompts
from ..nodes.summarize import summarize
from .generalize_edges import scorings, user_prompts

Generalize = CompiledStateGraph[GeneralizationState, Context, Generalization, GeneralizationOutput]


def build(checkpointer: "BaseCheckpointSaver[str] | None" = None) -> Generalize:
    """The compiled graph; without a checkpointer it takes the one of the server or the parent graph."""
    graph = StateGraph(
        GeneralizationState, context_schema=Context, input_schema=Generalization, output_schema=GeneralizationOutput
    )
    graph.add_node("induce_user_prompts", induce_user_prompts, metadata={"does": "writes a user prompt from labelled examples"})
    graph.add_node("evaluate", evaluate, metadata={"does": "scores a pair of prompts on a task"})
    graph.add_node("summarize", summarize, metadata={"does": "compares the two system prompts"})

    graph.add_conditional_edges(START, user_prompts, {"each task": "induce_user_prompts"})
    graph.add_conditional_edges("induce_user_prompts", scorings, {"both system prompts": "evaluate"})
    graph.add_edge("evaluate", "summarize")
    return graph.compile(checkpointer=checkpointer, name="generalize")


graph = build()
"""What langgraph.json serves."""
