"""A real HTTP server on loopback that takes traces as LangSmith does, or behaves badly on demand."""

import json
import re
import threading
import time
from collections import Counter
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

KEY = "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"

Mood = Literal["fine", "slow", "failing", "full", "refusing", "silent"]

STATUS = {"fine": 202, "slow": 202, "failing": 500, "full": 429, "refusing": 401, "silent": 202}


class TraceServer:
    """The server: `runs` are those that it has been sent, by id, with what later came to be known of them."""

    def __init__(self, mood: Mood = "fine") -> None:
        self.mood = mood
        self.runs: dict[str, dict[str, Any]] = {}
        self.bodies: list[bytes] = []
        self.asked = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.take(self)

            do_GET = do_PATCH = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """What has a process send its traces here."""
        address = f"http://127.0.0.1:{self._server.server_port}"
        return {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": address, "LANGSMITH_API_KEY": KEY, "LANGSMITH_PROJECT": "p"}

    def take(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        if self.mood == "silent":
            time.sleep(600)
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self.mood == "slow":
            time.sleep(30)
        self.bodies.append(body)
        self._read(request.headers.get("Content-Type", ""), body)
        said = json.dumps({"detail": f"Invalid token {KEY}"} if STATUS[self.mood] > 300 else {}).encode()
        request.send_response(STATUS[self.mood])
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said)

    def _read(self, kind: str, body: bytes) -> None:
        if "boundary" not in kind:
            return
        whole = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        for part in whole.walk():
            name = str(part.get_param("name", header="Content-Disposition"))
            if found := re.match(r"(post|patch)\.([0-9a-f-]{36})(?:\.(\w+))?$", name):
                told = json.loads(part.get_payload(decode=True))  # type: ignore[arg-type]
                run = self.runs.setdefault(found[2], {})
                run.update({found[3]: told} if found[3] else told)

    def traces(self) -> Counter[str]:
        """How many runs each trace has, by the name of its root."""
        return Counter(self.runs[run["trace_id"]]["name"] for run in self.runs.values())

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
