"""The bilevel optimization as one graph: five nodes, one cycle.

`select` closes every round and reads the next level from the method's schedule, so that a new
method is a new schedule (metaspo/methods/builtin.py) and this file stays as it is.
"""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

from metaspo.methods import builtin as builtin  # registers the methods that come with metaspo
from metaspo.workspace.context import Context
from metaspo.workspace.forms import described
from metaspo.workspace.problem import Problem
from metaspo.workspace.state import Output, State

from ..nodes.analyze_failures import analyze_failures
from ..nodes.evaluate import evaluate
from ..nodes.propose_system_prompts import propose_system_prompts
from ..nodes.propose_user_prompts import propose_user_prompts
from ..nodes.select import select
from .edges import evaluations, next_round, proposals, seeds_of
from .editing import Editable, editable
from .either_way import EitherWay, without_given

RECURSION_LIMIT = 10_000
"""A round takes four supersteps and two more for each stage; LangGraph's usual limit would end a paper-sized run."""

Bilevel = Editable[State, Context, Problem, Output]


def build(
    checkpointer: "BaseCheckpointSaver[str] | None" = None, *, name: str = "metaspo", given: type[Problem] = Problem
) -> Bilevel:
    """The compiled graph; without a checkpointer it takes the one of the server or the parent graph.

    `given` is what it takes as input: another one has other defaults.
    """
    graph = StateGraph(State, context_schema=Context, input_schema=given, output_schema=Output)
    # What select is told in events and traces is not the tasks with their examples, round after round.
    progress = without_given(State, Problem, "method")
    for node, does, read in (
        (evaluate, "scores a pair of prompts on a task", State),
        (select, "closes the round, opens the next", progress),
        (analyze_failures, "says why prompts fail", State),
        (propose_user_prompts, "rewrites one task's user prompt", State),
        (propose_system_prompts, "rewrites the system prompt", State),
    ):
        graph.add_node(node.__name__, EitherWay(node), input_schema=read, metadata={"does": does})

    # The keys are what the drawing shows; the functions name nodes in their Sends.
    graph.add_conditional_edges(START, EitherWay(seeds_of(given)), {"first prompts": "evaluate"})
    graph.add_edge("evaluate", "select")
    graph.add_conditional_edges(
        "select", EitherWay(next_round), {"next level": "analyze_failures", "more evidence": "evaluate", "done": END}
    )
    loops = {"inner loop": "propose_user_prompts", "outer loop": "propose_system_prompts"}
    graph.add_conditional_edges("analyze_failures", EitherWay(proposals), loops)  # type: ignore[arg-type]
    graph.add_conditional_edges("propose_user_prompts", EitherWay(evaluations), {"user prompt": "evaluate"})
    graph.add_conditional_edges("propose_system_prompts", EitherWay(evaluations), {"system prompt": "evaluate"})
    described(graph, given)
    compiled = editable(graph.compile(checkpointer=checkpointer, name=name))
    return compiled.with_config({"recursion_limit": RECURSION_LIMIT})


graph = build()
"""What langgraph.json serves."""
