"""Programs under optimization for tests: `program:tests.helpers.programs:NAME`. Their models are scripted or at MODEL_URL."""

import os
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph, add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.runtime import Runtime
from langgraph.types import interrupt


@tool
def is_odd(number: int) -> str:
    """Tell whether a number is odd."""
    return "odd" if number % 2 else "even"


class Clerk(BaseChatModel):
    """Uses the tool once if the system prompt says so, then says yes to odd numbers; else it says no."""

    @property
    def _llm_type(self) -> str:
        return "clerk"

    def bind_tools(self, tools: Any, **kwargs: Any) -> "Clerk":  # type: ignore[override]
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        usage: Any = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
        if messages[-1].type == "tool":
            message = AIMessage("yes" if messages[-1].text == "odd" else "no", usage_metadata=usage)
        elif messages[0].type == "system" and "tool" in messages[0].text:
            [number] = [int(word) for word in messages[-1].text.split() if word.isdigit()]
            call = ToolCall(name="is_odd", args={"number": number}, id="1")
            message = AIMessage("", tool_calls=[call], usage_metadata=usage)
        else:
            message = AIMessage("no", usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    system_prompt: str


@dataclass
class Context:
    system_prompt: str = ""


async def _think(state: State) -> dict[str, Any]:
    return {"messages": [await Clerk().ainvoke([SystemMessage(state["system_prompt"]), *state["messages"]])]}


async def _think_in_context(state: MessagesState, runtime: Runtime[Context]) -> dict[str, Any]:
    return {"messages": [await Clerk().ainvoke([SystemMessage(runtime.context.system_prompt), *state["messages"]])]}


def _agent(state: Any, think: Any, context: Any = None) -> Any:
    graph = StateGraph(state, context_schema=context)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([is_odd]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph


memory = InMemorySaver()
slot_in_state = _agent(State, _think).compile(checkpointer=memory)
slot_in_context = _agent(MessagesState, _think_in_context, Context).compile()
no_slot = _agent(MessagesState, _think).compile()
chain = ChatPromptTemplate([("system", "{system_prompt}"), ("placeholder", "{messages}")]) | RunnableLambda(
    lambda prompt: Clerk().invoke(prompt) if "tool" not in str(prompt) else "yes"
)


def make(system_prompt: str) -> Runnable[Any, Any]:
    """A graph that is built around its system prompt, as create_agent builds one."""

    async def think(state: MessagesState) -> dict[str, Any]:
        return await _think({"messages": state["messages"], "system_prompt": system_prompt})

    return _agent(MessagesState, think).compile()  # type: ignore[no-any-return]


def factory() -> Any:
    """Anything that takes no parameter."""
    return slot_in_state


def chat(**settings: Any) -> ChatOpenAI:
    """A chat model at the endpoint of a test."""
    return ChatOpenAI(model="m", base_url=os.environ["MODEL_URL"], api_key=lambda: "none", max_retries=0, **settings)


def asking() -> Any:
    """An agent that asks a person."""

    def ask(state: State) -> dict[str, Any]:
        return {"messages": [AIMessage(str(interrupt("may I?")))]}

    return StateGraph(State).add_node("ask", ask).add_edge(START, "ask").add_edge("ask", END).compile(checkpointer=memory)


def circling() -> Any:
    """An agent that never comes to an end."""

    def turn(state: State) -> dict[str, Any]:
        return {"messages": [Clerk().invoke(state["messages"])]}

    return StateGraph(State).add_node("turn", turn).add_edge(START, "turn").add_edge("turn", "turn").compile()


def failing(given: dict[str, Any]) -> str:
    """A program with a mistake in it."""
    return str(given["no such key"])


broken = RunnableLambda(failing)
numeric = RunnableLambda(lambda given: 42)
number = 42

listened: list[BaseMessage] = []
"""What `listener` was given last."""


def _listen(state: State) -> dict[str, Any]:
    listened[:] = state["messages"]
    return {"messages": [AIMessage(f"{len(listened)} turns under {state['system_prompt']}")]}


listener = StateGraph(State).add_node("listen", _listen).add_edge(START, "listen").add_edge("listen", END).compile()
silent = StateGraph(State).add_node("listen", lambda state: {}).add_edge(START, "listen").add_edge("listen", END).compile()
