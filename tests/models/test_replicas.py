"""Several real servers on loopback behind one spec: who gets which request."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiohttp import web

from metaspo import ModelSpec, optimize
from metaspo.domain.calls import Request
from metaspo.domain.errors import ModelError
from metaspo.models import replica, replicas
from metaspo.models.backend import told_to
from metaspo.models.faults import Fault
from metaspo.models.registry import Registry

from ..helpers.endpoint import Endpoint, fail, say

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


async def slowly(request: web.Request, body: Any, number: int) -> web.Response:
    await asyncio.sleep(0.02)
    return say("yes")


async def very_slowly(request: web.Request, body: Any, number: int) -> web.Response:
    await asyncio.sleep(0.8)
    return say("yes")


@pytest.fixture
def three() -> Iterator[list[Endpoint]]:
    servers = [Endpoint(slowly, models=["m"]) for _ in range(3)]
    yield servers
    for server in servers:
        server.close()


def joined(servers: list[Endpoint], **settings: Any) -> ModelSpec:
    return ModelSpec.model_validate(
        {"provider": "vllm", "name": "m", "base_url": [server.url for server in servers]} | settings
    )


def ask(prompt: str, question: str) -> Request:
    system = f"You are the helper number {prompt}. " + "Read the question with care before you answer it. " * 4
    return Request((("system", system), ("user", f"Say yes or no.\n{question}")), 8, 0.0)


def prompts_seen(server: Endpoint) -> Counter[str]:
    return Counter(body["messages"][0]["content"].split(".")[0].split()[-1] for body in server.seen)


async def test_one_prompt_prefix_stays_on_one_replica_and_the_load_is_shared(three: list[Endpoint]) -> None:
    registry = Registry()
    model = await registry.model(joined(three))

    async def send(prompt: str, gate: asyncio.Semaphore, n: int) -> None:
        async with gate:
            await model.backend.complete(ask(prompt, f"Is {n} odd?"))

    gates = {prompt: asyncio.Semaphore(replicas.FEW - 1) for prompt in "abcdef"}
    await asyncio.gather(*(send(prompt, gate, n) for n in range(12) for prompt, gate in gates.items()))
    await registry.close()
    seen = [prompts_seen(server) for server in three]
    at_home = sum(max(counts[prompt] for counts in seen) for prompt in "abcdef")
    assert sum(sum(counts.values()) for counts in seen) == 72
    assert at_home >= 60, seen
    assert all(18 <= sum(counts.values()) <= 30 for counts in seen), seen


@pytest.mark.parametrize("at_once", [8, 60])
async def test_however_few_are_asked_at_once_none_is_idle(three: list[Endpoint], at_once: int) -> None:
    registry = Registry()
    model = await registry.model(joined(three))
    gate = asyncio.Semaphore(at_once)

    async def send(prompt: str, n: int) -> None:
        async with gate:
            await model.backend.complete(ask(prompt, f"Is {n} odd?"))

    # Pair by pair, as a run asks.
    await asyncio.gather(*(send(prompt, n) for prompt in "abc" for n in range(20)))
    await registry.close()
    assert all(len(server.seen) >= 10 for server in three), [len(server.seen) for server in three]
    assert all(server.most_open >= 2 for server in three), [server.most_open for server in three]


async def test_one_prefix_alone_does_not_leave_the_others_idle(three: list[Endpoint]) -> None:
    for server in three:
        server.act = very_slowly
    registry = Registry()
    model = await registry.model(joined(three))
    await asyncio.gather(*(model.backend.complete(ask("a", f"Is {n} odd?")) for n in range(120)))
    await registry.close()
    assert all(30 <= len(server.seen) <= 50 for server in three), [len(server.seen) for server in three]


async def test_a_dead_replica_is_skipped_and_comes_back(three: list[Endpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "COOLDOWN", 0.2)
    registry = Registry()
    model = await registry.model(joined(three))
    await model.backend.ready()
    three[1].stop()
    answers = await asyncio.gather(*(model.backend.complete(ask(str(n), "?")) for n in range(30)))
    assert [answer.text for answer in answers] == ["yes"] * 30
    assert not three[1].seen and len(three[0].seen) + len(three[2].seen) == 30
    three[1].start()
    await asked_until_it_answers(model, three[1])
    before = len(three[1].seen)
    await asyncio.gather(*(model.backend.complete(ask(f"new{n}", "?")) for n in range(9)))
    assert len(three[1].seen) == before + 3
    await registry.close()


async def asked_until_it_answers(model: Any, server: Endpoint) -> None:
    before = len(server.seen)
    async with asyncio.timeout(10):
        while len(server.seen) == before:
            await asyncio.gather(*(model.backend.complete(ask(f"again{n} {time.monotonic()}", "?")) for n in range(6)))
    assert len(server.seen) == before + 1, "one request, and not a share of all, finds out what it is worth"


async def test_one_that_was_silent_at_first_is_asked_once_it_is_there(
    three: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "COOLDOWN", 0.1)
    three[2].stop()
    registry = Registry()
    model = await registry.model(joined(three))
    told: list[str] = []
    with told_to(told.append):
        await model.backend.complete(ask("a", "?"))
    assert told == [f"{three[2].url} failed (no answer): its requests go to the other servers until it is back"]
    three[2].models = ["quite-another"]
    three[2].start()
    for n in range(12):
        await asyncio.sleep(0.05)
        await model.backend.complete(ask(f"b{n}", "?"))
    assert not three[2].seen, "it serves another model"
    three[2].models = ["m"]
    await asked_until_it_answers(model, three[2])
    await registry.close()


async def hang(request: web.Request, body: Any, number: int) -> web.Response:
    """An act of an endpoint that never answers in time."""
    await asyncio.sleep(30)
    return say("late")


async def test_one_that_is_there_and_never_answers_holds_up_one_request_at_a_time(
    three: list[Endpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "COOLDOWN", 0.05)

    three[1].act = hang
    registry = Registry()
    model = await registry.model(joined(three, timeout=2))
    told: list[str] = []

    async def patient(n: int) -> None:
        with told_to(told.append):
            answered = False
            while not answered:
                with contextlib.suppress(TimeoutError, Fault):
                    await asyncio.wait_for(model.backend.complete(ask(f"{n}", "?")), 2)
                    answered = True

    async with asyncio.timeout(60):
        await asyncio.gather(*(patient(n) for n in range(9)))
        shared = len(three[1].seen)
        await asyncio.gather(*(patient(n) for n in range(9, 60)))
    assert len(three[1].seen) <= shared + 2, "the first share, and then one at a time"
    assert f"{three[1].url} failed (no reply in 2 s): its requests go to the other servers until it is back" in told
    await registry.close()


@pytest.mark.parametrize("status", [500, 503, 401, 404])
async def test_one_that_fails_or_refuses_everything_costs_no_request(three: list[Endpoint], status: int) -> None:
    registry = Registry()
    model = await registry.model(joined(three))
    await model.backend.ready()
    three[1].act = lambda request, body, number: fail(status, "the model `m` does not exist")
    told: list[str] = []
    with told_to(told.append):
        for n in range(30):
            assert (await model.backend.complete(ask(str(n), "?"))).text == "yes"
    assert len(three[1].seen) == 1
    [said] = set(told)
    assert said.startswith(f"{three[1].url} failed (HTTP {status}: ")
    await registry.close()


async def test_what_all_refuse_is_said_and_blames_none(three: list[Endpoint]) -> None:
    registry = Registry()
    model = await registry.model(joined(three))
    for server in three:
        server.act = lambda request, body, number: fail(401, "no such key")
    with pytest.raises(Fault, match="HTTP 401: no such key"):
        await model.backend.complete(ask("a", "?"))
    for server in three:
        server.act = lambda request, body, number: fail(400, "quite wrong")
    with pytest.raises(Fault, match="HTTP 400: quite wrong"):
        await model.backend.complete(ask("a", "?"))
    assert sum(len(server.seen) for server in three) == 4, "what one refuses for itself is not asked of the next"
    for server in three:
        server.act = slowly
    await asyncio.gather(*(model.backend.complete(ask(f"b{n}", "?")) for n in range(9)))
    assert sorted(len(server.seen) for server in three) == [4, 4, 5]
    await registry.close()


async def test_a_replica_that_hangs_rests_and_one_that_asks_for_patience_does_not(three: list[Endpoint]) -> None:
    three[0].act = hang
    registry = Registry()
    model = await registry.model(joined(three, timeout=0.3))
    await model.backend.ready()
    async with asyncio.timeout(5):
        first = await asyncio.gather(
            *(asyncio.wait_for(model.backend.complete(ask(str(n), "?")), 0.3) for n in range(3)), return_exceptions=True
        )
        assert sum(isinstance(answer, TimeoutError | Fault) for answer in first) <= 1
        again = await asyncio.gather(*(model.backend.complete(ask(f"x{n}", "?")) for n in range(12)))
    assert len(three[0].seen) == 1 and len(again) == 12
    for server in three:
        server.act = lambda request, body, number: fail(429, "slower", Retry_After="1")
    with pytest.raises(Fault, match="HTTP 429"):
        await model.backend.complete(ask("b", "?"))
    assert sum(len(server.seen) for server in three) == 16, "a busy replica's request was sent to the next one as well"
    await registry.close()


async def test_all_dead_is_a_fault_that_may_be_tried_again(three: list[Endpoint]) -> None:
    registry = Registry()
    model = await registry.model(joined(three))
    await model.backend.ready()
    for server in three:
        server.stop()
    with pytest.raises(Fault, match="connection refused") as caught:
        await model.backend.complete(ask("a", "?"))
    assert caught.value.kind == "transient"
    await registry.close()
    other = Registry()
    with pytest.raises(Fault, match="no vLLM server answers at"):
        await (await other.model(joined(three))).backend.ready()
    await other.close()
    for server in three:
        server.start()


async def test_every_replica_has_to_serve_the_model(three: list[Endpoint]) -> None:
    three[2].models = ["quite-another"]
    registry = Registry()
    with pytest.raises(ModelError, match="serves quite-another, not m; name that, or another base_url"):
        await (await registry.model(joined(three))).backend.ready()
    await registry.close()


def act(request: web.Request, body: Any, number: int) -> web.Response:
    asked = body["messages"][-1]["content"]
    end = " {question}" if "{question}" in asked else ""
    return say(f"<prompt>Take care {number}.{end}</prompt>" if "<prompt>" in asked else "yes")


def test_a_run_over_replicas_outlives_one_of_them(
    three: list[Endpoint], make_task: Callable[..., Any], store_path: Any
) -> None:
    def falls_over(request: web.Request, body: Any, number: int) -> web.Response:
        return act(request, body, number) if number < 10 else fail(503, "out of memory")

    three[0].act, three[1].act, three[2].act = act, falls_over, act
    events: list[dict[str, Any]] = []
    started = time.monotonic()
    result = optimize(
        tasks=[make_task("a"), make_task("b")], base=joined(three), optimizer=joined(three), preset="quick", method="metaspo", iterations=1,
        train_size=10, test_size=10, store=store_path, listener=events.append,
    )  # fmt: skip
    assert result.stopped is None and time.monotonic() - started < 20
    assert min(len(three[0].seen), len(three[2].seen)) > 20
    [said] = [event["text"] for event in events if event["event"] == "noted" and "failed" in event["text"]]
    assert said.startswith(f"{three[1].url} failed (HTTP 503: out of memory)")


def test_a_question_that_no_replica_answers_is_set_aside_beside_a_dead_one(
    three: list[Endpoint], make_task: Callable[..., Any], store_path: Any
) -> None:
    def mostly(request: web.Request, body: Any, number: int) -> web.Response:
        return fail(500, "boom") if "Is 3 a number" in body["messages"][-1]["content"] else act(request, body, number)

    for server in three:
        server.act = mostly
    three[2].stop()
    result = optimize(
        tasks=[make_task("a", 8)], base=joined(three, patience=10), optimizer=joined(three), method="default",
        train_size=2, test_size=6, store=store_path,
    )  # fmt: skip
    three[2].start()
    assert result.stopped is None
    [aside] = result.report.set_aside
    assert "boom" in str(aside)


class Served:
    """One of `benchmarks/endpoint.py`, a process that can be killed."""

    def __init__(self, *flags: str) -> None:
        command = [sys.executable, str(ROOT / "benchmarks" / "endpoint.py"), "--latency", "0.05", *flags]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    @property
    def questions(self) -> list[str]:
        """What the base model was asked here, in order."""
        with urlopen(self.url.removesuffix("/v1") + "/served", timeout=30) as reply:
            return [text for text in json.load(reply)["texts"] if "BEGIN DATA" not in text]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def processes() -> Iterator[list[Served]]:
    servers = [Served("--slots", "8", "--blocks", "1000") for _ in range(2)]
    yield servers
    for server in servers:
        server.kill()


def test_a_replica_that_is_killed_costs_only_what_it_was_at_work_on(
    processes: list[Served], make_task: Callable[..., Any], store_path: Any
) -> None:
    """SIGKILL to one of two processes in the midst of a run: the other goes on, and nothing that was recorded is asked again."""
    doomed, other = processes
    at_kill: list[str] = []
    events: list[dict[str, Any]] = []

    def kill_once(event: dict[str, Any]) -> None:
        events.append(event)
        if not at_kill and all(len(server.questions) > 20 for server in processes):
            at_kill.extend(doomed.questions)
            doomed.kill()

    spec = {"provider": "vllm", "name": "m", "base_url": [server.url for server in processes], "concurrency": 16}
    settings: dict[str, Any] = {
        "tasks": [make_task("a"), make_task("b")], "base": spec, "optimizer": spec, "preset": "quick", "method": "metaspo",
        "iterations": 1, "train_size": 10, "test_size": 10, "store": store_path,
    }  # fmt: skip
    result = optimize(**settings, listener=kill_once)
    asked = other.questions
    assert result.stopped is None and at_kill and len(asked) > 40
    assert len(asked) == len({*asked}), "asked twice of the one that goes on"
    assert len({*asked} & {*at_kill}) <= 16, "what was in flight there, and no more"
    [said] = [event["text"] for event in events if event["event"] == "noted" and "failed" in event["text"]]
    assert said.startswith(f"{doomed.url} failed (") and said.endswith("go to the other servers until it is back")
    other.kill()
    again = optimize(**settings)
    assert again.stopped is None and again.report.usage.total_calls == 0, "with nobody left, all is in the store"


def test_prefixes_grow_and_the_question_comes_last() -> None:
    one, two = replicas.prefixes_of(ask("a", "first?")), replicas.prefixes_of(ask("a", "second?"))
    assert one == two and len(one) >= 3
    assert replicas.prefixes_of(ask("b", "first?"))[0] != one[0]
    assert len(replicas.prefixes_of(Request((("user", "x" * 9000),), 8, 0.0))) == replicas.LONGEST // replicas.STEP
    assert len(replicas.prefixes_of(Request((("user", "hi"),), 8, 0.0))) == 1
