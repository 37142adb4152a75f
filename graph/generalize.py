"""Does a system prompt help tasks that it was not made for? A straight line: induce user prompts, evaluate, summarize."""

from typing import cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from metaspo.domain.prompts import Prompt
from metaspo.workspace.beginning import as_written, begin
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit
from metaspo.workspace.forms import described
from metaspo.workspace.generalization import (
    NOT_BEGUN,
    Generalization,
    GeneralizationOutput,
    GeneralizationState,
    generalization_of,
)
from metaspo.workspace.opening import generalization_workspace
from metaspo.workspace.state import Job

from ..nodes.evaluate import evaluate
from ..nodes.induce_user_prompts import induce_user_prompts
from ..nodes.summarize import summarize
from .editing import Editable, editable
from .either_way import EitherWay, without_given

Generalize = Editable[GeneralizationState, Context, Generalization, GeneralizationOutput]


def build(checkpointer: "BaseCheckpointSaver[str] | None" = None) -> Generalize:
    """The compiled graph; without a checkpointer it takes the one of the server or the parent graph."""
    graph = StateGraph(
        GeneralizationState, context_schema=Context, input_schema=Generalization, output_schema=GeneralizationOutput
    )
    progress = without_given(GeneralizationState, Generalization)
    for node, does, read in (
        (induce_user_prompts, "writes a user prompt from labelled examples", GeneralizationState),
        (evaluate, "scores a pair of prompts on a task", GeneralizationState),
        (summarize, "compares the two system prompts", progress),
    ):
        graph.add_node(node.__name__, EitherWay(node), input_schema=read, metadata={"does": does})

    graph.add_conditional_edges(START, EitherWay(user_prompts), {"each task": "induce_user_prompts"})
    graph.add_conditional_edges("induce_user_prompts", EitherWay(scorings), {"both system prompts": "evaluate"})
    graph.add_edge("evaluate", "summarize")
    described(graph, Generalization)
    return editable(graph.compile(checkpointer=checkpointer, name="generalize"))


async def user_prompts(state: GeneralizationState, runtime: Runtime[Context]) -> list[Send]:
    """At the start: every task's user prompts, given or to be induced."""
    written = cast(GeneralizationState, as_written(state, Generalization))
    workspace = await generalization_workspace(state, runtime, begins=lambda _: generalization_of(written))
    begin(workspace.run, state, Generalization, NOT_BEGUN)
    given = workspace.problem
    listed = {name: [Prompt("user", text) for text in texts] for name, texts in given.user_prompts.items()}
    await workspace.save_prompts(*given.system_prompts, *(prompt for prompts in listed.values() for prompt in prompts))
    jobs: list[Job] = []
    for name in workspace.tasks:
        base: Job = {"run": workspace.run, "round": 0, "level": "user", "task": name, "pairs": given.pairs}
        if name in listed:
            jobs += [{**base, "position": at, "user": prompt.id} for at, prompt in enumerate(listed[name])]
        else:
            jobs += [{**base, "position": at} for at in range(given.prompts or 0)]
    await emit(
        workspace,
        {
            "event": "round_opened", "round": 0, "rounds": 0, "level": "test", "candidates": 0, "evaluations": 2 * len(jobs),
        },
    )  # fmt: skip
    return [Send("induce_user_prompts", job) for job in jobs]


async def scorings(state: GeneralizationState, runtime: Runtime[Context]) -> list[Send]:
    """After a user prompt was come by: both system prompts with it. LangGraph shows each branch its own writes only."""
    [one] = state["induced"]
    run = state["run"]
    if one["id"] is None:
        nothing: Job = {"run": run, "round": 0, "task": one["task"]}
        return [Send("evaluate", nothing)]
    workspace = await generalization_workspace({"run": run}, runtime)
    job: Job = {"run": run, "round": 0, "level": "test", "task": one["task"], "user": one["id"], "split": "test"}
    return [Send("evaluate", {**job, "system": system.id}) for system in workspace.problem.system_prompts]


graph = build()
"""What langgraph.json serves."""
