"""Traces: one for each round, wherever the graph is invoked, and endpoints that cost the run nothing."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ...helpers import forked
from ...helpers.endpoint import Endpoint, fail, say
from ...helpers.scripts import uneven
from ...helpers.trace_server import KEY, Mood, TraceServer

MODEL_KEY = "sk-proj-a1B2c3D4e5F6g7H8i9J0"

ROWS = [{"question": f"Is {n} odd?", "answer": "yes" if n % 2 else "no"} for n in range(40)]

GIVEN = {
    "tasks": [
        {
            "name": "parity", "examples": ROWS, "user_prompt": "Yes or no?\n{question}",
            "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        }
    ],
    "preset": "quick", "method": "metaspo", "train_size": 8, "test_size": 4, "judging": None,
}  # fmt: skip


def answer(request: web.Request, body: dict[str, Any], number: int) -> web.Response:
    from metaspo.domain.calls import Request

    messages = tuple((message["role"], message["content"]) for message in body["messages"])
    if "5 odd?" in messages[-1][1] and len(messages[-1][1]) < 200:
        return fail(400, f"content of {request.headers['Authorization']} was refused", "content_filter")
    return say(uneven(Request(messages, 1, 0.0)))


@pytest.fixture
def server() -> Iterator[TraceServer]:
    running = TraceServer()
    yield running
    running.close()


def run(script: str, folder: Path, where: dict[str, str]) -> str:
    environment = os.environ | {"OPENAI_API_KEY": MODEL_KEY} | where
    done = forked.run([sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sizes(server: TraceServer) -> dict[str, int]:
    return {name.partition(" round ")[2] or name: count for name, count in server.traces().items()}


@pytest.mark.long
def test_each_round_is_a_trace_of_its_own_that_holds_no_key(tmp_path: Path, endpoint: Endpoint, server: TraceServer) -> None:
    endpoint.act = answer
    model = endpoint.spec(api_key_env="OPENAI_API_KEY")
    script = (
        f"import metaspo; given = {GIVEN!r}; model = {model!r}\n"
        "print(metaspo.optimize(base=model, optimizer=model, iterations=3, patience=None, store='m.db', **given).run)"
    )
    found = run(script, tmp_path, server.environment()).strip()
    traces = sizes(server)
    rounds = ["0 (seed)", "1 (user)", "2 (system)", "3 (user)", "4 (system)", "5 (user)", "6 (system)", "7 (test)"]
    assert set(traces) == {"metaspo", *rounds}
    # Every call is in one of them, and none grows with the rounds: what repeats is what was already paid for.
    calls = [one for one in server.runs.values() if one["run_type"] == "llm"]
    assert len(calls) == len(endpoint.seen)
    assert max(traces[name] for name in rounds[3:7]) <= max(traces[name] for name in rounds[1:3]) and traces["metaspo"] == 2
    roots = [one for one in server.runs.values() if one["id"] == one["trace_id"] and "round" in one["name"]]
    assert {one["extra"]["metadata"]["metaspo_run"] for one in roots} == {found}
    assert all(one["name"].startswith(f"metaspo {found[:8]} round") for one in roots)
    assert all(f"metaspo_run:{found}" in one["tags"] and one["end_time"] for one in roots)
    assert all(one["outputs"]["score"] is not None for one in roots)
    # The endpoint has repeated its key in a refusal, which is among the traces.
    assert any("was refused" in str(one.get("error")) for one in calls)
    bodies = b"".join(server.bodies).decode("utf-8", "replace")
    assert MODEL_KEY not in bodies and KEY not in bodies


NESTED = """
import asyncio, sys
from langgraph.graph import START, StateGraph
from metaspo.graph.bilevel import build
from metaspo.workspace.tracing import round_tracer as tracing
from metaspo.workspace.context import Context
from metaspo.workspace.state import State
import metaspo

tracing.MOST = {most}
context = Context.model_validate(dict(base={model!r}, optimizer={model!r}, store="m.db"))
inner = build()

async def search(state):
    return {{"run": (await inner.ainvoke({given!r}, context=context))["run"]}}

def builds(node):
    return StateGraph(State, context_schema=Context).add_node("search", node).add_edge(START, "search").compile(name="agent")

async def main():
    async with metaspo.opened():
        # Called in a node, and standing there as one.
        await builds(search).ainvoke({{}})
        await builds(inner).ainvoke({given!r}, context=context)

asyncio.run(main())
with metaspo.opened():
    builds(inner).invoke({given!r}, context=context)
"""


@pytest.mark.long
def test_inside_a_traced_agent_the_rounds_stand_beside_its_trace_and_a_full_one_goes_on(
    tmp_path: Path, endpoint: Endpoint, server: TraceServer
) -> None:
    endpoint.act = answer
    run(NESTED.format(most=20, model=endpoint.spec(), given=GIVEN | {"iterations": 1}), tmp_path, server.environment())
    agents = [one["id"] for one in server.runs.values() if one["name"] == "agent"]
    assert [server.runs[one]["trace_id"] for one in agents] == agents and len(agents) == 3
    for agent in agents:
        within = Counter(one["name"] for one in server.runs.values() if one["trace_id"] == agent)
        assert within["search"] == within["metaspo"] == 1 and within.total() <= 5
    roots = {one["id"]: one["name"] for one in server.runs.values() if one["id"] == one["trace_id"]}
    assert Counter(name.partition(" round ")[2] for name in roots.values())["2 (system)"] == 3
    assert any(name.endswith("(system), part 2") for name in roots.values())
    per_trace = Counter(one["trace_id"] for one in server.runs.values())
    assert max(per_trace.values()) <= 20
    # A run is below one of its own trace, or the root.
    for one in server.runs.values():
        above = one.get("parent_run_id")
        assert (above is None) == (one["id"] == one["trace_id"])
        assert above is None or server.runs[above]["trace_id"] == one["trace_id"]
        assert above is None or one["dotted_order"].startswith(server.runs[above]["dotted_order"])


ENDS = """
import atexit, sys, time
left = []
# Called last of all: when what this process waits for is over.
atexit.register(lambda: print(time.monotonic() - left[0]))
from metaspo.cli.main import main
try:
    main("optimize --base scripted:dice --optimizer scripted:dice --method fixed --set train_size=4 --set test_size=4 --store m.db".split())
finally:
    left.append(time.monotonic())
"""


@pytest.mark.long
def test_an_endpoint_that_takes_no_traces_holds_up_nothing_and_the_end_for_two_seconds_at_most(tmp_path: Path) -> None:
    moods: list[Mood] = ["silent", "full", "refusing"]
    servers = {mood: TraceServer(mood) for mood in moods}
    gone = TraceServer()
    gone.close()
    started = {}
    for mood, where in {**servers, "gone": gone}.items():
        (tmp_path / mood).mkdir()
        started[mood] = forked.Popen(
            [sys.executable, "-c", ENDS], cwd=tmp_path / mood, env=os.environ | where.environment(), text=True,
            stdout=forked.PIPE, stderr=forked.PIPE,
        )  # fmt: skip
    ended = {mood: (*process.communicate(timeout=300), process.returncode) for mood, process in started.items()}
    for mood, (out, err, code) in ended.items():
        assert code == 0, (mood, err)
        assert float(out.splitlines()[-1]) < 2, (mood, out.splitlines()[-1])
        # Complained of once at most, in a sentence.
        assert err.count("traces are being lost") <= 1 and "Traceback" not in err and KEY not in err
    assert all(server.asked.is_set() for server in servers.values())
    for server in servers.values():
        server.close()
    assert "traces are being lost" in ended["refusing"][1]
    assert {"metaspo", "evaluate", "select"} <= {one["name"] for one in servers["refusing"].runs.values()}
