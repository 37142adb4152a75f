"""Optimize the system prompt of an agent, its tool included.

    MODEL=gpt-4o-mini OPENAI_API_KEY=... python examples/optimize_agent.py
    MODEL=qwen OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=none python examples/optimize_agent.py

The agent's model must call tools. The same agent on the command line, from the project's folder:

    metaspo optimize --base program:examples.optimize_agent:clerk ...
"""

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import metaspo

ARTICLES = "lamp chair desk shelf rug mirror vase clock stool bench frame basket".split()
STOCK = {article: (place * 7) % 10 for place, article in enumerate(ARTICLES)}


@tool
def in_stock(article: str) -> int:
    """How many pieces of an article are in stock; `article` is one word in the singular, such as lamp."""
    return STOCK.get(article, 0)


class State(MessagesState):
    """The slot: the optimization fills in `system_prompt` beside the message."""

    system_prompt: str


def clerk() -> Any:
    """A shop's clerk: a model that may look things up before it answers."""
    model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini"), temperature=0, max_retries=0).bind_tools([in_stock])

    def think(state: State) -> dict[str, Any]:
        return {"messages": [model.invoke([SystemMessage(state["system_prompt"]), *state["messages"]])]}

    graph = StateGraph(State).add_node("think", think).add_node("tools", ToolNode([in_stock]))
    graph.add_edge(START, "think").add_conditional_edges("think", tools_condition).add_edge("tools", "think")
    return graph.compile(name="clerk")


ORDERS = metaspo.Task(
    name="orders",
    examples=[
        {"question": f"Can I have {wanted} of the article '{article}' today?", "answer": "yes" if wanted <= left else "no"}
        for article, left in STOCK.items()
        for wanted in (2, 4, 6)
    ],
    user_prompt="A customer asks:\n{question}\nEnd with yes or no.",
    reader={"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
)


def main(argv: Sequence[str] | None = None) -> None:
    """Optimize the clerk's system prompt and print what came of it."""
    parser = argparse.ArgumentParser(description="Optimize the system prompt of an agent with a tool.")
    parser.add_argument("--optimizer", help="a model spec; the agent's own model if none")
    parser.add_argument("--store", default="examples.db")
    given = parser.parse_args(argv)
    name, url = os.environ.get("MODEL", "gpt-4o-mini"), os.environ.get("OPENAI_BASE_URL")
    own = f"server:{name},base_url={url},api_key_env=OPENAI_API_KEY" if url else f"openai:{name}"
    result = metaspo.optimize(
        tasks=[ORDERS], base=metaspo.program(clerk(), name="clerk", version=f"1 on {name}", concurrency=8),
        optimizer=given.optimizer or own, store=given.store, method="outer_only", preset="quick", test_size=20,
    )  # fmt: skip
    print(json.dumps(metaspo.brief(result), indent=2))


if __name__ == "__main__":
    main()
