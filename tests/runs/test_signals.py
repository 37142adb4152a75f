"""Ctrl-C where a loop runs already, as in a notebook: a real process that gets a real signal."""

import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ..helpers import forked, notebook
from ..helpers.endpoint import Endpoint, say


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "number"),
    [
        ("await", signal.SIGINT),
        ("await", signal.SIGTERM),
        ("in a thread", signal.SIGTERM),
        ("in a thread beside asyncio.run", signal.SIGINT),
    ],
)
def test_an_interrupt_in_a_notebook_drains_and_returns(
    way: str, number: signal.Signals, endpoint: Endpoint, tmp_path: Path
) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.sleep(0.1)
        return say("yes")

    endpoint.act = slow
    command = [sys.executable, str(notebook.__file__), way, endpoint.url, str(tmp_path / "s.db")]
    with forked.Popen(command, stdout=forked.PIPE, stderr=forked.STDOUT, text=True) as process:
        late = time.monotonic() + 60
        while len(endpoint.seen) < 10 and time.monotonic() < late:
            time.sleep(0.02)
        asked = len(endpoint.seen)
        process.send_signal(number)
        said, _ = process.communicate(timeout=60)
    assert said.splitlines()[-1] == "stopped: interrupted" and process.returncode == 0
    assert 10 <= asked and len(endpoint.seen) <= asked + 2
