"""A vLLM server of ours: started once, shared by every process that uses the same model, gone with the last."""

import asyncio
import importlib.util
import json
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import aiohttp

from ...domain.errors import MissingExtraError, ModelError
from ...domain.paths import path_of
from ...domain.processes import born
from ..addresses import NO_KEY, key_of
from ..spec import ModelSpec
from .state import Record, ServerFiles, exclusive_lock, is_alive, lock

STOPPING = 20.0
"""Seconds that we wait for a server's end when we were its last user."""


@dataclass
class SharedServer:
    """A server that this process uses, as others may; it runs at least until `release`."""

    record: Record
    started_here: bool
    _files: ServerFiles
    _users: IO[str]

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.record.url

    @property
    def log(self) -> Path:
        """The file that it writes to."""
        return self._files.log

    async def is_alive(self) -> bool:
        """Whether it has not ended."""
        return await asyncio.to_thread(is_alive, self.record.guard, self.record.guard_born)

    async def log_tail(self) -> str:
        """The end of its log, as part of an error."""
        return await asyncio.to_thread(self._files.log_tail)

    async def release(self) -> bool:
        """Let it go; if nobody else uses it, wait until it has stopped. Whether it has."""
        self._users.close()
        asked = time.monotonic()
        while await self.is_alive():
            waited = time.monotonic() - asked
            # The guard takes the record away as soon as it finds that nobody is left.
            if waited > STOPPING or (waited > 1 and await asyncio.to_thread(self._files.record.exists)):
                return False
            await asyncio.sleep(0.05)
        return True


async def shared_server(spec: ModelSpec, port: int | None = None) -> SharedServer:
    """The running server of the spec's model, or a new one, once it answers and serves that model.

    Raises MissingExtraError without vLLM, ModelError when the server ends, stays silent or serves another model.
    """
    files = await asyncio.to_thread(ServerFiles, spec.name)
    users = await asyncio.to_thread(files.users.open, "a")
    try:
        async with exclusive_lock(files.starting):
            await lock(users, shared=True)
            record = await asyncio.to_thread(files.running)
            known = record is not None
            if record is None:
                record = await asyncio.to_thread(_launch, spec, files, port)
            else:
                _check_same(spec, record)
            await _until_ready(spec, record, files)
        return SharedServer(record, not known, files, users)
    except BaseException:
        users.close()  # The guard stops what was started.
        raise


def engine_flags(spec: ModelSpec) -> list[str]:
    """The flags of vLLM for a spec, the same for its server and in process."""
    flags = ["--model", spec.name, "--tensor-parallel-size", str(spec.tensor_parallel)]
    if spec.context:
        flags += ["--max-model-len", str(spec.context)]
    return [*flags, *shlex.split(spec.flags or "")]


async def served_models(url: str, key: str = NO_KEY, headers: Mapping[str, str] | None = None) -> list[str] | None:
    """The names that the server at `url` answers to, or None if it does not answer; ModelError if it refuses the key."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
            async with session.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"} | {**(headers or {})}) as reply:
                if reply.status in (401, 403):
                    raise ModelError(f"{url} wants a key: name the environment variable that holds it in api_key_env")
                found: dict[str, Any] = await reply.json()
        return [str(model["id"]) for model in found["data"]]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        return None


def _launch(spec: ModelSpec, files: ServerFiles, port: int | None) -> Record:
    if spec.python is None and importlib.util.find_spec("vllm") is None:
        raise MissingExtraError(f"the model {spec.label}", "vllm")
    port = _free_port(port)
    python = str(path_of(spec.python)) if spec.python else sys.executable
    command = [python, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)]
    # Requests say how they are sampled; a model's own defaults would change what they leave out.
    command += ["--served-model-name", spec.name, "--generation-config", "vllm", "--disable-uvicorn-access-log"]
    command += ["--data-parallel-size", str(spec.data_parallel), *engine_flags(spec)]
    environment = {"VLLM_NO_USAGE_STATS": "1", **os.environ}
    environment.pop("VLLM_API_KEY", None)
    if spec.api_key_env:
        environment["VLLM_API_KEY"] = key_of(spec)
    guard = [sys.executable, "-P", str(Path(__file__).with_name("guard.py"))]
    paths = [str(files.users), str(files.record), str(files.log)]
    done = subprocess.run([*guard, *paths, *command], env=environment, capture_output=True, text=True, check=False)
    try:
        pids = json.loads(done.stdout)
        births = {name: born(pid) for name, pid in pids.items()}
        record = Record(
            f"http://127.0.0.1:{port}/v1",
            pids["guard"],
            births["guard"],
            pids["server"],
            births["server"],
            spec.context,
            spec.flags,
        )
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ModelError(f"{spec.label}: {python} could not be started: {said}") from None
    files.record.write_text(json.dumps(asdict(record)), encoding="utf-8")
    return record


async def _until_ready(spec: ModelSpec, record: Record, files: ServerFiles) -> None:
    end = time.monotonic() + spec.startup
    while time.monotonic() < end:
        if not await asyncio.to_thread(is_alive, record.guard, record.guard_born):
            said = await asyncio.to_thread(files.log_tail)
            raise ModelError(f"{spec.label}: vLLM's server ended before it was ready. {said}")
        if await _healthy(record.url):
            models = await served_models(record.url, key_of(spec))
            if models is not None and spec.name not in models:
                raise ModelError(f"{spec.label}: the server at {record.url} serves {', '.join(models)} instead")
            if models is not None:
                return
        await asyncio.sleep(0.2)
    said = await asyncio.to_thread(files.log_tail)
    raise ModelError(f"{spec.label}: vLLM's server was not ready in {spec.startup:g} s (startup). {said}")


async def _healthy(url: str) -> bool:
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
            async with session.get(url.removesuffix("/v1") + "/health") as reply:
                return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _check_same(spec: ModelSpec, record: Record) -> None:
    """A spec that leaves context and flags open takes the server as it is."""
    for name in ("context", "flags"):
        wanted, has = getattr(spec, name), getattr(record, name)
        if wanted is not None and wanted != has:
            raise ModelError(
                f"{spec.label} is served at {record.url} already, with {name}={has} instead of {wanted}: "
                f"stop that server, leave {name} out, or name a server in base_url"
            )


def _free_port(port: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port or 0))
        except OSError:
            raise ModelError(f"port {port} is in use; name another in --port") from None
        return int(probe.getsockname()[1])
