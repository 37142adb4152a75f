"""What stands in the place of Docker's daemon, to see which files the real `docker build` sends to it."""

import io
import os
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class _Daemon(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sent: bytes = b""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(b"{}")

    def do_POST(self) -> None:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        type(self).sent = body
        self._answer(b'{"stream": ""}\n')

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Api-Version", "1.43")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def sent_by_docker(folder: Path) -> list[str]:
    """The files below a folder that `docker build` would give to a build there, by Docker's own reading of .dockerignore."""

    class Daemon(_Daemon):
        pass

    with HTTPServer(("127.0.0.1", 0), Daemon) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # The older builder packs the files itself, so that no engine is needed to see them.
        environment = os.environ | {"DOCKER_HOST": f"tcp://127.0.0.1:{server.server_port}", "DOCKER_BUILDKIT": "0"}
        command = ["docker", "build", "-f", "examples/docker/Dockerfile", "."]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    with tarfile.open(fileobj=io.BytesIO(Daemon.sent)) as archive:
        return sorted(member.name for member in archive.getmembers() if member.isfile())
