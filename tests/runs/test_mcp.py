"""The assistants as MCP tools, called by a real MCP client: results as JSON, mistakes in a sentence to a model."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langgraph_sdk import get_client
from mcp import Client

from metaspo.reports.listing import list_runs
from metaspo.runs.graphs import SERVED

from ..helpers.agent_server import ROOT, AgentServer

DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
SMALL = {"tasks": ["app_reviews"], "preset": "quick", "method": "outer_only", "sizes": {"iterations": 1, "test_size": 2}}

TOOLS: dict[str, dict[str, Any]] = {
    "dice tool": {"context": DICE},
    "poor": {
        "context": {"base": "scripted:tests.helpers.scripts:uneven", "optimizer": "scripted:dice", "budget": {"calls": 9}}
    },
    "asks": {"context": {**DICE, "approve": "both"}},
    "keyless": {"context": {**DICE, "base": "openai:gpt-4o-mini"}},
    # Stopped by LangGraph, whose words are none of ours.
    "cut off": {"context": DICE, "config": {"recursion_limit": 2}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "langgraph.json").write_text(json.dumps(SERVED | {"dependencies": [str(ROOT)]}))
    server = AgentServer(folder, "langgraph", "dev", "--no-reload", "--n-jobs-per-worker", "4")
    for name, given in TOOLS.items():
        made = httpx.post(f"{server.url}/assistants", json={"graph_id": "metaspo", "name": name, **given})
        assert made.status_code == 200, made.text
    yield server
    server.stop()


CALL = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "dice_tool", "arguments": {"seed": %s}}}'


async def asked(server: AgentServer, method: str, params: Any) -> dict[str, Any]:
    """The answer to a request as it goes over the wire, whatever it holds."""
    async with httpx.AsyncClient(timeout=60) as client:
        message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        reply = await client.post(f"{server.url}/mcp", json=message, headers={"Accept": "application/json"})
    assert reply.json()["id"] == 7
    return dict(reply.json())


@pytest.mark.long
async def test_a_result_is_json_with_the_prompts(server: AgentServer) -> None:
    async with Client(f"{server.url}/mcp") as session:
        listed = {tool.name: tool for tool in (await session.list_tools()).tools}
        # The client holds the structured content to the output schema.
        result = await session.call_tool("dice_tool", SMALL)
    assert set(listed) == {"metaspo", "adapt", "generalize", "dice_tool", "poor", "asks", "keyless", "cut_off"}
    told = listed["dice_tool"].output_schema
    assert told is not None and set(told["properties"]) == {"run", "incumbent", "kept", "rounds"}
    assert "model calls" in (listed["metaspo"].description or "")
    assert set(listed["dice_tool"].input_schema["$defs"]) >= {"TaskSpec", "Sizes"}
    [content] = result.content
    assert content.type == "text" and not result.is_error
    found = json.loads(content.text)
    assert found == result.structured_content
    assert found["incumbent"]["text"] and "{question}" in found["kept"]["app_reviews"][0]["text"]
    # The run is there under its id, to be looked at and branched.
    assert [row["status"] for row in list_runs(server.store) if row["run"] == found["run"]] == ["done"]
    async with get_client(url=server.url) as client:
        state = await client.threads.get_state(found["run"])
    assert state["values"]["incumbent"] == found["incumbent"]


MISTAKES: list[tuple[str, Any, str]] = [
    ("dice_tool", {"taks": ["app_reviews"]}, "there is no argument 'taks'; write one of: tasks, system_prompt, method, "),
    ("dice_tool", {"sizes": {"keeps": 1}}, "unknown key 'sizes.keeps'; known keys: iterations, "),
    ("dice_tool", {"tasks": ["nowhere"]}, "no built-in task 'nowhere'"),
    ("dice_tool", {"tasks": "app_reviews"}, "tasks: 'app_reviews' is not a list; write [one, another]"),
    ("dice_tool", {"tasks": [{"name": "own"}]}, "'examples' is missing; add it; 'user_prompt' is missing; add it"),
    ("dice_tool", {"sizes": {"keep": 0}}, "sizes.keep: 0 is too small: write 1 or more"),
    ("dice_tool", {"method": "magic"}, "unknown method 'magic'; known: adapt, "),
    ("dice_tool", {"system_prompt": " "}, "the system prompt is empty; write one"),
    ("dice_tool", [], "the arguments are an object with any of tasks, "),
    ("dice_tool", "", "the arguments are an object with any of tasks, "),
    ("dice_tool", [1], "the arguments are an object with any of tasks, "),
    ("keyless", SMALL, "openai:gpt-4o-mini needs a key: set the environment variable OPENAI_API_KEY"),
    ("poor", SMALL, "the budget of 9 calls is spent; ask for less: preset quick, fewer tasks, smaller sizes; what run "),
    ("asks", SMALL, "waits for a person, who has to accept new prompts in Studio or with 'metaspo approve "),
    ("cut_off", SMALL, "the run failed inside metaspo (GraphRecursionError), by no fault of your call that is known"),
]


@pytest.mark.long
@pytest.mark.parametrize(("tool", "given", "says"), MISTAKES, ids=[f"{tool}-{at}" for at, (tool, _, _) in enumerate(MISTAKES)])
async def test_a_mistake_is_answered_in_a_sentence(tool: str, given: Any, says: str, server: AgentServer) -> None:
    answer = await asked(server, "tools/call", {"name": tool, "arguments": given})
    [content] = answer["result"]["content"]
    assert answer["result"]["isError"] is True and says in content["text"]
    assert "\n" not in content["text"] and "Traceback" not in content["text"] and "pydantic" not in content["text"]
    assert str(ROOT) not in content["text"] and str(server.store.parent) not in content["text"]


@pytest.mark.long
async def test_a_run_that_a_budget_stopped_goes_on_under_the_id_that_the_answer_names(server: AgentServer) -> None:
    answer = await asked(server, "tools/call", {"name": "poor", "arguments": {**SMALL, "seed": 1}})
    said = answer["result"]["content"][0]["text"]
    run = said.partition("what run ")[2].split()[0]
    async with get_client(url=server.url) as client:
        found: Any = await client.runs.wait(run, "metaspo", input=None, context={"budget": {"calls": 20_000}})
    assert found["run"] == run and found["incumbent"]["text"]


async def test_a_tool_that_is_not_there_is_named_with_those_that_are(server: AgentServer) -> None:
    answer = await asked(server, "tools/call", {"name": "dice", "arguments": {}})
    assert answer["error"]["code"] == -32602
    assert (
        answer["error"]["message"].startswith("there is no tool 'dice'; there are: ")
        and "dice_tool" in answer["error"]["message"]
    )


@pytest.mark.long
async def test_calls_at_once_are_each_answered(server: AgentServer) -> None:
    calls = [{"name": "dice_tool", "arguments": {**SMALL, "seed": seed % 2}} for seed in range(6)]
    answers = await asyncio.gather(*(asked(server, "tools/call", call) for call in calls))
    found = [answer["result"]["structuredContent"] for answer in answers]
    assert len({one["run"] for one in found}) == 6 and all(one["incumbent"]["text"] for one in found)


async def test_what_is_no_call_goes_to_the_server(server: AgentServer) -> None:
    assert (await asked(server, "ping", {}))["result"] == {}
    assert (await asked(server, "resources/list", {}))["error"]["code"] == -32601
    async with httpx.AsyncClient() as client:
        odd = [await client.post(f"{server.url}/mcp", content=body) for body in (b"", b"[]", b"{", b'{"id": 1}')]
        odd += [
            await client.post(f"{server.url}/mcp", content=CALL % value.encode(), headers={"Accept": "application/json"})
            for value in ("NaN", '"\\ud800"', "1e999", "[" * 5000 + "]" * 5000)
        ]
    assert {reply.status_code for reply in odd} == {400}
