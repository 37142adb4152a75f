"""The limiter of requests in flight: by the clock of a simulated endpoint, and over real HTTP."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.models.account import Account
from metaspo.models.limiter import MOST, PASSES, SEEN, START, AdaptiveLimit, GroupQueue, Limiter
from metaspo.models.model import Model
from metaspo.models.registry import Registry

from ..helpers.endpoint import Endpoint, fail, say


def named(name: Any) -> Request:
    return Request((("user", str(name)),), 16, 0.0)


def simulate(
    calls: int, latency: Callable[[Random], float], servers: int = 10**4, refuse_above: int = 10**9
) -> tuple[list[int], int]:
    """The level after every reply, and the refusals, of an endpoint that works on `servers` requests at a time."""
    random, limit, order = Random(1), AdaptiveLimit(), itertools.count()
    free, events = [0.0] * servers, []
    levels: list[int] = []
    left, in_flight, served, refusals, now = calls, 0, 0, 0, 0.0
    while len(levels) < calls:
        while left and in_flight < limit.level:
            left, in_flight = left - 1, in_flight + 1
            heapq.heappush(events, (now, next(order), "sent", now))
        now, _, what, started = heapq.heappop(events)
        if what == "answered":
            served, in_flight = served - 1, in_flight - 1
            limit.answered(started, now, saturated=left > 0)
            levels.append(limit.level)
        elif served >= refuse_above:
            refusals += 1
            limit.overloaded(now, now, in_flight)
            heapq.heappush(events, (now + random.random() * 0.5, next(order), "sent", now))
        else:
            served += 1
            end = max(now, heapq.heappop(free)) + latency(random)
            heapq.heappush(free, end)
            heapq.heappush(events, (end, next(order), "answered", now))
    return levels, refusals


def even(random: Random) -> float:
    return 0.5


def long_tailed(random: Random) -> float:
    return 0.5 * random.lognormvariate(0, 1)


@pytest.mark.parametrize("latency", [even, long_tailed])
@pytest.mark.parametrize("servers", [8, 40, 150])
def test_an_adaptive_limit_settles_near_what_an_endpoint_can_work_on(latency: Callable[[Random], float], servers: int) -> None:
    levels, _ = simulate(12_000, latency, servers)
    settled = levels[len(levels) // 2 :]
    assert servers * 0.6 < sum(settled) / len(settled) < servers * 1.6
    assert max(settled) <= max(START, 2.2 * servers)


@pytest.mark.parametrize("latency", [even, long_tailed])
def test_an_adaptive_limit_goes_all_the_way_where_every_step_pays(latency: Callable[[Random], float]) -> None:
    levels, _ = simulate(12_000, latency)
    assert levels[0] == START and levels.index(MOST) < 3000 and levels[-1] > MOST / 2


@pytest.mark.parametrize("latency", [even, long_tailed])
@pytest.mark.parametrize("bearable", [6, 20, 100])
def test_an_adaptive_limit_stays_below_what_is_refused(latency: Callable[[Random], float], bearable: int) -> None:
    levels, refusals = simulate(12_000, latency, refuse_above=bearable)
    settled = levels[len(levels) // 2 :]
    assert bearable * 0.7 < sum(settled) / len(settled) <= bearable * 1.1
    assert refusals < 12_000 * 0.02


def test_an_adaptive_limit_learns_nothing_from_an_endpoint_with_nothing_to_do() -> None:
    limit = AdaptiveLimit()
    for number in range(1000):
        limit.answered(number, number + 0.5, saturated=False)
    assert limit.level == START


def test_an_adaptive_limit_never_stops_altogether_and_comes_back() -> None:
    limit = AdaptiveLimit()
    for number in range(100):
        limit.overloaded(number, number + 0.5, in_flight=1)
    assert limit.level == 1
    now = 200.0
    for _ in range(10**4):
        now += 0.5 / limit.level
        limit.answered(now, now, saturated=True)
    assert limit.level > START


async def test_slots_are_given_in_turn_and_not_lost_to_the_cancelled() -> None:
    limiter, seen = Limiter(2), []

    async def work(number: int) -> None:
        async with limiter.turn(named(number)):
            seen.append(number)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(work(number)) for number in range(8)]
    await asyncio.sleep(0.005)
    tasks[3].cancel()  # waiting
    tasks[0].cancel()  # at work
    await asyncio.gather(*tasks, return_exceptions=True)
    assert seen == [0, 1, 2, 4, 5, 6, 7]
    async with limiter.turn(named(8)), limiter.turn(named(9)):
        pass


async def _order(limiter: Limiter, names: list[Any], firsts: int = 0) -> list[Any]:
    seen = []

    async def work(name: Any, first: bool = False) -> None:
        async with limiter.first() if first else limiter.turn(named(name)):
            seen.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(work(name))
        for number in range(firsts):
            group.create_task(work(f"first {number}", first=True))
    return seen


async def test_a_slot_goes_to_whom_the_backend_would_best_be_asked_by_next() -> None:
    def longest(waiting: list[Request]) -> int:
        texts = [str(request.messages[0][1]) for request in waiting]
        return texts.index(max(texts, key=len))

    assert await _order(Limiter(1, choose=longest), ["a", "bb", "cccc", "ddd"]) == ["a", "cccc", "ddd", "bb"]
    assert await _order(Limiter(1), ["a", "bb", "cccc", "ddd"]) == ["a", "bb", "cccc", "ddd"]
    # What others depend on comes before any choice.
    assert await _order(Limiter(1, choose=longest), ["a", "b", "cc"], firsts=2) == ["a", "first 1", "first 0", "cc", "b"]


async def test_who_waits_longest_is_passed_over_so_often_and_no_more() -> None:
    seen = await _order(Limiter(1, choose=lambda waiting: len(waiting) - 1), list(range(SEEN + PASSES + 9)))
    assert seen[1] == SEEN and seen.index(1) == PASSES + 1 and sorted(seen) == list(range(SEEN + PASSES + 9))


async def test_a_queue_starts_group_after_group_and_keeps_the_rest_back() -> None:
    queue, begun, under_way = GroupQueue(3), [], 0

    async def work(item: tuple[str, int]) -> None:
        nonlocal under_way
        begun.append(item)
        under_way += 1
        assert under_way <= 3
        await asyncio.sleep(0.1 if item == ("a", 1) else 0.005)
        under_way -= 1

    async def pair(name: str) -> None:
        async with asyncio.TaskGroup() as group:
            await queue.start(group, work, [(name, number) for number in range(5)])

    await asyncio.gather(*(pair(name) for name in "abc"))
    assert begun == [(name, number) for name in "abc" for number in range(5)]


@pytest.fixture
async def registry() -> AsyncIterator[Registry]:
    opened = Registry()
    yield opened
    await opened.close()


async def _ask(registry: Registry, path: Path, spec: dict[str, Any], count: int) -> tuple[Model, float]:
    """The model, and the seconds for `count` calls."""
    _, ledger = await registry.ledger(path)
    model, account = await registry.model(ModelSpec.parse(spec)), Account("run")
    started = asyncio.get_running_loop().time()
    replies = await asyncio.gather(*(ledger.call(model, named(number), "base", account) for number in range(count)))
    assert {reply.text for _, reply in replies} == {"yes"} and account.usage.total_calls == count
    return model, asyncio.get_running_loop().time() - started


@pytest.mark.long
async def test_an_endpoint_that_refuses_above_a_level_is_asked_less(
    registry: Registry, endpoint: Endpoint, store_path: Path
) -> None:
    async def busy(request: Any, body: Any, number: int) -> Any:
        if endpoint.open > 6:
            return fail(429, "too many at once", Retry_After="0.1")
        await asyncio.sleep(0.02)
        return say("yes")

    endpoint.act = busy
    model, _ = await _ask(registry, store_path, endpoint.spec(concurrency="auto"), 500)
    assert 3 <= model.limiter.level <= 8 and len(endpoint.seen) - 500 < 50


@pytest.mark.long
async def test_an_endpoint_that_gets_no_faster_is_not_pressed(
    registry: Registry, endpoint: Endpoint, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a clock that counts replies: a stall of this machine would be as good as an endpoint that got faster.
    replies = 0

    def answered() -> float:
        nonlocal replies
        replies += 1
        return replies * 0.005

    async def slow(*_: Any) -> Any:
        await asyncio.sleep(0.02)
        return say("yes")

    monkeypatch.setattr("metaspo.models.limiter.time", SimpleNamespace(monotonic=answered))
    monkeypatch.setattr("metaspo.models.model.time", SimpleNamespace(monotonic=lambda: replies * 0.005))
    endpoint.act = slow
    model, _ = await _ask(registry, store_path, endpoint.spec(concurrency="auto"), 400)
    assert replies == 400 and START < endpoint.most_open <= 2 * START and model.limiter.level <= START


@pytest.mark.long
async def test_timeouts_count_as_too_much(registry: Registry, endpoint: Endpoint, store_path: Path) -> None:
    async def drowns(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(3 if 1 < number <= 1 + START else 0)
        return say("yes")

    endpoint.act = drowns
    model, _ = await _ask(registry, store_path, endpoint.spec(timeout=1.5, concurrency="auto"), 50)
    assert model.limiter.level == 11


async def test_a_slow_example_delays_nobody(registry: Registry, endpoint: Endpoint, store_path: Path) -> None:
    ended: list[str] = []
    others = asyncio.Event()

    async def act(request: Any, body: Any, number: int) -> Any:
        text = body["messages"][0]["content"]
        if text == "3":
            await others.wait()
        ended.append(text)
        if len(ended) == 79:
            others.set()
        return say("yes")

    endpoint.act = act
    await asyncio.wait_for(_ask(registry, store_path, endpoint.spec(concurrency=2), 80), 60)
    assert ended[-1] == "3"


async def test_whoever_waited_for_the_first_reply_goes_on_together(
    registry: Registry, endpoint: Endpoint, store_path: Path
) -> None:
    async def act(*_: Any) -> Any:
        await asyncio.sleep(0.1)
        return say("yes")

    endpoint.act = act
    await _ask(registry, store_path, endpoint.spec(concurrency=12), 24)
    assert endpoint.most_open == 12


async def test_who_shares_a_limiter(registry: Registry, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")

    async def limiter(**settings: Any) -> Limiter:
        return (await registry.model(ModelSpec.parse(settings))).limiter

    server: dict[str, Any] = {"provider": "server", "base_url": endpoint.url}
    auto = await limiter(**server, name="base")
    assert await limiter(**server, name="optimizer", temperature=1) is auto
    assert await limiter(**server, name="other", concurrency=4) is not auto
    assert await limiter(**server, name="other", concurrency=4) is await limiter(**server, name="base", concurrency=4)
    assert await limiter(**(server | {"base_url": endpoint.url + "2"}), name="base") is not auto
    assert await limiter(provider="openai", name="a") is await limiter(provider="openai", name="b")
    assert await limiter(provider="scripted", name="dice") is not await limiter(
        provider="scripted", name="tests.helpers.scripts:uneven"
    )
