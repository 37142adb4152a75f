"""Somebody's own graphs on a strict server, with ours inside: what their context says of us, and how ours is called."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from metaspo.reports.listing import list_runs

from ..helpers.agent_server import ROOT, AgentServer

DESK = """
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.graph import START, StateGraph

import metaspo

inner = metaspo.build_graph()


@dataclass
class DeskContext:
    user: str = "me"
    metaspo: Any = None


class Desk(TypedDict, total=False):
    tasks: list
    preset: str
    method: str
    iterations: int
    train_size: int
    test_size: int
    run: str
    found: list


async def train(state):
    return {"found": [(await inner.ainvoke(state))["run"]]}


def block(state):
    return {"found": [inner.invoke(state)["run"]]}


def graph(name, node):
    return StateGraph(Desk, context_schema=DeskContext).add_node(name, node).add_edge(START, name).compile()


shared, mapped, blocking = graph("optimize", inner), graph("train", train), graph("block", block)
"""
GIVEN = {"tasks": ["app_reviews"], "preset": "quick", "method": "metaspo", "iterations": 1, "train_size": 4, "test_size": 4}
DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "desk.py").write_text(DESK)
    graphs = {name: f"./desk.py:{name}" for name in ("shared", "mapped", "blocking")}
    config = json.loads((ROOT / "langgraph.json").read_text()) | {"dependencies": [str(ROOT), "."], "graphs": graphs}
    (folder / "langgraph.json").write_text(json.dumps(config))
    server = AgentServer(folder, "langgraph", "dev", "--no-reload", strict=True)
    yield server
    server.stop()


async def answer(client: LangGraphClient, graph: str, context: Any) -> Any:
    thread = (await client.threads.create())["thread_id"]
    return await client.runs.wait(thread, graph, input=GIVEN, context=context, raise_error=False)


@pytest.mark.long
@pytest.mark.parametrize("graph", ["shared", "mapped"])
async def test_a_clients_context_reaches_ours_by_its_key(graph: str, client: LangGraphClient, server: AgentServer) -> None:
    found = await answer(client, graph, {"user": "her", "metaspo": DICE})
    run = found["run"] if graph == "shared" else found["found"][0]
    [row] = [row for row in list_runs(server.store) if row["run"] == run]
    assert row["status"] == "done"


@pytest.mark.long
@pytest.mark.parametrize(
    ("graph", "context", "said"),
    [
        (
            "shared",
            {"user": "her"},
            "looked for under 'metaspo' in the context, and this one is a DeskContext without it; write ",
        ),
        ("mapped", None, "looked for under 'metaspo' in the context, and this one is a DeskContext without it; write "),
        ("shared", {"metaspo": DICE | {"base": "scripted:subprocess:getoutput"}}, "this server asks no model"),
        ("mapped", {"metaspo": DICE | {"base": "program:subprocess:getoutput"}}, "this server asks no model"),
        (
            "shared",
            {"metaspo": DICE | {"store": "/tmp/elsewhere.db"}},
            "'metaspo' in the context: store: this server takes none",
        ),
        ("blocking", {"metaspo": DICE}, "works in an event loop only: call this graph with await graph.ainvoke(...)"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(graph: str, context: Any, said: str, client: LangGraphClient) -> None:
    found = await answer(client, graph, context)
    assert said in found["__error__"]["message"]
