"""The ledger over real HTTP: what is paid, retried, recorded, and what stops a run."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.domain.errors import BudgetSpent, EndpointUnavailable, Interrupted, ModelError
from metaspo.models import asking
from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.registry import Registry
from metaspo.store import calls

from ..helpers.endpoint import Endpoint, cut_off, drop, fail, say


class Desk:
    """A ledger with one model and one account."""

    def __init__(self, registry: Registry, path: Path) -> None:
        self.registry, self.path = registry, path
        self.longest = 16

    async def open(self, spec: dict[str, Any], account: Account | None = None) -> "Desk":
        self.store, self.ledger = await self.registry.ledger(self.path)
        self.model = await self.registry.model(ModelSpec.parse(spec))
        self.account = account or Account("run")
        return self

    async def ask(self, text: str = "hi", **settings: Any) -> Any:
        request = Request((("user", text),), self.longest, 0.0, **settings)
        return (await self.ledger.call(self.model, request, "base", self.account))[1]


@pytest.fixture
async def desk(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    # The next try comes at once, unless the endpoint says when.
    monkeypatch.setattr(asking, "LONGEST_WAIT", 0.1)
    registry = Registry()
    yield Desk(registry, store_path)
    await registry.close()


async def test_a_call_is_paid_once_and_recorded_in_full(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(input_price=1.0, output_price=10.0))
    first, second = await desk.ask(), await desk.ask()
    assert first == second and len(endpoint.seen) == 1
    assert desk.account.usage.total_calls == 1 and desk.account.usage.cached == 1
    assert desk.account.usage.cost == pytest.approx(30e-6)
    [row] = desk.store.db["calls"].rows
    assert (row["reply"], row["input_tokens"], row["output_tokens"], row["model"]) == ("yes", 10, 2, "server:m")
    assert '"content": "hi"' in row["request"]


async def test_identical_calls_in_flight_share_one_request(desk: Desk, endpoint: Endpoint) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.sleep(0.2)
        return say("yes")

    endpoint.act = slow
    await desk.open(endpoint.spec())
    replies = await asyncio.gather(*(desk.ask() for _ in range(50)))
    assert len(endpoint.seen) == 1 and {reply.text for reply in replies} == {"yes"}
    await asyncio.gather(*(desk.ask(sample=f"{number}") for number in range(3)))
    assert len(endpoint.seen) == 4


async def test_the_limit_on_requests_in_flight_is_shared(desk: Desk, endpoint: Endpoint) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.sleep(0.02)
        return say("yes")

    endpoint.act = slow
    await desk.open(endpoint.spec(concurrency=5))
    other = await desk.registry.model(
        ModelSpec.parse(endpoint.spec(concurrency=5, temperature=1, input_price=3, output_price=0))
    )
    assert other.limiter is desk.model.limiter
    await asyncio.gather(*(desk.ask(str(number)) for number in range(40)))
    assert endpoint.most_open == 5


async def test_the_first_call_goes_alone_so_that_a_wrong_key_costs_one(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: fail(401, "Incorrect API key provided: sk-abcdef123456")
    await desk.open(endpoint.spec())
    results = await asyncio.gather(*(desk.ask(str(number)) for number in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {ModelError} and len(endpoint.seen) == 1
    assert "401" in str(results[0]) and "abcdef" not in str(results[0])


@pytest.mark.parametrize(
    "answer",
    [
        fail(404, "The model `m` does not exist", "model_not_found"),
        fail(403),
        fail(400, "bad temperature"),
        fail(429, "no credit", "insufficient_quota"),
    ],
)
async def test_refusals_stop_at_once(answer: Any, desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: answer
    await desk.open(endpoint.spec())
    with pytest.raises(ModelError, match="server:m: "):
        await desk.ask()
    assert len(endpoint.seen) == 1


async def _hang(*_: Any) -> Any:
    await asyncio.sleep(3)
    return say("late")


def _html(*_: Any) -> Any:
    from aiohttp import web

    return web.Response(text="<html>Bad gateway</html>", content_type="text/html")


BAD_DAYS: dict[str, Any] = {
    "429": lambda request, body, number: fail(429),
    "429 with retry-after": lambda request, body, number: fail(429, Retry_After="0.1"),
    "500": lambda request, body, number: fail(500),
    "502": lambda request, body, number: fail(502),
    "503": lambda request, body, number: fail(503),
    "reset": lambda request, body, number: drop(request),
    "never comes": _hang,
    "cut off": lambda request, body, number: cut_off(request),
    "html": _html,
}


@pytest.mark.long
@pytest.mark.parametrize("name", BAD_DAYS)
async def test_passing_faults_are_tried_again(name: str, desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: BAD_DAYS[name](request, body, number) if number <= 2 else say("yes")
    await desk.open(endpoint.spec(timeout=0.3))
    assert (await desk.ask()).text == "yes"
    assert len(endpoint.seen) == 3 and desk.account.usage.total_calls == 1


async def test_retry_after_is_honoured(desk: Desk, endpoint: Endpoint) -> None:
    times: list[float] = []

    def act(request: Any, body: Any, number: int) -> Any:
        times.append(time.monotonic())
        return fail(429, Retry_After="1.2") if number == 1 else say("yes")

    endpoint.act = act
    await desk.open(endpoint.spec())
    await desk.ask()
    assert times[1] - times[0] >= 1.2


@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        (say(""), "stop"),
        (say(None), "stop"),
        (say("cut", "length"), "length"),
        (fail(400, "filtered", "content_filter"), "content_filter"),
        (fail(400, "This model's maximum context length is 10 tokens", "context_length_exceeded"), "context_length"),
    ],
)
async def test_unusable_replies_are_outcomes_not_errors(answer: Any, finish: str, desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: answer
    await desk.open(endpoint.spec())
    reply = await desk.ask()
    assert reply.finish == finish and reply.text in ("", "cut")
    assert await desk.ask() == reply and len(endpoint.seen) == 1


async def test_an_endpoint_that_is_gone_stops_the_run(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(patience=0.5))
    await desk.ask("before")
    endpoint.stop()
    results = await asyncio.gather(*(desk.ask(str(number)) for number in range(30)), return_exceptions=True)
    assert {type(result) for result in results} == {EndpointUnavailable}
    assert desk.store.db["calls"].count == 1
    endpoint.start()


@pytest.mark.parametrize("seconds", [1.5, pytest.param(30, marks=pytest.mark.slow)])
async def test_an_endpoint_that_comes_back_loses_nothing(seconds: float, desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(patience=120))
    endpoint.stop()
    asking = asyncio.gather(*(desk.ask(str(number)) for number in range(10)))
    await asyncio.sleep(seconds)
    await asyncio.to_thread(endpoint.start)
    assert [reply.text for reply in await asking] == ["yes"] * 10


async def test_the_call_budget_is_never_overshot(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(), Account("run", Budget(calls=7)))
    results = await asyncio.gather(*(desk.ask(str(number)) for number in range(40)), return_exceptions=True)
    assert len(endpoint.seen) == 7 == desk.account.usage.total_calls
    assert sum(isinstance(result, BudgetSpent) for result in results) == 33


@pytest.mark.parametrize("budget", [{"input_tokens": 95}, {"output_tokens": 19}, {"cost": 95e-6}])
async def test_other_budgets_overshoot_by_what_was_in_flight(budget: dict[str, Any], desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(concurrency=4, input_price=1.0, output_price=0), Account("run", Budget(**budget)))
    await asyncio.gather(*(desk.ask(str(number)) for number in range(60)), return_exceptions=True)
    assert 10 <= len(endpoint.seen) <= 10 + 3
    with pytest.raises(BudgetSpent, match="budget of"):
        await desk.ask("one more")


async def test_minutes_count_over_all_sittings(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec(), Account("run", Budget(minutes=1), seconds=50))
    await desk.ask("in time")
    desk.account.started -= 11
    with pytest.raises(BudgetSpent, match="1 minutes"):
        await desk.ask("too late")
    assert len(endpoint.seen) == 1


async def test_cancelled_callers_do_not_lose_a_paid_reply(desk: Desk, endpoint: Endpoint) -> None:
    async def slow(*_: Any) -> Any:
        await asyncio.sleep(0.3)
        return say("yes")

    endpoint.act = slow
    await desk.open(endpoint.spec())
    asking = asyncio.create_task(desk.ask())
    await asyncio.sleep(0.1)
    asking.cancel()
    await desk.ledger.settle()
    assert desk.store.db["calls"].count == 1 and desk.account.usage.total_calls == 1


async def test_stopping_ends_the_waiting_between_tries(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: fail(429, Retry_After="15")
    await desk.open(endpoint.spec())
    asking = asyncio.create_task(desk.ask())
    await asyncio.sleep(0.2)
    desk.account.stop()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        await asking
    assert time.monotonic() - started < 5


@pytest.mark.long
async def test_mixed_faults_lose_no_call_and_score_no_error_text(desk: Desk, endpoint: Endpoint) -> None:
    """One call in ten goes wrong at first, in every way there is."""
    bad, failed = list(BAD_DAYS.values()), set()

    def act(request: Any, body: Any, number: int) -> Any:
        text = body["messages"][0]["content"]
        if int(text) % 10 == 0 and text not in failed:
            failed.add(text)
            return bad[int(text) // 10 % len(bad)](request, body, number)
        return say(f"answer {text}")

    endpoint.act = act
    await desk.open(endpoint.spec(timeout=0.5, concurrency=16))
    replies = await asyncio.gather(*(desk.ask(str(number)) for number in range(300)))
    assert [reply.text for reply in replies] == [f"answer {number}" for number in range(300)]
    assert len(failed) == 30 and desk.store.db["calls"].count == 300


async def test_what_the_requests_carry(desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    from metaspo.domain.calls import Constraint

    monkeypatch.setenv("MY_KEY", "sk-secret-value-1")
    await desk.open(endpoint.spec(constrain="grammar", seed=7, api_key_env="MY_KEY"))
    await desk.ask(constraint=Constraint('root ::= "a"', ("a",)), sample="draw 2")
    [body] = endpoint.seen
    assert body["grammar"] == 'root ::= "a"' and body["max_tokens"] == 16 and body["temperature"] == 0
    assert body["seed"] != 7 and endpoint.headers[0]["Authorization"] == "Bearer sk-secret-value-1"
    assert b"sk-secret-value-1" not in desk.path.read_bytes()


async def test_openai_s_own_form_of_a_request(desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value-2")
    await desk.open({"provider": "openai", "name": "gpt-x", "base_url": endpoint.url})
    assert (await desk.ask()).text == "yes"
    [body] = endpoint.seen
    assert body["max_completion_tokens"] == 16 and "max_tokens" not in body and body["model"] == "gpt-x"
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-secret-value-2"


async def test_a_json_schema_answer_is_unwrapped(desk: Desk, endpoint: Endpoint) -> None:
    from metaspo.domain.calls import Constraint

    endpoint.act = lambda *_: say('{"answer": "b"}')
    await desk.open(endpoint.spec(constrain="json_schema"))
    reply = await desk.ask(constraint=Constraint("", ("a", "b")))
    assert reply.text == "b"
    assert endpoint.seen[0]["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"] == ["a", "b"]


OBJECT = {"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "string"}}, "required": ["b"]}
CLOSED = OBJECT | {"additionalProperties": False, "required": ["a", "b"]}
LIST = {"type": "array", "items": {"$ref": "#/$defs/one"}, "$defs": {"one": {"type": "string"}}}
FORMAT = {"type": "json_schema"}
WRAPPED = {
    "type": "object", "properties": {"answer": {"type": "array", "items": {"$ref": "#/$defs/one"}}},
    "required": ["answer"], "additionalProperties": False, "$defs": LIST["$defs"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("way", "schema", "sent"),
    [
        ("json_schema", OBJECT, {"response_format": FORMAT | {"json_schema": {"name": "reply", "schema": OBJECT, "strict": False}}}),
        ("json_schema", CLOSED, {"response_format": FORMAT | {"json_schema": {"name": "reply", "schema": CLOSED, "strict": True}}}),
        ("json_schema", LIST, {"response_format": FORMAT | {"json_schema": {"name": "answer", "schema": WRAPPED, "strict": True}}}),
        ("structured_outputs", LIST, {"structured_outputs": {"json": LIST}}),
        ("grammar", OBJECT, {"json_schema": OBJECT}),
        ("none", OBJECT, {}),
    ],
)  # fmt: skip
async def test_a_schema_is_sent_as_the_endpoint_has_it(
    way: str, schema: dict[str, Any], sent: dict[str, Any], desk: Desk, endpoint: Endpoint
) -> None:
    from metaspo.domain.calls import Constraint

    said = '{"answer": ["x", "é"]}'
    endpoint.act = lambda *_: say(said)
    await desk.open(endpoint.spec(constrain=way))
    reply = await desk.ask(constraint=Constraint(schema=json.dumps(schema)))
    # Only what was wrapped on the way is unwrapped: an object may have a field of that name.
    assert reply.text == ('["x", "é"]' if way == "json_schema" and schema is LIST else said)
    [body] = endpoint.seen
    names = ("response_format", "structured_outputs", "json_schema", "grammar")
    # In the order in which it is written: replies are made in it.
    assert json.dumps({name: body[name] for name in names if name in body}) == json.dumps(sent)


def test_a_request_with_a_schema_is_made_again_from_its_record() -> None:
    from metaspo.domain.calls import Constraint, Request

    grammar = 'root ::= "<answer>a | \\"b\\"</answer>" | "é"'
    for held in (
        Constraint(schema=json.dumps(OBJECT)), Constraint(grammar, ('<answer>a | "b"</answer>', "é")),
        Constraint('root ::= "a" [b-z] | "c"'), Constraint('root ::= [^<]{0,400} "<grade>" [1-5] "</grade>"'),
    ):  # fmt: skip
        request = Request((("user", "q"),), 16, 0.0, constraint=held)
        assert Request.of(json.loads(json.dumps(request.content())), "base") == request
        assert ("grammar" in request.content()) == (not held.schema)


async def test_two_schemas_are_two_calls(desk: Desk, endpoint: Endpoint) -> None:
    from metaspo.domain.calls import Constraint

    await desk.open(endpoint.spec(constrain="structured_outputs"))
    for schema in (OBJECT, LIST, OBJECT):
        await desk.ask(constraint=Constraint(schema=json.dumps(schema)))
    assert len(endpoint.seen) == 2


async def test_a_missing_key_is_found_before_any_call(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match="set the environment variable OPENAI_API_KEY"):
        await desk.open({"provider": "openai", "name": "gpt-4o-mini"})


async def test_usage_is_what_the_run_paid(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec())
    await desk.ask("mine")
    desk.account = Account("another run")
    await desk.ask("mine")
    await desk.ask("theirs")
    assert [calls.usage(desk.store.db, run).total_calls for run in ("run", "another run")] == [1, 1]
