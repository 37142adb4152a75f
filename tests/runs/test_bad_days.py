"""Whole runs against a real server that misbehaves."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Result, Task
from metaspo.domain.errors import EndpointUnavailable
from metaspo.store.database import Store

from ..helpers.endpoint import Endpoint, cut_off, drop, fail, say


def answer(body: Any) -> str:
    """Deterministic replies, as task answers, analyses or proposals."""
    text = body["messages"][-1]["content"]
    number = int.from_bytes(hashlib.sha256(json.dumps([body["messages"], body.get("seed")]).encode()).digest()[:6], "big")
    if "between <prompt> and </prompt>" in text:
        return f"<prompt>Prompt {number}.{' {question}' if '{question} exactly once' in text else ''}</prompt>"
    return f"Analysis {number}." if "BEGIN DATA" in text else ("yes", "no")[number % 2]


def calm(request: Any, body: Any, number: int) -> Any:
    return say(answer(body))


class Faulty:
    """One call in ten goes wrong at first, each time in another way."""

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.faults = 0

    def __call__(self, request: Any, body: Any, number: int) -> Any:
        name = json.dumps([body["messages"], body.get("seed")])
        if int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10 == 0 and name not in self.failed:
            self.failed.add(name)
            self.faults += 1
            ways: list[Callable[[], Any]] = [
                lambda: fail(429), lambda: fail(429, Retry_After="0.05"), lambda: fail(500), lambda: fail(502),
                lambda: fail(503), lambda: drop(request), lambda: cut_off(request),
            ]  # fmt: skip
            return ways[self.faults % len(ways)]()
        return calm(request, body, number)


@pytest.fixture
def run(make_task: Callable[..., Task], endpoint: Endpoint, tmp_path: Path) -> Callable[..., Result]:
    def optimize(name: str, **settings: Any) -> Result:
        model = endpoint.spec(concurrency=8, seed=1) | settings.pop("model", {})
        tasks = [make_task("a"), make_task("b")]
        return metaspo.optimize(
            tasks=tasks, base=model, optimizer=model, preset="quick", test_size=10, store=tmp_path / f"{name}.db", **settings
        )

    return optimize


def what(result: Result) -> Any:
    rounds = [(row.round, row.level, row.system, row.score, row.accepted) for row in result.report.rounds]
    return rounds, result.report.user_after, [(task.before, task.after) for task in result.report.tasks]


def test_mixed_faults_change_nothing(run: Callable[..., Result], endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.act = calm
    expected = run("calm")
    faulty = Faulty()
    endpoint.act = faulty
    result = run("faulty")
    assert faulty.faults > 40
    assert what(result) == what(expected)
    assert result.report.usage.calls == expected.report.usage.calls
    store = Store(tmp_path / "faulty.db")
    replies = {text for (text,) in store.db.execute("SELECT DISTINCT reply FROM calls WHERE role = 'base'")}
    sizes = {
        size
        for (size,) in store.db.execute(
            "SELECT count(*) FROM outcomes JOIN evaluations ON id = evaluation WHERE whole GROUP BY evaluation"
        )
    }
    store.close()
    assert replies == {"yes", "no"} and sizes == {14, 6, 10}


def test_an_endpoint_that_is_gone_stops_a_run_that_can_go_on(
    run: Callable[..., Result], endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.act = calm
    expected = run("calm")
    gone = len(endpoint.seen) + 200

    def dies(request: Any, body: Any, number: int) -> Any:
        return calm(request, body, number) if number < gone else drop(request)

    endpoint.act = dies
    stopped = run("gone", model={"patience": 0.5})
    assert isinstance(stopped.stopped, EndpointUnavailable) and stopped.stopped.exit_code == 1
    assert stopped.report.run.status == "stopped" and "has failed for" in str(stopped.report.run.reason)
    endpoint.act = calm
    done = metaspo.resume(store=tmp_path / "gone.db")
    assert done.stopped is None and what(done) == what(expected)
    assert done.report.usage.calls == expected.report.usage.calls
