"""One example never stops a run, and what is refused for all stops it at once: over real HTTP."""

import asyncio
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from aiohttp import web

from metaspo.domain.calls import Reply
from metaspo.domain.errors import EndpointUnavailable, ModelError
from metaspo.models.account import Account

from ..helpers.endpoint import Endpoint, drop, fail, say
from .test_ledger import Desk, desk

__all__ = ["desk"]


def body(status: int, content: Any) -> Callable[[], web.Response]:
    if isinstance(content, str):
        return lambda: web.Response(text=content, status=status, content_type="text/html" if "<" in content else "text/plain")
    return lambda: web.json_response(content, status=status)


GEMINI = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
HTML = "<html><head><title>413 Request Entity Too Large</title></head><body><h1>413 Request Entity Too Large</h1><hr>nginx</body></html>"
GROQ = (
    "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 14137, please reduce your message size"
)
OF_ONE: dict[str, tuple[Callable[[], web.Response], str]] = {
    "gemini": (body(400, [{"error": {"code": 400, "message": GEMINI, "status": "INVALID_ARGUMENT"}}]), "exceeds the maximum"),
    "anthropic": (
        body(400, {"type": "error", "error": {"message": "input length and `max_tokens` exceed context limit"}}),
        "exceed",
    ),
    "413 json": (body(413, {"error": {"message": "Payload gone over the limit"}}), "HTTP 413: Payload gone over the limit"),
    "413 html": (body(413, HTML), "HTTP 413: 413 Request Entity Too Large 413 Request Entity Too Large nginx"),
    "groq 413": (body(413, {"error": {"message": GROQ}}), "Requested 14137"),
    "openai 429": (
        body(429, {"error": {"message": "Limit 30000, Requested 40000. The input must be reduced"}}),
        "Requested 40000",
    ),
    "422": (
        body(422, {"detail": [{"loc": ["body", "messages"], "msg": "no such words"}]}),
        "HTTP 422: body.messages: no such words",
    ),
    "403 flagged": (body(403, {"error": {"message": "Your input was flagged"}}), "HTTP 403: Your input was flagged"),
    "400 flagged": (body(400, {"error": "Invalid prompt: flagged as potentially violating our usage policy"}), "flagged"),
    "policy": (body(400, {"error": {"code": "content_policy_violation", "message": "rejected"}}), "rejected"),
    "inspection": (body(400, {"error": {"code": "data_inspection_failed", "message": "inappropriate"}}), "inappropriate"),
    "text": (body(400, {"error": "I would rather not"}), "HTTP 400: I would rather not"),
    "list": (body(400, [{"error": "I would rather not"}]), "HTTP 400: I would rather not"),
    "plain": (body(418, "I am a teapot"), "HTTP 418: I am a teapot"),
    "200": (body(200, {"error": {"code": 413, "message": "too much"}}), "HTTP 413: too much"),
}


def only(bad: str, answer: Callable[[], Any]) -> Any:
    return lambda request, sent, number: answer() if sent["messages"][0]["content"] == bad else say("yes")


async def asked(desk: Desk, *texts: str) -> list[Any]:
    return await asyncio.gather(*(desk.ask(text) for text in texts), return_exceptions=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "concurrency", "bad"),
    [*((name, 4, "6") for name in OF_ONE), *product(("text", "413 json"), (1, 4), ("0", "12"))],
)
async def test_a_refusal_of_one_request_is_its_outcome(
    name: str, concurrency: int, bad: str, desk: Desk, endpoint: Endpoint
) -> None:
    answer, words = OF_ONE[name]
    endpoint.act = only(bad, answer)
    await desk.open(endpoint.spec(concurrency=concurrency))
    replies = await asked(desk, *map(str, range(13)))
    refused = replies.pop(int(bad))
    assert {reply.text for reply in replies} == {"yes"}
    assert isinstance(refused, Reply) and not refused.text and words in refused.error
    assert refused.finish in ("refused", "content_filter", "context_length") and len(endpoint.seen) == 13
    assert await desk.ask(bad) == refused


OF_ALL: dict[str, tuple[Callable[[], web.Response], str]] = {
    "text": (body(401, {"error": "no such key"}), "HTTP 401: no such key"),
    "detail": (body(403, {"detail": "Not authenticated"}), "HTTP 403: Not authenticated"),
    "list": (body(400, [{"error": {"message": "API key not valid. Please pass a valid one."}}]), "API key not valid"),
    "details": (body(400, {"detail": [{"loc": ["header"], "msg": "unknown parameter"}]}), "header: unknown parameter"),
    "plain text": (body(401, "Unauthorized"), "HTTP 401: Unauthorized"),
    "html": (body(403, "<html><body><h1>403 Forbidden</h1></body></html>"), "HTTP 403: 403 Forbidden"),
    "nothing": (body(403, ""), "HTTP 403"),
    "model": (body(404, {"error": "model 'm' not found, try pulling it first"}), "model 'm' not found"),
    "model 400": (body(400, {"error": {"message": "m is not a valid model ID"}}), "not a valid model"),
    "balance": (body(402, {"error": {"message": "Insufficient Balance"}}), "HTTP 402: Insufficient Balance"),
    "balance 403": (body(403, {"error": "insufficient balance"}), "insufficient balance"),
    "balance 429": (body(429, {"error": {"message": "Insufficient balance, please recharge"}}), "Insufficient balance"),
    "200": (body(200, {"error": {"code": 401, "message": "User not found."}}), "HTTP 401: User not found."),
    "200 text": (body(200, {"error": "invalid api key"}), "invalid api key"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", OF_ALL)
async def test_what_is_refused_for_all_costs_one_call_and_is_said(name: str, desk: Desk, endpoint: Endpoint) -> None:
    answer, words = OF_ALL[name]
    endpoint.act = lambda *_: answer()
    await desk.open(endpoint.spec())
    results = await asked(desk, *map(str, range(20)))
    assert {type(result) for result in results} == {ModelError} and words in str(results[0]) and "<" not in str(results[0])
    assert len(endpoint.seen) == 1 and desk.store.db["calls"].count == 0


async def test_whatever_else_all_are_refused_for_stops_after_a_few(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: fail(400, "I would rather not")
    await desk.open(endpoint.spec())
    results = await asked(desk, *map(str, range(20)))
    assert {str(result) for result in results} == {"server:m: HTTP 400: I would rather not"}
    assert len(endpoint.seen) <= 3 and desk.store.db["calls"].count == 0


async def test_the_only_request_that_is_left_is_set_aside_if_another_one_is_answered(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = only("bad", lambda: fail(400, "I would rather not"))
    await desk.open(endpoint.spec())
    assert (await desk.ask("bad")).finish == "refused"
    assert len(endpoint.seen) == 2 == desk.account.usage.total_calls == desk.store.db["calls"].count


@pytest.mark.parametrize("answer", [fail(401, "revoked"), fail(402, "Insufficient Balance"), fail(403, "no balance left")])
async def test_a_key_that_becomes_invalid_is_the_run_s(answer: Any, desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, sent, number: say("yes") if number <= 30 else fail(answer.status, "no balance")
    await desk.open(endpoint.spec(concurrency=4))
    results = await asked(desk, *map(str, range(200)))
    assert {type(result) for result in results} == {Reply, ModelError}
    assert sum(isinstance(result, Reply) for result in results) == 30 == desk.store.db["calls"].count
    assert len(endpoint.seen) <= 30 + 3 * 4


async def test_a_prompt_that_is_refused_with_all_its_questions_stops_nothing(desk: Desk, endpoint: Endpoint) -> None:
    act = lambda request, sent, number: fail(400, "no") if "flag" in sent["messages"][0]["content"] else say("yes")  # noqa: E731
    endpoint.act = act
    await desk.open(endpoint.spec(concurrency=4))
    await asked(desk, *map(str, range(20)))
    refused = await asked(desk, *(f"flag {number}" for number in range(60)))
    assert {reply.finish for reply in refused} == {"refused"} and len(endpoint.seen) <= 20 + 60 + 6
    assert (await desk.ask("one more")).text == "yes"


async def test_an_endpoint_that_begins_to_refuse_everything_stops_the_run(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, sent, number: say("yes") if number <= 20 else fail(400, "no")
    await desk.open(endpoint.spec(concurrency=4))
    results = await asked(desk, *map(str, range(200)))
    assert ModelError in {type(result) for result in results} and len(endpoint.seen) <= 60
    assert sum(getattr(result, "finish", "") == "refused" for result in results) <= 4


async def test_settings_are_held_apart(desk: Desk, endpoint: Endpoint) -> None:
    """What the base model's requests are answered says nothing of a setting that the endpoint refuses."""
    endpoint.act = lambda request, sent, number: say("yes") if sent["max_tokens"] == 16 else fail(400, "no")
    await desk.open(endpoint.spec())
    await desk.ask()
    desk.longest = 17
    results = await asked(desk, *map(str, range(20)))
    assert {type(result) for result in results} == {ModelError} and len(endpoint.seen) <= 10


async def _hang(*_: Any) -> Any:
    await asyncio.sleep(3)
    return say("late")


@pytest.mark.long
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("way", ["500", "hang", "reset"])
async def test_what_fails_alone_is_set_aside(way: str, concurrency: int, desk: Desk, endpoint: Endpoint) -> None:
    def act(request: Any, sent: Any, number: int) -> Any:
        if sent["messages"][0]["content"] != "3":
            return say("yes")
        return {"500": lambda: fail(500, "boom"), "hang": _hang, "reset": lambda: drop(request)}[way]()

    endpoint.act = act
    await desk.open(endpoint.spec(concurrency=concurrency, timeout=0.3))
    replies = await asked(desk, *map(str, range(13)))
    failed = replies.pop(3)
    assert {reply.text for reply in replies} == {"yes"} and failed.finish == "failed"
    assert failed.error.startswith("5 tries failed, the last with: ")
    assert {"500": "HTTP 500: boom", "hang": "no reply in 0.3 s", "reset": "connection closed"}[way] in failed.error
    assert len(endpoint.seen) <= 12 + 5 + 1


async def test_nothing_is_set_aside_while_others_fail_too(desk: Desk, endpoint: Endpoint) -> None:
    answered: list[str] = []

    def act(request: Any, sent: Any, number: int) -> Any:
        if number > 3 and len(endpoint.seen) < 60:
            return fail(500)
        answered.append(sent["messages"][0]["content"])
        return say("yes")

    endpoint.act = act
    await desk.open(endpoint.spec(concurrency=8))
    replies = await asked(desk, *map(str, range(20)))
    assert {reply.text for reply in replies} == {"yes"}


async def test_pressure_is_no_failure_of_a_request(desk: Desk, endpoint: Endpoint) -> None:
    tries = 0

    def act(request: Any, sent: Any, number: int) -> Any:
        nonlocal tries
        if sent["messages"][0]["content"] == "3":
            tries += 1
            return fail(429, Retry_After="0.05") if tries < 12 else say("yes")
        return say("yes")

    endpoint.act = act
    await desk.open(endpoint.spec(concurrency=4))
    assert {reply.text for reply in await asked(desk, *map(str, range(13)))} == {"yes"}


async def test_an_endpoint_that_dies_sets_nothing_aside(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, sent, number: say("yes") if number <= 30 else drop(request)
    await desk.open(endpoint.spec(concurrency=8, patience=0.5))
    results = await asked(desk, *map(str, range(60)))
    assert sum(isinstance(result, Reply) for result in results) == 30 == desk.store.db["calls"].count
    assert {type(result) for result in results} == {Reply, EndpointUnavailable}


async def test_the_budget_counts_what_is_asked_to_find_out(desk: Desk, endpoint: Endpoint) -> None:
    from metaspo.models.budget import Budget

    endpoint.act = only("bad", lambda: fail(400, "no"))
    await desk.open(endpoint.spec(), Account("run", Budget(calls=1)))
    assert [type(result).__name__ for result in await asked(desk, "bad")] == ["BudgetSpent"]
