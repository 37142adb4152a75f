"""Optimization as a tool of an agent."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolCall, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError, ModelError
from metaspo.domain.tool_words import to_a_model
from metaspo.reports.history import history
from metaspo.store.database import Store
from metaspo.workspace import method
from metaspo.workspace.method import Method, Step
from metaspo.workspace.serving import serve_by
from metaspo.workspace.settings import Settings

from ..helpers.hostile import task


@pytest.fixture
def tool(make_task: Callable[..., Task], store_path: Path) -> StructuredTool:
    return metaspo.optimization_tool(
        tasks=[make_task("a"), make_task("b")], base="program:tests.helpers.programs:slot_in_state", preset="quick", test_size=8,
        optimizer="scripted:tests.helpers.scripts:finds_the_tool", method="outer_only", store=store_path, budget={"calls": 900},
    )  # fmt: skip


def test_an_agent_gets_a_compact_result(tool: StructuredTool, store_path: Path) -> None:
    found: dict[str, Any] = tool.invoke({"tasks": ["b"]})
    assert len(json.dumps(found)) < 1000 and set(found["scores"]) == {"b"}
    assert found["scores"]["b"]["before"] < found["scores"]["b"]["after"] == 1.0
    report = metaspo.open_report(store_path, found["run"])
    assert (report.system_after, report.usage.total_calls) == (found["system_prompt"], found["calls"])
    assert found["status"] == "done" and found["change"]["low"] <= found["change"]["value"] <= found["change"]["high"]


def test_an_agent_sees_what_it_can_choose(tool: StructuredTool) -> None:
    schema = tool.tool_call_schema.model_json_schema()["properties"]  # type: ignore[union-attr]
    assert set(schema) == {"system_prompt", "tasks", "calls"}
    assert "a, b" in schema["tasks"]["description"] and schema["system_prompt"]["default"] == "You are a helpful assistant."


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"tasks": ["c"]}, "there is no task 'c'; there are: a, b"),
        ({"calls": 901}, "calls: 901 is too large: write 900 or less"),
    ],
)
def test_an_agent_is_told_its_mistakes(wish: dict[str, Any], says: str, tool: StructuredTool) -> None:
    answer = tool.invoke(ToolCall(name=tool.name, args=wish, id="1", type="tool_call"))
    assert isinstance(answer, ToolMessage) and answer.status == "error" and says in answer.text


def test_a_budget_that_ends_it_is_told(tool: StructuredTool) -> None:
    found = tool.invoke({"calls": 40})
    assert (found["status"], found["scores"], found["change"], found["calls"]) == ("stopped", {}, None, 40)
    assert "the budget of 40 calls is spent" in found["stopped"]


def test_wrong_settings_are_found_when_the_tool_is_made(make_task: Callable[..., Task]) -> None:
    with pytest.raises(ModelError, match="the form is"):
        metaspo.optimization_tool(tasks=[make_task("a")], base="x")
    with pytest.raises(ConfigError, match="unknown key 'bass'"):
        metaspo.optimization_tool(bass="x")


@pytest.mark.long
async def test_inside_an_agent_the_run_keeps_a_thread_of_its_own(tool: StructuredTool, store_path: Path) -> None:
    def decide(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("", tool_calls=[ToolCall(name=tool.name, args={}, id=str(n)) for n in range(2)])]}

    graph = StateGraph(MessagesState).add_node("decide", decide).add_node("tools", ToolNode([tool]))
    agent = (
        graph.add_edge(START, "decide").add_edge("decide", "tools").add_edge("tools", END).compile(checkpointer=InMemorySaver())
    )
    config: Any = {"configurable": {"thread_id": "talk"}, "recursion_limit": 10}
    state = await agent.ainvoke({"messages": [("user", "Make it better.")]}, config)
    runs = [json.loads(message.text)["run"] for message in state["messages"] if isinstance(message, ToolMessage)]
    assert len(set(runs)) == 2
    with closing(Store(store_path)) as store:
        rows = store.db.execute("select distinct thread_id, checkpoint_ns from checkpoints").fetchall()
    assert sorted(rows) == sorted((run, "") for run in runs)
    rounds = [[(row["level"], row["checkpoint"] is not None) for row in history(store_path, run)] for run in runs]
    assert rows and rounds == [[("seed", True), ("system", True), ("test", True)]] * 2


def test_an_argument_that_there_is_not_is_refused_before_it_costs_anything(tool: StructuredTool) -> None:
    answer = tool.invoke(ToolCall(name=tool.name, args={"task": ["a"]}, id="1", type="tool_call"))
    assert answer.status == "error"
    assert answer.text == "task: there is no such argument; write one of: system_prompt, tasks, calls"


def test_an_agent_sees_json_with_the_prompts(tool: StructuredTool) -> None:
    answer = tool.invoke(ToolCall(name=tool.name, args={"tasks": ["b"], "calls": 40}, id="1", type="tool_call"))
    found = json.loads(answer.text)
    assert answer.status == "success" and found["system_prompt"] and "{question}" in found["user_prompts"]["b"]


def test_what_goes_wrong_with_us_is_told_without_its_words(
    make_task: Callable[..., Task], store_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def schedule(sizes: Settings) -> list[Step]:
        raise KeyError(f"{store_path} sk-abcdefghijklmnop")

    monkeypatch.setitem(method._methods, "broken", Method("broken", "A method of somebody's own.", schedule))
    tool = metaspo.optimization_tool(
        tasks=[make_task("a")],
        base="scripted:dice",
        optimizer="scripted:dice",
        method="broken",
        preset="quick",
        store=store_path,
    )
    answer = tool.invoke(ToolCall(name=tool.name, args={}, id="1", type="tool_call"))
    assert answer.status == "error"
    assert answer.text == to_a_model("KeyError", "") and "schedule" in caplog.text


class TestAGraphAsATool:
    """`build_graph().as_tool()`: the form as its arguments."""

    @pytest.fixture
    def tool(self) -> Any:
        return metaspo.build_graph().as_tool(name="search", description="Searches.")

    async def called(self, tool: Any, **arguments: Any) -> ToolMessage:
        message: ToolMessage = await tool.ainvoke(ToolCall(name="search", args=arguments, id="1", type="tool_call"))
        return message

    async def test_mistakes_are_answered_in_a_sentence(self, tool: Any) -> None:
        for arguments, says in (
            ({"taks": []}, "there is no argument 'taks'; write one of: tasks, system_prompt, "),
            ({"tasks": ["nowhere"]}, "no built-in task 'nowhere'"),
            ({"sizes": {"keeps": 1}}, "unknown key 'sizes.keeps'"),
            ({"method": 3}, "method: 3 is not text"),
        ):
            answer = await self.called(tool, **arguments)
            assert answer.status == "error" and answer.text.startswith(says)

    def test_its_arguments_are_the_form(self, tool: Any) -> None:
        told = convert_to_openai_tool(tool)["function"]["parameters"]
        assert [*told["properties"]][:5] == ["tasks", "system_prompt", "method", "preset", "sizes"]
        assert "iterations" not in told["properties"]


@pytest.mark.long
def test_in_a_strict_server_its_own_tool_works_with_its_own_files(
    tool: StructuredTool, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program around a server is written with is no client's, also where it goes on or branches."""
    (store_path.parent / "own.yaml").write_text(json.dumps(task(name="own")))
    monkeypatch.setenv("METASPO_STORE", str(store_path))
    models = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")
    serve_by({})
    try:
        begun = metaspo.optimize(
            tasks=[store_path.parent / "own.yaml"],
            **models,
            preset="quick",
            test_size=4,
            store=store_path,
            budget={"calls": 60},
        )
        assert begun.stopped is not None
        assert metaspo.resume(begun.run, store=store_path, budget={}).stopped is None
        assert metaspo.branch(begun.run, at=1, store=store_path, iterations=1).report.run.parent == begun.run
        assert tool.invoke({"tasks": ["b"]})["status"] == "done"
    finally:
        serve_by({"METASPO_SERVE_TRUST": "1"})
