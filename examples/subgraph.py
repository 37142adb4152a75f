"""The optimization as a node of another graph, once with shared and once with mapped state.

    python examples/subgraph.py                                        # the built-in model, minutes
    python examples/subgraph.py --base scripted:dice --optimizer scripted:dice
    python examples/subgraph.py --approve system                       # asks at this terminal

Shared: the optimization is added as a node as it is. Whatever keys of its input and output the outer
state has are handed over under their own names, and the outer context is a `metaspo.Context`.

Mapped: the outer state speaks of other things. A node puts them into the optimization's words and its
result back into the outer ones. The outer context is its own too, and holds the optimization's as `metaspo`.

Both are the outer graph's: its checkpointer keeps them, its thread is theirs, and an interrupt of the
optimization stops the outer graph, which goes on with `Command(resume=...)`.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

import metaspo

SIZES: dict[str, Any] = {"preset": "quick", "train_size": 16, "test_size": 10, "iterations": 1}


class Coached(TypedDict, total=False):
    """Shared: `tasks` to `test_size` are the optimization's input, `run`, `incumbent` and `kept` its output."""

    tasks: list[Any]
    targets: list[Any]
    system_prompt: str
    preset: str
    iterations: int
    train_size: int
    test_size: int
    run: str
    incumbent: dict[str, Any]
    kept: dict[str, Any]
    memo: str


def write_memo(state: Coached) -> Coached:
    """The outer graph's own work with what the optimization found."""
    return {"memo": f"Run {state['run']} recommends: {state['incumbent']['text']}"}


def shared() -> "CompiledStateGraph[Coached, metaspo.Context, Coached, Coached]":
    """A graph whose first node is the optimization itself."""
    graph = StateGraph(Coached, context_schema=metaspo.Context)
    graph.add_node("optimize", metaspo.build_graph())
    graph.add_node("write_memo", write_memo)
    graph.add_edge(START, "optimize").add_edge("optimize", "write_memo").add_edge("write_memo", END)
    return graph.compile(checkpointer=InMemorySaver(), name="shared")


@dataclass
class DeskContext:
    """Mapped: what the desk is run with; the optimization looks for its own under `metaspo`."""

    metaspo: metaspo.Context
    staff: int = 3


class Desk(TypedDict, total=False):
    """Mapped: a support desk knows its topic, its assistant's persona and how good that is."""

    topic: str
    persona: str
    quality: float


optimization = metaspo.build_graph()


async def train_assistant(state: Desk) -> Desk:
    """Puts the desk's words into the optimization's and its result into the desk's."""
    problem = metaspo.Problem(tasks=[state["topic"]], targets=[], system_prompt=state["persona"], **SIZES)
    found = await optimization.ainvoke(problem)
    return {"persona": found["incumbent"]["text"], "quality": found["incumbent"]["score"]}


def mapped() -> "CompiledStateGraph[Desk, DeskContext, Desk, Desk]":
    """A graph with words and a context of its own around the optimization."""
    graph = StateGraph(Desk, context_schema=DeskContext)
    graph.add_node("train_assistant", train_assistant)
    graph.add_edge(START, "train_assistant").add_edge("train_assistant", END)
    return graph.compile(checkpointer=InMemorySaver(), name="mapped")


async def run(graph: Any, given: Any, context: metaspo.Context | DeskContext, thread: str) -> dict[str, Any]:
    """Invoke a graph and, as often as it stops to ask, hand the question to whoever sits at the terminal."""
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    state = await graph.ainvoke(given, config, context=context)
    while "__interrupt__" in state:
        request = state["__interrupt__"][0].value
        print(json.dumps(request, indent=2, ensure_ascii=False))
        answer = json.loads(await asyncio.to_thread(input, "answer as JSON> "))
        state = await graph.ainvoke(Command(resume={"id": request["id"], **answer}), config, context=context)
    return dict(state)


async def both(context: metaspo.Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """The end states of both ways."""
    problem = {"tasks": ["app_reviews"], "targets": [], "system_prompt": "You are a helpful assistant.", **SIZES}
    async with metaspo.opened():
        coached = await run(shared(), problem, context, "coached")
        desk = await run(mapped(), {"topic": "app_reviews", "persona": "You are brief."}, DeskContext(context), "desk")
    return coached, desk


def main(argv: Sequence[str] | None = None) -> None:
    """Run both ways and print what the outer graphs hold at the end."""
    parser = argparse.ArgumentParser(description="The optimization as a node of another graph.")
    parser.add_argument("--base", default="local:smollm2")
    parser.add_argument("--optimizer", default="local:smollm2,max_tokens=100")
    parser.add_argument("--store", default="examples.db")
    parser.add_argument("--approve", help="whose new prompts wait for a person: system, user or both")
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    coached, desk = asyncio.run(both(metaspo.Context.model_validate(given)))
    print(coached["memo"])
    print(f"{desk['persona']} ({desk['quality']:.2f} on its training examples)")


if __name__ == "__main__":
    main()
