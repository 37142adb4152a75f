"""Whole optimizations by batches: the same as with single calls, killed at the worst moments, collected by others."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Result, Task
from metaspo.domain.errors import ModelError
from metaspo.models import batches, collecting
from metaspo.store.database import Store

from ..helpers import forked
from ..helpers.batch_host import BatchHost
from ..helpers.endpoint import completion
from .test_bad_days import answer, what

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]

SIZES = {"preset": "quick", "test_size": 10, "method": "metaspo"}


@pytest.fixture
def host() -> Iterator[BatchHost]:
    host = BatchHost(lambda body: completion(answer(body)))
    host.act = lambda request, body, number: None
    yield host
    host.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)


def optimized(make_task: Callable[..., Task], host: BatchHost, store: Path, **settings: Any) -> Result:
    model = host.spec(seed=1) | settings.pop("model", {})
    tasks = [make_task("a"), make_task("b")]
    return metaspo.optimize(tasks=tasks, base=model, optimizer=model, store=store, **SIZES, **settings)  # type: ignore[arg-type]


def test_a_run_by_batches_is_the_run_with_single_calls(
    make_task: Callable[..., Task], endpoint: Any, host: BatchHost, tmp_path: Path
) -> None:
    endpoint.act = lambda request, body, number: completed(answer(body))
    batched = optimized(make_task, host, tmp_path / "batched.db", model={"batch": True})
    single = optimized(make_task, endpoint, tmp_path / "single.db")
    assert what(batched) == what(single)
    assert batched.report.usage.calls == single.report.usage.calls
    assert len(host.lines) == len(set(host.lines)) == batched.report.usage.total_calls
    # One batch holds what a whole superstep asks: the answers of all pairs, the drafts of all tasks.
    assert host.begun < 40 < len(host.lines)


@pytest.mark.parametrize(("name", "other"), [("temperature", None), ("max_tokens", "max_completion_tokens")])
def test_what_every_line_is_refused_for_is_left_out_of_the_next_batch(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path, name: str, other: str | None
) -> None:
    said = {"message": f"Unsupported parameter: '{name}'", "param": name, "code": "unsupported_parameter"}
    host.refuse = lambda body: (400, said) if name in body else None
    result = optimized(make_task, host, tmp_path / "refused.db", model={"batch": True})
    assert result.stopped is None and result.report.usage.total_calls > 40
    answered = [body for body in host.seen if name not in body]
    assert len(answered) == result.report.usage.total_calls and all(other is None or other in body for body in answered)
    # One batch of the base model and one of the optimizer told.
    refused = [batch for batch in host.batches.values() if name in batch["asked"][0]["body"]]
    assert len(refused) <= 2


def test_a_setting_that_every_line_is_refused_for_is_named(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path
) -> None:
    said = {"message": "Unsupported parameter: 'top_p'", "param": "top_p", "code": "unsupported_parameter"}
    host.refuse = lambda body: (400, said) if "top_p" in body else None
    with pytest.raises(ModelError, match="the setting top_p asks for it"):
        optimized(make_task, host, tmp_path / "refused.db", model={"batch": True, "top_p": 0.5})


def completed(text: str) -> Any:
    from aiohttp import web

    return web.json_response(completion(text))


@pytest.mark.slow
def test_it_leaves_at_every_batch_and_ends_as_if_it_had_stayed(
    make_task: Callable[..., Task], host: BatchHost, tmp_path: Path
) -> None:
    expected = optimized(make_task, host, tmp_path / "stayed.db", model={"batch": True})
    paid, host.looks = len(host.lines), 10**6
    result = optimized(make_task, host, tmp_path / "left.db", model={"batch": True}, exit="when waiting")
    left = 0
    while result.stopped is not None:
        assert "waiting for batch batch_" in str(result.stopped) and result.stopped.exit_code == 4
        waiting = [id for id, batch in host.batches.items() if batch["status"] == "in_progress"]
        assert waiting, str(result.stopped)
        for id in waiting:
            host.work(id)
        left += 1
        result = metaspo.resume(result.run, store=tmp_path / "left.db")
    assert left > 3 and what(result) == what(expected)
    assert len(host.lines) == 2 * paid and result.report.usage.calls == expected.report.usage.calls


def command(host: BatchHost, store: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "tests.helpers.hurried", *args, "--store", str(store)]


def started(host: BatchHost, store: Path) -> list[str]:
    model = f"server:m,base_url={host.url},batch=true,seed=1,patience=20"
    sizes = ["--method", "metaspo", "--preset", "quick", "--set", "test_size=10", "--set", "iterations=1"]
    return command(host, store, "optimize", "--base", model, "--optimizer", model, "--task", "garden_or_money", *sizes)


def run_id(store: Path) -> str:
    opened = Store(store)
    try:
        [(run,)] = opened.db.execute("SELECT id FROM runs").fetchall()
        return str(run)
    finally:
        opened.close()


def result_of(store: Path) -> Any:
    opened = Store(store)
    try:
        rounds = opened.db.execute("SELECT round, level, system, score, accepted FROM rounds ORDER BY round").fetchall()
        return rounds, sorted(opened.db.execute("SELECT key, reply FROM calls").fetchall())
    finally:
        opened.close()


@pytest.mark.parametrize(
    "moment", ["before create is answered", pytest.param("while it waits", marks=pytest.mark.slow), "while it collects"]
)
def test_killed_at_the_worst_moment_nothing_is_paid_twice(host: BatchHost, tmp_path: Path, moment: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    forked.run(started(host, tmp_path / "calm.db"), check=True, env=environment, cwd=tmp_path, capture_output=True)
    expected = result_of(tmp_path / "calm.db")
    paid, begun, store = len(host.lines), host.begun, tmp_path / "killed.db"
    host.lines.clear()
    killed: list[Any] = []

    def kill(*args: Any) -> Any:
        if host.begun >= begun + 2 and not killed:
            killed.append(host.begun)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    if moment == "before create is answered":
        host.when_begun = kill
    elif moment == "while it waits":
        host.when_looked_at = kill
    else:
        host.when_downloaded = kill
    process = forked.Popen(started(host, store), env=environment, cwd=tmp_path, stderr=forked.PIPE)
    process.communicate(timeout=60)
    assert killed and process.returncode == -signal.SIGKILL
    resumed = command(host, store, "resume", run_id(store))
    done = forked.run(resumed, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert result_of(store) == expected
    assert len(host.lines) == len(set(host.lines)) == paid


def test_the_command_line_ends_when_it_waits_and_says_what_to_do(host: BatchHost, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    host.looks = 10**6
    waiting = [*started(host, tmp_path / "x.db"), "--set", "exit=when waiting"]
    done = forked.run(waiting, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    said = " ".join(done.stderr.split())
    assert "waiting for batch batch_" in said and f"metaspo resume {run_id(tmp_path / 'x.db')}" in said
    shown = forked.run(
        [sys.executable, "-m", "metaspo", "runs", "--store", str(tmp_path / "x.db"), "--json"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(shown.stdout)[0]["status"] == "waiting"
