"""Optimization as a tool: an agent decides that a prompt should get better and reads a compact result.

    MODEL=gpt-4o-mini OPENAI_API_KEY=... python examples/tool.py
    MODEL=qwen OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=none python examples/tool.py

The agent's model must call tools. What is optimized runs on the built-in model unless --base says otherwise.
"""

import argparse
import os
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import SystemMessage
from langchain_core.tools import BaseTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import metaspo

ORDERS = SystemMessage(
    "You look after the system prompt of a shop's assistant. If somebody complains about it, optimize the prompt for "
    "the task in question, then say in two sentences whether the new one is better and give its run id."
)
COMPLAINT = "The assistant misjudges app reviews. Its prompt is: You are a helpful assistant. Spend 1,000 calls at most."


def agent(tool: BaseTool) -> Any:
    """An agent with the optimization as its one tool."""
    model = ChatOpenAI(model=os.environ.get("MODEL", "gpt-4o-mini")).bind_tools([tool])

    def decide(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke([ORDERS, *state["messages"]])]}

    graph = StateGraph(MessagesState).add_node("decide", decide).add_node("tools", ToolNode([tool]))
    graph.add_edge(START, "decide").add_conditional_edges("decide", tools_condition).add_edge("tools", "decide")
    return graph.compile(name="prompt keeper")


def main(argv: Sequence[str] | None = None) -> None:
    """Complain to the agent and print the conversation."""
    parser = argparse.ArgumentParser(description="Optimization as a tool of an agent.")
    parser.add_argument("complaint", nargs="?", default=COMPLAINT)
    parser.add_argument("--base", default="local:smollm2")
    parser.add_argument("--optimizer", default="local:smollm2,max_tokens=100")
    parser.add_argument("--store", default="examples.db")
    given = parser.parse_args(argv)
    tool = metaspo.optimization_tool(
        base=given.base, optimizer=given.optimizer, store=given.store, budget={"calls": 2000}, test_size=20
    )
    state = agent(tool).invoke({"messages": [("user", given.complaint)]})
    for message in state["messages"]:
        message.pretty_print()


if __name__ == "__main__":
    main()
