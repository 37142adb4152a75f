"""The bilevel optimization as one graph: five nodes, one cycle.

`select` closes every round and reads the next level from the method's schedule, so that a new
method is a new schedule (metaspo/methods/builtin.py) and this file stays as it is.
"""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from metaspo.methods import builtin as builtin  # registers the methods that come with metaspo
from metaspo.workspace.context import Context
from metaspo.workspace.forms import described, shown
from metaspo.workspace.problem import Problem
from metaspo.workspace.state import Output, State

from ..nodes.analyze_failures import analyze_failures
from ..nodes.evaluate import evaluate
from ..nodes.propose_system_prompts import propose_system_prompts
from ..nodes.propose_user_prompts import propose_user_prompts
from ..nodes.select import select
from .edges import evaluations, next_round, proposals, seeds_of

RECURSION_LIMIT = 10_000
"""A round takes four supersteps and two more for each stage; LangGraph's usual limit would end a paper-sized run."""

Bilevel = CompiledStateGraph[State, Context, Problem, Output]


def build(
    checkpointer: "BaseCheckpointSaver[str] | None" = None, *, name: str = "metaspo", given: type[Problem] = Problem
) -> Bilevel:
    """The compiled graph; without a checkpointer it takes the one of the server or the parent graph.

    `given` is what it takes as input: another one has other defaults.
    """
    graph = StateGraph(State, context_schema=Context, input_schema=given, output_schema=Output)
    graph.add_node("evaluate", evaluate, metadata={"does": "scores a pair of prompts on a task"})
    graph.add_node("select", select, metadata={"does": "closes the round, opens the next"})
    graph.add_node("analyze_failures", analyze_failures, metadata={"does": "says why prompts fail"})
    graph.add_node("propose_user_prompts", propose_user_prompts, metadata={"does": "rewrites one task's user prompt"})
    graph.add_node("propose_system_prompts", propose_system_prompts, metadata={"does": "rewrites the system prompt"})

    # The keys are what the drawing shows; the functions name nodes in their Sends.
    graph.add_conditional_edges(START, seeds_of(given), {"first prompts": "evaluate"})
    graph.add_edge("evaluate", "select")
    graph.add_conditional_edges(
        "select", next_round, {"next level": "analyze_failures", "more evidence": "evaluate", "done": END}
    )
    loops = {"inner loop": "propose_user_prompts", "outer loop": "propose_system_prompts"}
    graph.add_conditional_edges("analyze_failures", proposals, loops)  # type: ignore[arg-type]
    graph.add_conditional_edges("propose_user_prompts", evaluations, {"user prompt": "evaluate"})
    graph.add_conditional_edges("propose_system_prompts", evaluations, {"system prompt": "evaluate"})
    described(graph, given)
    compiled = shown(graph.compile(checkpointer=checkpointer, name=name))
    return compiled.with_config({"recursion_limit": RECURSION_LIMIT})


graph = build()
"""What langgraph.json serves."""
