"""Requests a minute, tokens a minute and what an endpoint says is left: over real HTTP, by a clock of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.errors import EndpointUnavailable, Interrupted
from metaspo.models.account import Account
from metaspo.models.meters import WINDOW
from metaspo.models.pacing import Pace
from metaspo.models.registry import Registry
from metaspo.models.spec import ModelSpec
from metaspo.studies.batch import _answers

from ..helpers.endpoint import Endpoint, completion, fail, say
from .test_ledger import Desk


class Clock(Account):
    """An account whose waits take no time: its clock goes on, once everything that was sent has arrived."""

    def begin(self, endpoint: Endpoint, pace: Pace) -> "Clock":
        self.now, self.endpoint, self.pace = 0.0, endpoint, pace
        self.arrivals: list[float] = []
        pace._clock = lambda: self.now
        return self

    def arrived(self) -> None:
        self.arrivals.append(self.now)

    async def sleep(self, seconds: float) -> None:
        while self.pace._back[0] < self.pace._out[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        for _ in range(20):  # What came back is taken in.
            await asyncio.sleep(0)
        self.now += seconds

    def most_in_a_minute(self) -> int:
        return max(sum(start <= at < start + 60 for at in self.arrivals) for start in self.arrivals)


@pytest.fixture
async def desk(store_path: Path) -> AsyncIterator[Desk]:
    registry = Registry()
    yield Desk(registry, store_path)
    await registry.close()


async def opened(desk: Desk, endpoint: Endpoint, **settings: Any) -> Clock:
    clock = Clock("run")
    await desk.open(endpoint.spec(**settings), clock)
    return clock.begin(endpoint, desk.model.pace)


async def test_no_minute_sees_more_requests_than_the_limit(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, requests_per_minute=12)
    endpoint.act = lambda request, body, number: clock.arrived() or say("yes")
    await asyncio.gather(*(desk.ask(str(number)) for number in range(40)))
    assert len(clock.arrivals) == 40 and clock.most_in_a_minute() == 12
    assert clock.now == pytest.approx(39 * WINDOW / 12, rel=0.05)


async def test_no_minute_sees_more_tokens_than_the_limit(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, tokens_per_minute=120)  # 12 a reply; as many as 17 are expected of the first
    endpoint.act = lambda request, body, number: clock.arrived() or say("yes")
    await asyncio.gather(*(desk.ask(str(number)) for number in range(30)))
    assert 8 <= clock.most_in_a_minute() <= 10


async def test_more_tokens_than_expected_make_the_next_wait(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, tokens_per_minute=1000)

    def long(request: Any, body: Any, number: int) -> Any:
        clock.arrived()
        body = completion("yes")
        body["usage"] = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
        return body

    from aiohttp import web

    endpoint.act = lambda request, body, number: web.json_response(long(request, body, number))
    await desk.ask("first")
    await desk.ask("second")
    assert clock.arrivals[1] >= 60


async def test_specs_of_one_model_at_one_endpoint_share_its_limit(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, requests_per_minute=5)
    other = await desk.registry.model(ModelSpec.parse(endpoint.spec(temperature=0.5, concurrency=3)))
    assert other.pace is desk.model.pace
    third = await desk.registry.model(ModelSpec.parse(endpoint.spec(name="another")))
    assert third.pace is not other.pace and third.limiter is not desk.model.limiter
    assert clock.now == 0


def test_a_limit_is_in_no_identity() -> None:
    spec = "server:m,base_url=http://127.0.0.1:1/v1"
    limited = ModelSpec.parse(f"{spec},requests_per_minute=3,tokens_per_minute=1000")
    assert _answers(limited) == _answers(ModelSpec.parse(spec))
    assert ModelSpec.parse(str(limited)) == limited


class Bucket:
    """An endpoint that takes so many requests, by the clock, until it is full again, and says so in its headers."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        self.clock, self.limit, self.seconds = clock, limit, seconds
        self.began, self.taken, self.refused = 0.0, 0, 0

    def __call__(self, request: Any, body: Any, number: int) -> Any:
        now = self.clock.now
        if now >= self.began + self.seconds:
            self.began, self.taken = now, 0
        self.taken += 1
        if self.taken > self.limit:
            self.refused += 1
            return fail(429, "slower")
        response = say("yes")
        response.headers["x-ratelimit-limit-requests"] = str(self.limit)
        response.headers["x-ratelimit-remaining-requests"] = str(self.limit - self.taken)
        response.headers["x-ratelimit-reset-requests"] = f"{self.began + self.seconds - now:.3f}s"
        return response


@pytest.mark.parametrize("limit", [1, 3, 20])
async def test_what_the_endpoint_says_is_left_is_obeyed_before_a_429(limit: int, desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, patience=100)
    endpoint.act = bucket = Bucket(clock, limit, 30)
    told: list[str] = []
    clock.told = told.append
    await asyncio.gather(*(desk.ask(str(number)) for number in range(3 * limit)))
    assert bucket.refused == 0 and len(endpoint.seen) == 3 * limit
    assert "waiting for the endpoint's limit: 30 s" in told


async def test_an_error_s_headers_count_too(desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = await opened(desk, endpoint, patience=1000)
    arrived: list[float] = []

    def act(request: Any, body: Any, number: int) -> Any:
        arrived.append(clock.now)
        if number > 1:
            return say("yes")
        return fail(429, "slower", x_ratelimit_remaining_tokens="0", x_ratelimit_reset_tokens="6m0s")

    endpoint.act = act
    await desk.ask()
    assert len(arrived) == 2 and arrived[1] >= 360


async def test_a_limit_used_up_for_longer_than_the_patience_ends_the_run(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, patience=20)

    def act(request: Any, body: Any, number: int) -> Any:
        response = say("yes")
        response.headers["anthropic-ratelimit-requests-remaining"] = "0"
        response.headers["anthropic-ratelimit-requests-reset"] = "2100-01-01T00:00:00Z"
        return response

    endpoint.act = act
    await desk.ask("first")
    with pytest.raises(EndpointUnavailable, match=r"limit of requests is used up for another .* patience of 20 s"):
        await desk.ask("second")
    assert len(endpoint.seen) == 1 and 20 <= clock.now < 21


async def test_whoever_waits_for_a_limit_can_be_stopped(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(requests_per_minute=1))
    await desk.ask("first")
    waiting = [asyncio.create_task(desk.ask(str(number))) for number in range(5)]
    while len(desk.model.pace._queue) < 5:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    desk.account.stop()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, Interrupted) for result in results) and len(endpoint.seen) == 1
    assert not desk.model.pace.holds_back and not desk.account.reserved


@pytest.mark.long
async def test_waiting_for_a_limit_is_no_slowness_and_no_failure(desk: Desk, endpoint: Endpoint) -> None:
    clock = await opened(desk, endpoint, requests_per_minute=60, patience=1)
    failed: set[str] = set()

    def act(request: Any, body: Any, number: int) -> Any:
        text = body["messages"][-1]["content"]
        if text in failed or int(text) % 10:
            return say("yes")
        failed.add(text)
        return fail(500)

    endpoint.act = act
    level = desk.model.limiter.level
    assert {reply.text for reply in await asyncio.gather(*(desk.ask(str(number)) for number in range(300)))} == {"yes"}
    assert desk.model.limiter.level == level and clock.now > 200
