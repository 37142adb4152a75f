"""What others see of a run as it works: streams, callbacks, traces, limits."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import START, StateGraph

from metaspo import Task
from metaspo.graph.bilevel import build, graph
from metaspo.models.registry import registry
from metaspo.reports.report import open_report
from metaspo.workspace.context import Context
from metaspo.workspace.state import State

from ..helpers.endpoint import Endpoint, say
from ..helpers.scripts import uneven


class Counting(AsyncCallbackHandler):
    """A user's own handler: which models were called, by role."""

    def __init__(self) -> None:
        self.roles = Counter[str]()

    async def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **more: Any) -> None:
        self.roles[more["metadata"]["role"]] += 1


def answer(request: web.Request, body: dict[str, Any], number: int) -> web.Response:
    from metaspo.domain.calls import Request

    messages = tuple((message["role"], message["content"]) for message in body["messages"])
    return say(uneven(Request(messages, 1, 0.0)))


def problem(make_task: Callable[..., Task], **settings: Any) -> dict[str, Any]:
    block = make_task("a").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {"tasks": [block], "preset": "quick", "method": "metaspo", "iterations": 1, "test_size": 4, **settings}


async def test_callbacks_reach_the_models_and_messages_stream_the_optimizer_alone(
    make_task: Callable[..., Task], store_path: Path, endpoint: Endpoint
) -> None:
    endpoint.act = answer
    counting = Counting()
    context = Context.model_validate({"base": endpoint.spec(), "optimizer": endpoint.spec(), "store": str(store_path)})
    streamed = Counter[str]()
    async with registry().used():
        given = graph.astream(
            problem(make_task), {"callbacks": [counting]}, context=context, stream_mode=["messages", "custom"]
        )
        async for mode, chunk in given:
            if mode == "messages":
                message, metadata = chunk  # type: ignore[misc]
                assert message.text
                streamed[metadata["langgraph_node"]] += 1
    assert sum(counting.roles.values()) == len(endpoint.seen) and counting.roles["base"] > 16
    assert set(streamed) == {"analyze_failures", "propose_user_prompts", "propose_system_prompts"}
    assert sum(streamed.values()) == counting.roles["optimizer"]
    # Streamed replies would have come without their token counts.
    usage = open_report(store_path).usage
    assert (usage.input_tokens, usage.output_tokens) == (10 * len(endpoint.seen), 2 * len(endpoint.seen))


class Hearing(BaseCallbackHandler):
    """The same for code without an event loop."""

    def __init__(self) -> None:
        self.roles = Counter[str]()

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **more: Any) -> None:
        self.roles[more["metadata"]["role"]] += 1


def test_callbacks_and_messages_reach_code_without_an_event_loop(
    make_task: Callable[..., Task], store_path: Path, endpoint: Endpoint
) -> None:
    endpoint.act = answer
    hearing, counting = Hearing(), Counting()
    context = Context.model_validate({"base": endpoint.spec(), "optimizer": endpoint.spec(), "store": str(store_path)})
    config: Any = {"callbacks": [hearing, counting]}
    parts = [*graph.stream(problem(make_task), config, context=context, stream_mode=["messages", "custom"])]  # type: ignore[call-overload]
    written = [message.text for mode, (message, _) in (part for part in parts if part[0] == "messages")]
    assert all(written) and len(written) == hearing.roles["optimizer"]
    assert sum(hearing.roles.values()) == len(endpoint.seen) and counting.roles == hearing.roles


async def test_the_users_recursion_limit_counts(make_task: Callable[..., Task], store_path: Path) -> None:
    context = Context.model_validate({"base": "scripted:dice", "optimizer": "scripted:dice", "store": str(store_path)})
    async with registry().used():
        with pytest.raises(GraphRecursionError):
            await graph.ainvoke(problem(make_task), {"recursion_limit": 3}, context=context)


async def test_a_long_search_inside_another_graph_hits_no_limit(make_task: Callable[..., Task], store_path: Path) -> None:
    context = Context.model_validate(
        dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:always_wrong") | {"store": str(store_path)}
    )
    parent = StateGraph(State, context_schema=Context)
    parent.add_node("search", build())
    parent.add_edge(START, "search")
    agent = parent.compile(checkpointer=InMemorySaver())
    given: Any = problem(make_task, iterations=6, user_candidates=1, system_candidates=1, train_size=4)
    async with registry().used():
        values = await agent.ainvoke(
            given, {"configurable": {"thread_id": "6f0f3c1e-4f0f-4a55-8f39-0c6a3f6f2d11"}}, context=context
        )
    assert len(values["rounds"]) == 14


MODES: list[Any] = ["values", "updates", "tasks", "checkpoints", "debug", "custom"]


async def test_no_stream_repeats_the_examples_also_from_inside_another_graph(
    make_task: Callable[..., Task], store_path: Path
) -> None:
    context = Context.model_validate({"base": "scripted:dice", "optimizer": "scripted:dice", "store": str(store_path)})
    given = problem(make_task, train_size=4)
    last = given["tasks"][0]["examples"][-1]["question"]
    own = build(InMemorySaver())
    builder = StateGraph(State, context_schema=Context).add_node("search", build()).add_edge(START, "search")
    outer = builder.compile(checkpointer=InMemorySaver())
    one, other = ({"configurable": {"thread_id": f"6f0f3c1e-4f0f-4a55-8f39-0c6a3f6f2d2{n}"}} for n in (1, 2))
    alone, inside = Counter[str](), Counter[str]()
    async with registry().used():
        async for mode, part in own.astream(given, one, context=context, stream_mode=MODES):  # type: ignore[call-overload]
            alone[mode] += repr(part).count(last)
        async for place, mode, part in outer.astream(given, other, context=context, stream_mode=MODES, subgraphs=True):  # type: ignore[call-overload]
            inside[mode] += repr(part).count(last) if place else 0
        events = [event async for event in graph.astream_events(given, context=context, version="v2")]  # type: ignore[call-overload]
    assert set(alone) == set(inside) == set(MODES) and not +alone and not +inside
    # The start and the end of the whole run say what it was given, and no node's.
    told = [event["name"] for event in events if last in repr(event["data"].get("input", {}).get("tasks"))]
    assert len(told) < 4 and set(told) <= {"metaspo", "__start__"}
