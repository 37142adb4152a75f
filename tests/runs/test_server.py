"""`langgraph dev` as it comes from the clone: the drawing, the forms, the demo, its streams, its complaints."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import Problem
from metaspo.reports.listing import list_runs
from metaspo.runs.graphs import SERVED
from metaspo.store.database import Store
from metaspo.workspace.context import Context

from ..helpers.agent_server import ROOT, AgentServer
from ..helpers.trace_server import KEY, TraceServer

DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
CONFIG = json.loads((ROOT / "langgraph.json").read_text())


@pytest.fixture(scope="module")
def traced() -> Iterator[TraceServer]:
    """Where the server's traces go."""
    running = TraceServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, traced: TraceServer) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "langgraph.json").write_text(json.dumps(CONFIG | {"dependencies": [str(ROOT)]}))
    command = ("langgraph", "dev", "--no-reload", "--n-jobs-per-worker", "4")
    server = AgentServer(folder, *command, environment=traced.environment())
    yield server
    server.stop()


async def schemas_of(client: LangGraphClient, graph: str) -> dict[str, Any]:
    [assistant] = await client.assistants.search(graph_id=graph)
    return dict(await client.assistants.get_schemas(assistant["assistant_id"]))


def test_studio_serves_what_langgraph_json_serves() -> None:
    assert {key: CONFIG[key] for key in SERVED} == SERVED


async def test_every_graph_is_served_and_described(client: LangGraphClient) -> None:
    served = {row["graph_id"]: row["description"] for row in await client.assistants.search()}
    assert served == {name: graph["description"] for name, graph in CONFIG["graphs"].items()}


async def test_the_drawing_has_five_nodes_and_one_cycle_in_words(client: LangGraphClient) -> None:
    [assistant] = await client.assistants.search(graph_id="metaspo")
    graph = await client.assistants.get_graph(assistant["assistant_id"])
    does = {node["id"]: node["metadata"]["does"] for node in graph["nodes"] if not str(node["id"]).startswith("__")}
    assert len(does) == 5 and all(" " in words for words in does.values())
    labels = {(edge["source"], edge["target"]): edge.get("data") for edge in graph["edges"]}
    assert labels["select", "analyze_failures"] == "next level" and labels["select", "__end__"] == "done"
    assert labels["analyze_failures", "propose_user_prompts"] == "inner loop"
    # Every way round the cycle passes through select.
    assert {source for source, target in labels if target == "select"} == {"evaluate"}


async def test_the_forms_can_be_filled_in_and_their_defaults_are_the_demo(client: LangGraphClient) -> None:
    schemas = await schemas_of(client, "metaspo")
    for form, model in (("input_schema", Problem), ("context_schema", Context)):
        fields = schemas[form]["properties"]
        assert all(field.get("description") for field in fields.values()), form
        defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
        assert set(defaults) >= set(fields) - {"store"}
        assert model.model_validate(defaults) == model()
    prompt = schemas["input_schema"]["properties"]["system_prompt"]
    assert prompt["langgraph_type"] == "prompt" and set(prompt["langgraph_nodes"]) < {
        "evaluate",
        "propose_system_prompts",
        "select",
    }
    assert "metaspo" in schemas["input_schema"]["properties"]["method"]["enum"]
    assert schemas["context_schema"]["properties"]["base"]["type"] == "string"


@pytest.mark.long
async def test_the_demo_runs_and_keeps_little(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    events = Counter[str]()
    async for part in client.runs.stream(
        thread["thread_id"], "metaspo", input={"method": "metaspo"}, context=DICE, stream_mode="custom"
    ):
        assert part.event != "error", part.data
        events[part.data.get("event", part.event)] += 1
    assert events["round_opened"] == events["round_closed"] == 6 and {"scored", "proposed"} <= set(events)
    state: Any = await client.threads.get_state(thread["thread_id"])
    assert state["values"]["level"] == "done" and len(state["values"]["rounds"]) == 6
    assert len(json.dumps(state)) < 10_000
    history = await client.threads.get_history(thread["thread_id"], limit=100)
    assert len(history) > 15


@pytest.mark.long
async def test_each_round_is_a_trace_of_its_own(client: LangGraphClient, traced: TraceServer) -> None:
    thread = (await client.threads.create())["thread_id"]
    small = {"method": "metaspo", "iterations": 1, "train_size": 4, "test_size": 4}
    found: Any = await client.runs.wait(thread, "metaspo", input=small, context=DICE)
    expected = {f"metaspo {thread[:8]} round {row['round']} ({row['level']})" for row in found["rounds"]}
    for _ in range(100):
        ended = {one["id"]: one for one in [*traced.runs.values()] if one.get("end_time")}
        names = {one["name"]: one["id"] for one in ended.values() if f"metaspo_run:{thread}" in (one.get("tags") or ())}
        if set(names) == expected:
            break
        await asyncio.sleep(0.1)
    assert set(names) == expected and len(expected) > 3
    whole = [one for one in ended.values() if one["extra"]["metadata"].get("thread_id") == thread]
    per_trace = Counter(one["trace_id"] for one in whole)
    assert all(per_trace[root] > 1 for root in names.values())
    # What is not in a round is the graph's own run, and what the server puts around it.
    assert per_trace.total() - sum(per_trace[root] for root in names.values()) <= 3
    assert KEY not in json.dumps([*traced.runs.values()])


@pytest.mark.long
async def test_adapt_and_generalize_run_with_their_own_defaults(client: LangGraphClient) -> None:
    thread = await client.threads.create()
    adapted: Any = await client.runs.wait(thread["thread_id"], "adapt", input={"iterations": 1, "test_size": 4}, context=DICE)
    assert {row["level"] for row in adapted["rounds"]} == {"seed", "user", "test"}
    assert set(adapted["kept"]) == {"hotel_comments", "restaurant_comments", "garden_or_money"}
    thread = await client.threads.create()
    sizes = {"prompts": 2, "test_size": 4}
    found: Any = await client.runs.wait(thread["thread_id"], "generalize", input=sizes, context=DICE)
    assert [len(task["candidate"]["scores"]) for task in found["results"]["tasks"].values()] == [2, 2, 2]


@pytest.mark.long
async def test_a_person_approves_in_the_server(client: LangGraphClient, server: AgentServer) -> None:
    run = (await client.threads.create())["thread_id"]
    sizes = {"method": "metaspo", "iterations": 1, "test_size": 4, "system_candidates": 9}
    found: Any = await client.runs.wait(run, "metaspo", input=sizes, context=DICE | {"approve": "both"})
    levels = []
    while "__interrupt__" in found:
        [asked] = found["__interrupt__"]
        levels.append(asked["value"]["level"])
        shown: Any = await client.threads.get_state(run)
        assert shown["interrupts"][0]["value"] == asked["value"] and asked["value"]["changes"][0]["diff"]
        assert [row["status"] for row in list_runs(server.store) if row["run"] == run] == ["waiting"]
        # A run that goes on keeps its context: `approve` need not be said again.
        found = await client.runs.wait(run, "metaspo", command={"resume": {"decision": "accept"}})
    assert levels[0] == "user" and set(levels) == {row["level"] for row in found["rounds"] if row["accepted"]}


MISTAKES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"iterations": "many"}, {}, "ConfigError", "iterations: 'many' is no whole number"),
    ({"method": "magic"}, {}, "ConfigError", "unknown method 'magic'; known: "),
    ({"system_prompt": " "}, {}, "ConfigError", "the system prompt is empty; write one"),
    ({"system_prompt": "<locked>a"}, {}, "ConfigError", "system_prompt has stray marks: a locked part stands between"),
    ({"system_length": 9}, {}, "ConfigError", "system_prompt breaks its own rules: it is 28 characters long, more than 9"),
    ([], {}, "EditError", "a run is given an object, such as {'preset': 'quick'}, and not a list"),
    (5, {}, "EditError", "a run is given an object, such as {'preset': 'quick'}, and not 5"),
    ({"tasks": ["nowhere"]}, {}, "TaskError", "no built-in task 'nowhere'"),
    ({}, {"base": "gpt"}, "ModelError", "model 'gpt': the form is provider:name"),
    ({}, {"budget": {"calls": -1}}, "ConfigError", "budget.calls: -1 is too small: write 0 or more"),
    ({}, {"store": "elsewhere.db"}, "ConfigError", "leave 'store' out of the context, or start a server for the other file"),
]


@pytest.mark.long
async def test_mistakes_are_answered_in_our_words(client: LangGraphClient) -> None:
    async def last(given: dict[str, Any], context: dict[str, Any]) -> Any:
        thread = (await client.threads.create())["thread_id"]
        said: Any = await client.runs.wait(thread, "metaspo", input=given, context=DICE | context, raise_error=False)
        return said["__error__"]

    answers = await asyncio.gather(*(last(given, context) for given, context, _, _ in MISTAKES))
    for answer, (_, _, kind, said) in zip(answers, MISTAKES, strict=True):
        assert answer["error"] == kind and said in answer["message"]
        assert "Traceback" not in answer["message"] and "pydantic" not in answer["message"]


@pytest.mark.long
async def test_two_clients_at_once_pay_once(client: LangGraphClient, server: AgentServer) -> None:
    """Two threads with the same problem work at the same time; each call is made for one of them."""
    given: dict[str, Any] = {"iterations": 1, "test_size": 0, "seed": 7}
    slow = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:slow")

    async def run() -> tuple[str, Any]:
        async with get_client(url=server.url) as own:
            thread = (await own.threads.create())["thread_id"]
            return thread, await own.runs.wait(thread, "metaspo", input=given, context=slow)

    (first, one), (second, other) = await asyncio.gather(run(), run())
    assert first != second and one["kept"] == other["kept"] and one["incumbent"] == other["incumbent"]
    paid = [row["calls"] for row in list_runs(server.store) if row["run"] in (first, second)]
    store = Store(server.store)
    asked = store.db.execute("SELECT count(DISTINCT request), count(*) FROM calls WHERE run IN (?, ?)", [first, second])
    different, made = asked.fetchone()
    store.close()
    assert different == made == sum(paid) > 100
