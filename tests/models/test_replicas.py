"""Several real servers on loopback behind one spec: who gets which request."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

from metaspo import ModelSpec, optimize
from metaspo.domain.calls import Request
from metaspo.domain.errors import ModelError
from metaspo.models import replicas
from metaspo.models.faults import Fault
from metaspo.models.registry import Registry

from ..helpers.endpoint import Endpoint, fail, say


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
    requests = [ask(prompt, f"Is {n} odd?") for prompt in "abcdef" for n in range(20)]
    gate = asyncio.Semaphore(18)

    async def send(request: Request) -> None:
        async with gate:
            await model.backend.complete(request)

    await asyncio.gather(*(send(request) for request in requests))
    await registry.close()
    seen = [prompts_seen(server) for server in three]
    at_home = sum(max(counts[prompt] for counts in seen) for prompt in "abcdef")
    assert sum(sum(counts.values()) for counts in seen) == 120
    assert at_home == 120, seen
    assert [sum(counts.values()) for counts in seen] == [40, 40, 40]


async def test_one_prefix_alone_does_not_leave_the_others_idle(three: list[Endpoint]) -> None:
    for server in three:
        server.act = very_slowly
    registry = Registry()
    model = await registry.model(joined(three))
    await asyncio.gather(*(model.backend.complete(ask("a", f"Is {n} odd?")) for n in range(120)))
    await registry.close()
    assert all(30 <= len(server.seen) <= 50 for server in three), [len(server.seen) for server in three]


async def test_a_dead_replica_is_skipped_and_comes_back(three: list[Endpoint], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "COOLDOWN", 0.3)
    registry = Registry()
    model = await registry.model(joined(three))
    await model.backend.ready()
    three[1].stop()
    answers = await asyncio.gather(*(model.backend.complete(ask(str(n), "?")) for n in range(30)))
    assert [answer.text for answer in answers] == ["yes"] * 30
    assert not three[1].seen and len(three[0].seen) + len(three[2].seen) == 30
    three[1].start()
    await asyncio.sleep(0.35)
    await asyncio.gather(*(model.backend.complete(ask(f"new{n}", "?")) for n in range(9)))
    assert len(three[1].seen) == 3
    await registry.close()


async def test_a_replica_that_hangs_rests_and_one_that_asks_for_patience_does_not(three: list[Endpoint]) -> None:
    async def hang(request: web.Request, body: Any, number: int) -> web.Response:
        await asyncio.sleep(30)
        return say("late")

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


def test_a_run_over_replicas_outlives_one_of_them(
    three: list[Endpoint], make_task: Callable[..., Any], store_path: Any
) -> None:
    def act(request: web.Request, body: Any, number: int) -> web.Response:
        asked = body["messages"][-1]["content"]
        end = " {question}" if "{question}" in asked else ""
        return say(f"<prompt>Take care {number}.{end}</prompt>" if "<prompt>" in asked else "yes")

    def falls_over(request: web.Request, body: Any, number: int) -> web.Response:
        return act(request, body, number) if number < 10 else fail(503, "out of memory")

    three[0].act, three[1].act, three[2].act = act, falls_over, act
    started = time.monotonic()
    result = optimize(
        tasks=[make_task("a"), make_task("b")], base=joined(three), optimizer=joined(three), preset="quick", method="metaspo", iterations=1,
        train_size=10, test_size=10, store=store_path,
    )  # fmt: skip
    assert result.stopped is None and time.monotonic() - started < 20
    assert min(len(three[0].seen), len(three[2].seen)) > 20


def test_prefixes_grow_and_the_question_comes_last() -> None:
    one, two = replicas.prefixes_of(ask("a", "first?")), replicas.prefixes_of(ask("a", "second?"))
    assert one == two and len(one) >= 3
    assert replicas.prefixes_of(ask("b", "first?"))[0] != one[0]
    assert len(replicas.prefixes_of(Request((("user", "x" * 9000),), 8, 0.0))) == replicas.LONGEST // replicas.STEP
    assert len(replicas.prefixes_of(Request((("user", "hi"),), 8, 0.0))) == 1
