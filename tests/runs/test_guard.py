"""A server without a token: this machine may use it, and no page of another site, no other machine, no other name."""

import json
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import psutil
import pytest
from langgraph_sdk.client import LangGraphClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ..helpers.agent_server import ROOT, AgentServer
from ..helpers.endpoint import Endpoint

pytestmark = pytest.mark.long

STUDIO = "https://smith.langchain.com"
OTHERS = [
    "https://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.nip.io:2024", "http://127.0.0.1@evil.example",
    "https://smith.langchain.com.evil.example", "https://evilsmith.langchain.com", "http://smith.langchain.com",
    "https://smith.langchain.com:444", "file://", "chrome-extension://abc", "http://[::2]", "",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("guard")
    config = json.loads((ROOT / "langgraph.json").read_text())
    (folder / "langgraph.json").write_text(json.dumps(config | {"dependencies": [str(ROOT)]}))
    endpoint = Endpoint()
    models = {"METASPO_SERVE_MODELS": f"near=server:m,base_url={endpoint.url}"}
    server = AgentServer(folder, "langgraph", "dev", "--no-reload", "--host", "0.0.0.0", strict=True, environment=models)
    yield server
    server.stop()
    endpoint.close()


Answer = tuple[int, Mapping[str, str], str]


def ask(
    server: AgentServer, method: str, path: str, body: bytes | None = None, *, at: str = "127.0.0.1", **headers: str
) -> Answer:
    """A request as it is written, its headers' names with _ for -; nothing is added but a Host where none is given."""
    connection = HTTPConnection(at, int(server.url.rpartition(":")[2]), timeout=20)
    try:
        connection.putrequest(method, path, skip_host="host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.putheader("content-length", str(len(body or b"")))
        connection.endheaders(body)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("origin", OTHERS)
async def test_a_page_of_another_site_is_refused_whatever_it_sends(
    server: AgentServer, client: LangGraphClient, origin: str
) -> None:
    before = await client.threads.count()
    plain = {"origin": origin, "content_type": "text/plain"}
    for method, path in [("POST", "/threads"), ("POST", "/runs"), ("GET", "/info"), ("GET", "/ok"), ("DELETE", "/threads/x")]:
        status, headers, said = ask(server, method, path, b"{}", **plain)
        assert (status, "access-control-allow-origin" in headers) == (403, False) and "may not use this server" in said
    asks = {"access_control_request_method": "POST", "access_control_request_private_network": "true"}
    status, headers, _ = ask(server, "OPTIONS", "/threads", origin=origin, **asks)
    assert status == 403 and not any(name.startswith("access-control") for name in headers)
    assert await client.threads.count() == before


def test_a_socket_of_another_site_is_refused(server: AgentServer) -> None:
    address = f"{server.url.replace('http', 'ws')}/threads/8b1f5a52-0000-4000-8000-000000000000/stream/events"
    with pytest.raises(InvalidStatus, match="403"):
        connect(address, origin="https://evil.example")  # type: ignore[arg-type]
    with connect(address, origin=STUDIO) as opened:  # type: ignore[arg-type]
        assert opened.protocol.state.name == "OPEN"


@pytest.mark.parametrize("origin", [STUDIO, "https://eu.smith.langchain.com", "http://localhost:3000", "http://127.0.0.1:8888"])
def test_studio_and_pages_of_this_machine_are_let_in(server: AgentServer, origin: str) -> None:
    asks = {"access_control_request_method": "POST", "access_control_request_headers": "content-type,x-auth-scheme"}
    status, headers, _ = ask(
        server, "OPTIONS", "/threads/search", origin=origin, access_control_request_private_network="true", **asks
    )
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert headers["access-control-allow-private-network"] == "true"
    assert "content-type" in headers["access-control-allow-headers"] and "DELETE" in headers["access-control-allow-methods"]
    status, headers, _ = ask(server, "POST", "/threads/search", b"{}", origin=origin, content_type="application/json")
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert "x-pagination-total" in headers["access-control-expose-headers"]


def test_a_page_of_another_site_loads_nothing_but_a_person_may_follow_its_link(server: AgentServer) -> None:
    assert ask(server, "GET", "/info", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")[0] == 403
    assert ask(server, "GET", "/docs", sec_fetch_site="cross-site", sec_fetch_mode="navigate")[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "0.0.0.0", "[::2]", "", "127.1"]
)
def test_a_name_that_was_pointed_at_this_machine_is_refused(server: AgentServer, host: str) -> None:
    for path in ("/info", "/threads/search", "/mcp"):
        status, _, said = ask(server, "GET", path, host=host)
        assert status == 403 and "answers as localhost or 127.0.0.1 alone" in said and "METASPO_SERVE_TOKEN" in said


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:2024", "127.0.0.1:9", "[::1]:2024"])
def test_this_machines_own_names_are_answered(server: AgentServer, host: str) -> None:
    assert ask(server, "GET", "/info", host=host)[0] == 200


def test_another_machine_is_refused_though_the_server_listens_there(server: AgentServer) -> None:
    own = [a.address for found in psutil.net_if_addrs().values() for a in found if a.family == socket.AF_INET]
    for address in (a for a in own if not a.startswith("127.")):
        status, _, said = ask(server, "GET", "/info", at=address)
        assert status == 403 and "this machine alone" in said and "METASPO_SERVE_TOKEN" in said
        assert ask(server, "GET", "/info", at=address, host="localhost")[0] == 403
        assert ask(server, "GET", "/ok", at=address)[0] == 200  # A container's health check.
    # What a proxy on this machine passes on comes from another one.
    for said in ("x_forwarded_for=203.0.113.9", "forwarded=for=203.0.113.9;proto=https", 'forwarded=For="[2001:db8::1]:47"',
                 "x_real_ip=203.0.113.9", "forwarded=for=127.0.0.1, for=unknown", "x_forwarded_host=metaspo.example.org"):  # fmt: skip
        name, _, value = said.partition("=")
        assert ask(server, "GET", "/info", **{name: value})[0] == 403, said
    for value in ("127.0.0.1", "127.0.0.1:4711", "::1", "[::1]:4711", "localhost"):
        assert ask(server, "GET", "/info", x_real_ip=value, forwarded=f'for="{value}"')[0] == 200, value


async def test_the_development_servers_own_routes_are_closed(server: AgentServer, client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    routes = [
        ("POST", "/internal/truncate"),
        ("GET", f"/internal/debug/thread/{thread}"),
        ("GET", "/deploy"),
        ("POST", "/deploy"),
    ]
    routes += [("POST", "/internal%2Ftruncate"), ("POST", "/internal/truncate/"), ("GET", "/deploy/x/stream")]
    for method, path in routes:
        status, _, said = ask(server, method, path, b"{}")
        assert status == 403 and "does not deploy" in said, path
    # Routers take a line break at the end of a path for its end.
    for method, path in (("POST", "/internal/truncate%0a"), ("POST", "/deploy%0A"), ("GET", "/deploy%0a"), ("GET", "/ok%0a")):
        assert ask(server, method, path, b'{"threads": true}')[0] == 400, path
    assert (await client.threads.get(thread))["thread_id"] == thread


ROUTES = (
    "/runs",
    "/runs/wait",
    "/runs/stream",
    "/runs/batch",
    "/threads/{}/runs",
    "/threads/{}/runs/wait",
    "/threads/{}/runs/stream",
)


def refused(server: AgentServer, thread: str, **asked: Any) -> set[tuple[int, str]]:
    """What every route that makes runs answers."""
    body = {"assistant_id": "metaspo", "input": {"iterations": 0}, **asked}
    given = {path: json.dumps([body] if "batch" in path else body).encode() for path in ROUTES}
    return {ask(server, "POST", path.format(thread), body)[::2] for path, body in given.items()}


async def test_no_schedules_and_no_calls_to_addresses_of_a_client(server: AgentServer, client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    for path in ("/runs/crons", f"/threads/{thread}/runs/crons"):
        asked = json.dumps({"assistant_id": "metaspo", "schedule": "* * * * *", "input": {}}).encode()
        status, _, said = ask(server, "POST", path, asked)
        assert status == 403 and "takes no schedules" in said
    assert await client.crons.count() == 0
    [(status, said)] = refused(server, thread, webhook="https://1.1.1.1/")
    assert status == 403 and "calls no address that a client names" in said
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(1)
        for hook in (f"http://127.0.0.1:{port}/", f"https://localhost:{port}", "/threads", "http://169.254.169.254"):
            assert {status for status, _ in refused(server, thread, webhook=hook)} <= {403, 422}
        with pytest.raises(TimeoutError):
            listener.accept()
    assert await client.runs.list(thread) == []


async def test_a_command_names_no_jobs(server: AgentServer, client: LangGraphClient) -> None:
    """A job that a client invents would work on whichever run it names."""
    context = {"base": "near", "optimizer": "scripted:dice"}
    begun = len(server.log.splitlines())
    run = (await client.threads.create())["thread_id"]
    found: Any = await client.runs.wait(run, "metaspo", input={"iterations": 1, "test_size": 0}, context=context)
    lines = [line for line in server.log.splitlines()[begun:] if "info" in line]
    # One line a round, not one a request.
    assert len(lines) == len(found["rounds"]) and all(f"run {run}: round" in line for line in lines)
    task, kept = next(iter(found["kept"].items()))
    job = {"run": run, "round": 0, "level": "seed", "task": task, "system": found["incumbent"]["id"], "user": kept[0]["id"]}
    before = records(server)
    thread = (await client.threads.create())["thread_id"]
    commands: list[dict[str, Any]] = [
        {"goto": {"node": "evaluate", "input": {**job, "split": "test"}}},
        {"goto": [{"node": "select", "input": found}, {"node": "analyze_failures", "input": job}]},
        {"goto": "select"},
        {"goto": ["select", "evaluate"], "update": {"run": run, "level": "done"}},
    ]
    for command in commands:
        for at in (thread, run):
            asked = {"assistant_id": "metaspo", "command": command, "context": context}
            status, _, said = ask(server, "POST", f"/threads/{at}/runs/wait", json.dumps(asked).encode())
            assert status == 403 and "command.goto: a search goes its own way" in said
    assert records(server) == before and await client.runs.list(thread) == []
    for node in ("select", "evaluate", "__start__"):
        step = {"values": {**found, "level": "system", "round": 1}, "as_node": node}
        assert ask(server, "POST", f"/threads/{thread}/state", json.dumps(step).encode())[0] == 400
        begun_so = {"metadata": {"graph_id": "metaspo"}, "supersteps": [{"updates": [step]}]}
        assert ask(server, "POST", "/threads", json.dumps(begun_so).encode())[0] == 400
    assert records(server) == before
    [assistant] = await client.assistants.search(graph_id="metaspo")
    message = {"role": "user", "messageId": "1", "parts": [{"kind": "data", "data": {"iterations": 0}}], "command": commands[0]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}
    _, _, said = ask(server, "POST", f"/a2a/{assistant['assistant_id']}", json.dumps(call).encode(), accept="application/json")
    assert "denied" in json.loads(said)["error"]["message"] and records(server) == before
    inner = {"configurable": {**context, "__pregel_checkpointer": "mine"}}
    [(status, said)] = refused(server, thread, config=inner)
    assert status == 403 and "configurable.__pregel_checkpointer: is LangGraph's own" in said
    [(status, said)] = refused(server, thread, config={"callbacks": ["x"]})
    assert status == 403 and "config.callbacks: are code of the process that calls" in said
    start = {"id": 1, "method": "run.start", "params": {"assistant_id": "metaspo", "input": {}, "config": inner}}
    assert "is LangGraph's own" in ask(server, "POST", f"/threads/{thread}/commands", json.dumps(start).encode())[2]


def records(server: AgentServer) -> dict[str, list[Any]]:
    """Everything that the store holds of runs, but for when a session left one."""
    with closing(sqlite3.connect(server.store)) as db:
        tables = dict.fromkeys(("rounds", "candidates", "evaluations", "calls", "prompts", "dealt"), "*")
        tables["runs"] = "id, parent, parent_round, method, config, status, reason, created, version, thread"
        return {table: db.execute(f"SELECT {columns} FROM {table}").fetchall() for table, columns in tables.items()}


def test_the_server_says_at_its_start_who_may_use_it(server: AgentServer) -> None:
    [said] = [line for line in server.log.splitlines() if "metaspo.server" in line]
    assert "strict" in said and "this machine alone" in said


@pytest.mark.parametrize("path", ["/threads", "/assistants", "/mcp", "/runs/wait"])
@pytest.mark.parametrize(
    ("begins", "part", "said"),
    [(b"{}", b" " * 2**20, "larger than 64 MB"), (b'{"metadata": {"a": [1', b",1" * 2**14, "lists more than 1,000,000 things")],
)
def test_a_body_that_no_problem_needs_is_refused(server: AgentServer, path: str, begins: bytes, part: bytes, said: str) -> None:
    connection = HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=60)
    # Which would be good JSON, and a thread.
    parts = iter([begins, *[part] * 64])
    try:
        connection.request("POST", path, parts, encode_chunked=True)
        reply = connection.getresponse()
        assert reply.status == 413 and said in reply.read().decode()
    finally:
        connection.close()
    assert "Traceback" not in server.log.rpartition("metaspo.server")[2]
