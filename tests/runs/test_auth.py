"""A server with a token: nobody uses any route of it without, and everything works with it, also over the network."""

import json
import re
import socket
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import psutil
import pytest
from langgraph_sdk import get_client
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ..helpers.agent_server import AgentServer

TOKEN = "sesame-aGVsbG8_d29ybGQ.42"
DICE = {"base": "scripted:dice", "optimizer": "scripted:dice"}
SMALL = {"iterations": 1, "test_size": 0}

WRONG: list[dict[str, str]] = [
    {},
    {"authorization": f"Bearer {TOKEN[:-1]}"},
    {"authorization": f"Bearer {TOKEN}x"},
    {"authorization": TOKEN},
    {"authorization": "Bearer "},
    {"x-api-key": TOKEN.upper()},
    {"cookie": f"x-api-key={TOKEN}"},
    # Studio's own way past a login.
    {"x-auth-scheme": "langsmith", "x-api-key": "lsv2_pt_0"},
]

ANSWERED = {"/ok"}
"""The routes that need no token."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    folder = tmp_path_factory.mktemp("auth")
    server = AgentServer(
        folder, "metaspo", "studio", "--host", "0.0.0.0", environment={"METASPO_SERVE_TOKEN": TOKEN}, strict=True
    )
    yield server
    server.stop()


def status(url: str, method: str, headers: Mapping[str, str] = {}) -> int:
    body = None if method == "GET" else b"{}"
    asked = urllib.request.Request(url, body, {"content-type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def routes(server: AgentServer) -> list[tuple[str, str]]:
    """Every route that the server itself lists, and those that it does not."""
    asked = urllib.request.Request(f"{server.url}/openapi.json", headers={"x-api-key": TOKEN})
    listed = json.load(urllib.request.urlopen(asked))["paths"]
    verbs = ("get", "post", "put", "patch", "delete")
    found = [
        (verb.upper(), re.sub(r"{[^}]*}", str(uuid.uuid4()), path)) for path in listed for verb in listed[path] if verb in verbs
    ]
    return [*found, ("GET", "/ui/metaspo"), ("GET", "/ui/x.js"), ("GET", "/nowhere"), ("GET", "/docs/"), ("POST", "/mcp")]


@pytest.mark.long
@pytest.mark.parametrize("headers", WRONG, ids=str)
def test_no_route_answers_without_the_token(server: AgentServer, headers: dict[str, str]) -> None:
    walked = routes(server)
    rooms = {path.split("/")[1] for _, path in walked}
    assert rooms >= {
        "assistants",
        "threads",
        "runs",
        "store",
        "mcp",
        "a2a",
        "docs",
        "info",
        "metrics",
        "ok",
        "openapi.json",
        "",
    }
    assert len(walked) > 60
    answers = {(verb, path): status(server.url + path, verb, headers) for verb, path in walked}
    assert {path for (_, path), found in answers.items() if found != 401} == ANSWERED


def test_the_server_says_at_its_start_who_may_use_it(server: AgentServer) -> None:
    [said] = [line for line in server.log.splitlines() if "metaspo.server" in line]
    assert "strict" in said and "clients send the token in METASPO_SERVE_TOKEN" in said


def test_no_socket_opens_without_the_token(server: AgentServer) -> None:
    address = f"{server.url.replace('http', 'ws')}/threads/{uuid.uuid4()}/stream/events"
    with pytest.raises(InvalidStatus, match="401"):
        connect(address)
    with connect(address, additional_headers={"x-api-key": TOKEN}) as opened:
        assert opened.protocol.state.name == "OPEN"


def test_pages_of_other_sites_are_refused_with_the_token_as_well(server: AgentServer) -> None:
    assert status(f"{server.url}/info", "GET", {"x-api-key": TOKEN, "origin": "https://evil.example"}) == 403
    assert status(f"{server.url}/info", "GET", {"x-api-key": TOKEN, "origin": "https://smith.langchain.com"}) == 200
    # A browser asks before it sends the token.
    asks = {"origin": "https://smith.langchain.com", "access-control-request-method": "POST"}
    assert status(f"{server.url}/threads", "OPTIONS", asks | {"access-control-request-headers": "x-api-key"}) == 200


@pytest.mark.long
@pytest.mark.parametrize(
    "how", [{"api_key": TOKEN}, {"headers": {"Authorization": f"Bearer {TOKEN}"}}], ids=["api_key", "bearer"]
)
async def test_the_sdk_works_with_the_token_and_whoever_asks_is_known(server: AgentServer, how: dict[str, Any]) -> None:
    own = [a.address for found in psutil.net_if_addrs().values() for a in found if a.family == socket.AF_INET]
    address = next((a for a in own if not a.startswith("127.")), "127.0.0.1")
    async with get_client(url=server.url.replace("127.0.0.1", address), **how) as client:
        thread = (await client.threads.create())["thread_id"]
        forged = {"configurable": {**DICE, "langgraph_auth_user": {"identity": "boss"}, "langgraph_auth_user_id": "boss"}}
        run = await client.runs.create(thread, "metaspo", input=SMALL, config=forged)
        found: Any = await client.runs.join(thread, run["run_id"])
        assert found["incumbent"]["text"]
        known: Any = await client.runs.get(thread, run["run_id"])
        configured = known["kwargs"]["config"]["configurable"]
        assert configured["langgraph_auth_user_id"] == configured["langgraph_auth_user"]["identity"] == "token"


async def test_mcp_works_with_the_token(server: AgentServer) -> None:
    import httpx

    async with (
        httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, follow_redirects=True) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as (reading, writing, *_),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        assert {tool.name for tool in (await session.list_tools()).tools} == {"metaspo", "adapt", "generalize"}


async def test_the_token_is_written_nowhere(server: AgentServer) -> None:
    async with get_client(url=server.url, api_key=TOKEN) as client:
        thread = (await client.threads.create())["thread_id"]
        with pytest.raises(Exception) as refused:
            await client.runs.wait(thread, "metaspo", input={"method": "magic"}, context=DICE)
        assert TOKEN not in str(refused.value)
    folder = server.store.parent
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {"log", "metaspo.db"} <= {path.name for path in written}
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]
