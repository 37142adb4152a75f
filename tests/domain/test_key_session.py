"""LangSmith's key stays with the host that it is for, wherever a server sends its clients on to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from metaspo.reports.kept.langsmith_prompts import LangSmithPrompts
from metaspo.tasks.sources.langsmith import _Asked
from metaspo.tasks.sources.named import Named
from metaspo.workspace.tracing.trace_client import trace_client

KEY = "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789"


class Hosts:
    """A server under two names: as `localhost` it answers, as 127.0.0.1 it sends everybody to `localhost`."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                host, _, port = self.headers["Host"].partition(":")
                outer.keys.append((host, self.headers.get("x-api-key")))
                self.send_response(200 if host == "localhost" else 307)
                self.send_header("Location", f"http://localhost:{port}{self.path}")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"[]")

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosts]:
    running = Hosts()
    monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://127.0.0.1:{running.server.server_port}")
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    yield running
    running.server.shutdown()
    running.server.server_close()


def reads() -> Any:
    with _Asked(Named("langsmith", "x")) as client:
        client.request_with_retries("GET", "/datasets")


def pushes() -> Any:
    with LangSmithPrompts() as place, suppress(Exception):
        place.known("x", "latest")


def traces() -> Any:
    client = trace_client.__wrapped__()
    client.create_run("x", {}, "chain")
    client.flush()
    client.request_with_retries("POST", "/runs", data=b"{}")


@pytest.mark.parametrize("does", [reads, pushes, traces])
def test_a_key_does_not_follow_to_another_host(does: Callable[[], Any], hosts: Hosts) -> None:
    does()
    assert ("127.0.0.1", KEY) in hosts.keys and ("localhost", None) in hosts.keys
    assert {key for host, key in hosts.keys if host == "localhost"} == {None}
