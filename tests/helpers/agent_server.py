"""A real Agent Server in a process of its own, without keys or network."""

import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from . import forked

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


class AgentServer:
    """Started in a folder, on a free port, on the store `metaspo.db` there; can be killed and started again.

    It takes whatever clients write, unless it is `strict`, as servers are. Variables of `environment` are set on top.
    """

    def __init__(self, folder: Path, *command: str, environment: Mapping[str, str] | None = None, strict: bool = False) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.store = folder / "metaspo.db"
        self._folder = folder
        self._environment = ({} if strict else {"METASPO_SERVE_TRUST": "1"}) | dict(environment or {})
        self._command = [str(BIN / command[0]), *command[1:], "--no-browser", "--port", str(port)]
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment |= {"PYTHONPATH": str(ROOT), "METASPO_STORE": str(self.store)} | self._environment
        with (self._folder / "log").open("a") as log:
            self._process = forked.Popen(self._command, cwd=self._folder, env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.1)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ok", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False
