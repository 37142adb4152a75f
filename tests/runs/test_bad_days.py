"""Whole runs against a real server that misbehaves."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import ModelSpec, Result, Task
from metaspo.domain.errors import EndpointUnavailable, ModelError
from metaspo.models import asking
from metaspo.reports.words import controls
from metaspo.store.database import Store, open_store

from ..helpers.endpoint import Endpoint, cut_off, drop, fail, say
from ..models.test_evidence import OF_ONE


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


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next try comes at once, which nothing here is about."""
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.1)


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


@pytest.mark.long
def test_mixed_faults_change_nothing(run: Callable[..., Result], endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.act = calm
    expected = run("calm", patience=6)
    faulty = Faulty()
    endpoint.act = faulty
    result = run("faulty", patience=6)
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


@pytest.mark.long
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


def about(body: Any, remainder: int) -> bool:
    """Whether a request puts one of the three questions in forty whose number has this remainder."""
    text = body["messages"][-1]["content"]
    number = re.search(r"Is (\d+) a number", text)
    return number is not None and "BEGIN DATA" not in text and int(number[1]) % 13 == remainder


@pytest.mark.long
@pytest.mark.parametrize(("name", "bad"), [("gemini", 0), ("413 html", 5), ("openai 429", 0), ("list", 5), ("500", 0)])
def test_questions_that_are_always_refused_stop_nothing(
    name: str, bad: int, run: Callable[..., Result], endpoint: Endpoint
) -> None:
    refuse, words = OF_ONE.get(name, (lambda: fail(500, "boom"), "HTTP 500: boom"))
    endpoint.act = lambda request, body, number: refuse() if about(body, bad) else calm(request, body, number)
    result = run("refused", method="fixed", model={"concurrency": 2})
    assert result.stopped is None and result.report.run.status == "done"
    assert result.report.set_aside and all(words in one.says for one in result.report.set_aside)
    assert "No reply to example" in "\n".join(controls(result.report))


@pytest.mark.long
def test_a_whole_search_goes_on_with_refused_questions(run: Callable[..., Result], endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: fail(400, "no") if about(body, 5) else calm(request, body, number)
    result = run("search", method="metaspo")
    assert result.stopped is None and {one.says for one in result.report.set_aside} == {"refused: HTTP 400: no"}


def test_a_run_that_a_revoked_key_ended_goes_on(run: Callable[..., Result], endpoint: Endpoint, tmp_path: Path) -> None:
    revoked: list[int] = []

    def act(request: Any, body: Any, number: int) -> Any:
        revoked.extend([number] if about(body, 5) else [])
        return fail(401, "revoked") if revoked else calm(request, body, number)

    endpoint.act = act
    with pytest.raises(ModelError, match="HTTP 401: revoked"):
        run("ended", method="fixed", model={"concurrency": 2})
    # Those that were in flight, what waits for them, and one that is asked whether others are answered.
    assert len(endpoint.seen) <= revoked[0] + 5
    endpoint.act = lambda request, body, number: fail(400, "no") if about(body, 5) else calm(request, body, number)
    done = metaspo.resume(store=tmp_path / "ended.db")
    assert done.stopped is None and {one.says for one in done.report.set_aside} == {"refused: HTTP 400: no"}


@pytest.mark.long
def test_refused_optimizer_calls_are_dropped_proposals(run: Callable[..., Result], endpoint: Endpoint, tmp_path: Path) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        text = body["messages"][-1]["content"]
        proposal = "between <prompt> and </prompt>" in text and "{question} exactly once" not in text
        return fail(400, "I would rather not") if proposal else calm(request, body, number)

    endpoint.act = act
    assert run("dropped", method="metaspo").stopped is None
    with open_store(tmp_path / "dropped.db") as store:
        reasons = [reason for (reason,) in store.db.execute("SELECT reason FROM candidates WHERE status = 'dropped'")]
    assert any("refused: HTTP 400: I would rather not" in str(reason) for reason in reasons)


def test_a_refused_judge_gives_no_grade(make_task: Callable[..., Task], endpoint: Endpoint, tmp_path: Path) -> None:
    judge = ModelSpec.parse(endpoint.spec(max_tokens=99))
    metric = {"kind": "judge", "rubric": "Is it right?", "model": str(judge)}
    task = make_task("j", metric=metric)

    def act(request: Any, body: Any, number: int) -> Any:
        if body["max_tokens"] != 99:
            return say("yes")
        return fail(400, "flagged") if re.search(r"Is \d*7 a", body["messages"][-1]["content"]) else say("<grade>4</grade>")

    endpoint.act = act
    result = metaspo.optimize(
        tasks=[task], base=endpoint.spec(), optimizer=endpoint.spec(), method="fixed", preset="quick", store=tmp_path / "j.db"
    )
    assert result.stopped is None and 0 < result.report.tasks[0].replies_after.ungraded < 0.5
