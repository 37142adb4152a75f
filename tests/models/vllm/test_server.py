"""Starting, sharing and stopping a vLLM server, with real processes that speak vLLM's routes."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from metaspo import ModelSpec, optimize, resume
from metaspo.domain.calls import Constraint, Request
from metaspo.domain.errors import EndpointUnavailable, MissingExtraError, ModelError
from metaspo.models.registry import Registry
from metaspo.models.vllm.server import SharedServer, shared_server

FAKE = Path(__file__).resolve().parents[2] / "helpers" / "fake_vllm"
USER = """
import asyncio, sys
from metaspo import ModelSpec
from metaspo.models.vllm.server import shared_server
async def main():
    server = await shared_server(ModelSpec.parse(sys.argv[1]))
    print(server.record.guard, server.record.server, flush=True)
    await asyncio.sleep(100)
asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of this test's own, and the stand-in where Python looks for vllm."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    folder = tmp_path / "state" / "metaspo" / "vllm"
    yield folder
    assert gone([core for log in folder.glob("*.log") for core in cores(log)]), "a server's process was left behind"


def cores(log: Path) -> list[int]:
    return [int(pid) for pid in re.findall(r"engine core (\d+)", log.read_text())]


def spec(fake: str = "", name: str = "tiny", **settings: Any) -> ModelSpec:
    flags = {"flags": f"--fake {fake}"} if fake else {}
    return ModelSpec.model_validate({"provider": "vllm", "name": name, "python": sys.executable} | flags | settings)


def gone(pids: list[int], within: float = 15) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        alive = [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return True
        time.sleep(0.05)
    return False


def records() -> list[Path]:
    return list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.json"))


def processes(server: SharedServer) -> list[int]:
    return [server.record.guard, server.record.server, *cores(server.log)]


@pytest.mark.long
async def test_two_users_share_one_server_and_the_last_one_stops_it() -> None:
    first, second = await asyncio.gather(shared_server(spec()), shared_server(spec(context=None)))
    assert first.url == second.url and sorted([first.started_here, second.started_here]) == [False, True]
    everything = processes(first)
    assert len(everything) == 3 and all(psutil.pid_exists(pid) for pid in everything)
    assert not await first.release() and await second.is_alive()
    assert await second.release() and gone(everything)
    third = await shared_server(spec())
    assert third.started_here and third.record.server not in everything
    assert await third.release()


async def test_other_settings_than_those_that_run_are_an_error() -> None:
    server = await shared_server(spec(context=512))
    with pytest.raises(ModelError, match="with context=512 instead of 1024: stop that server"):
        await shared_server(spec(context=1024))
    with pytest.raises(ModelError, match="with flags=None instead of --dtype bfloat16"):
        await shared_server(spec(flags="--dtype bfloat16"))
    assert await server.is_alive() and await server.release()


def test_a_killed_process_takes_its_server_with_it() -> None:
    user = subprocess.Popen([sys.executable, "-c", USER, str(spec())], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    pids = [int(pid) for pid in user.stdout.readline().split()]
    children = psutil.Process(pids[1]).children()
    assert children and os.getpgid(pids[1]) == os.getpgid(children[0].pid) != os.getpgid(user.pid)
    user.kill()
    user.communicate()
    assert gone([*pids, *(child.pid for child in children)])


async def test_what_a_killed_guard_left_behind_is_swept_away() -> None:
    server = await shared_server(spec())
    os.kill(server.record.guard, signal.SIGKILL)
    assert gone([server.record.guard]) and psutil.pid_exists(server.record.server)
    left = processes(server)
    other = await shared_server(spec())
    assert other.started_here and gone(left)
    await server.release()
    assert await other.release()


@pytest.mark.long
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (spec("crash"), "ended before it was ready. This vLLM is built for CUDA and finds no GPU.*loading the weights"),
        (spec("other"), "serves another-model instead"),
        (spec("slow", startup=0.8), r"was not ready in 0.8 s \(startup\).*loading the weights"),
        (spec(python="/nowhere/python"), "/nowhere/python could not be started: FileNotFoundError"),
    ],
    ids=["crash", "other", "slow", "python"],
)
async def test_a_start_that_fails_says_why_and_leaves_nothing(given: ModelSpec, says: str) -> None:
    with pytest.raises(ModelError, match=f"(?s){says}") as caught:
        await shared_server(given)
    assert "hunter2secret" not in str(caught.value)
    # Nobody uses it any more: what was started is stopped, though nobody waits for it.
    assert gone([process.pid for process in psutil.process_iter(["cmdline"]) if is_ours(process, "tiny")])


def is_ours(process: psutil.Process, name: str) -> bool:
    return name in (process.info["cmdline"] or []) and "vllm.entrypoints.openai.api_server" in process.info["cmdline"]


async def test_without_vllm_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingExtraError, match=r"needs the extra 'vllm': pip install 'metaspo\[vllm\]'"):
        await shared_server(ModelSpec.parse("vllm:tiny"))
    monkeypatch.delenv("PYTHONPATH")
    with pytest.raises(ModelError, match="That Python has no vLLM: install it there"):
        await shared_server(spec())


async def test_a_port_in_use_is_named() -> None:
    server = await shared_server(spec())
    port = int(server.url.split(":")[-1].removesuffix("/v1"))
    with pytest.raises(ModelError, match=f"port {port} is in use"):
        await shared_server(spec(name="other"), port)
    await server.release()


async def test_flags_sizes_and_key_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "hunter2secret")
    settings = {"context": 3000, "tensor_parallel": 2, "data_parallel": 4, "api_key_env": "MY_KEY"}
    server = await shared_server(spec(flags="--dtype bfloat16", **settings))
    with psutil.Process(server.record.server).oneshot():
        words = " ".join(psutil.Process(server.record.server).cmdline())
    for flag in ("--max-model-len 3000", "--tensor-parallel-size 2", "--data-parallel-size 4", "--dtype bfloat16"):
        assert flag in words
    assert "hunter2secret" not in words + server.log.read_text() + json.dumps(str(server.record))
    registry = Registry()
    wrong = await registry.model(ModelSpec.parse(f"vllm:tiny,base_url={server.url}"))
    with pytest.raises(ModelError, match="wants a key: name the environment variable"):
        await wrong.backend.ready()
    await registry.close()
    assert await server.release()


async def test_a_constrained_request_through_the_backend() -> None:
    registry = Registry()
    model = await registry.model(spec(seed=3))
    assert not records(), "a server was started before it was needed"
    request = Request((("user", "?"),), 8, 0.0, "", Constraint('root ::= "b" | "a"', ("b", "a")))
    assert (await model.backend.complete(request)).text == "a"
    assert not re.search(r"\d{4}", json.dumps(model.backend.identity)), "a port in the identity"
    await registry.close()
    assert not records()


def small(make_task: Callable[..., Any], store: Path, model: ModelSpec) -> dict[str, Any]:
    sizes = {"iterations": 1, "train_size": 8, "test_size": 8, "user_candidates": 1, "system_candidates": 2}
    return {
        "tasks": [make_task("a")],
        "base": model,
        "optimizer": model,
        "store": store,
        "preset": "quick",
        "method": "metaspo",
        **sizes,
    }


@pytest.mark.long
def test_a_run_starts_its_server_and_a_second_run_needs_none(
    make_task: Callable[..., Any], store_path: Path, state: Path
) -> None:
    first = optimize(**small(make_task, store_path, spec()))
    [log] = state.glob("*.log")
    assert first.report.usage.total_calls > 20 and gone(cores(log))
    log.unlink()
    second = optimize(**small(make_task, store_path, spec()))
    assert second.report.usage.total_calls == 0 and second.system_prompt == first.system_prompt
    assert not log.exists(), "a server was started for nothing"


@pytest.mark.long
def test_a_server_that_dies_stops_the_run_and_resume_starts_another(
    make_task: Callable[..., Any], store_path: Path, state: Path
) -> None:
    started = time.monotonic()
    stopped = optimize(**small(make_task, store_path, spec("dies=12")))
    assert isinstance(stopped.stopped, EndpointUnavailable) and "EngineCore died unexpectedly" in str(stopped.stopped)
    assert time.monotonic() - started < 60, "it waited for a server that nobody starts again"
    done = resume(stopped.run, store=store_path, base=str(spec()), optimizer=str(spec()))
    assert done.stopped is None and done.report.run.status == "done"


@pytest.mark.long
def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "metaspo", "serve", "tiny", "--python", sys.executable, "--dtype", "bfloat16"]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    served = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert served.stdout is not None
    said = [served.stdout.readline() for _ in range(3)]
    assert "ready after" in said[1] and "--base vllm:tiny" in said[2]

    async def use() -> list[int]:
        server = await shared_server(spec(flags="--dtype bfloat16"))
        assert not server.started_here and server.url in said[1]
        await server.release()
        return processes(server)

    pids = asyncio.run(use())
    served.send_signal(signal.SIGINT)
    output, errors = served.communicate(timeout=30)
    assert served.returncode == 130 and "stopped" in output and "Traceback" not in errors
    assert gone(pids)
