"""What went wrong on the way, told apart; what a user's own model raises; how long an endpoint asks to wait."""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import openai
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult

import metaspo
from metaspo import ModelSpec
from metaspo.domain.calls import Request
from metaspo.domain.errors import EndpointUnavailable, ModelError
from metaspo.models.faults import Fault, classify, fault_of_program

from ..helpers.endpoint import Endpoint, cut_off, drop, fail, say
from .test_ledger import Desk, desk

__all__ = ["desk"]

WAITS = [
    "soon",
    "10m",
    "2020-01-01T00:00:00Z",
    "2020-01-01",
    "-5",
    "nan",
    "",
    "1e400",
    "99999999999999999999999",
    "inf",
    "Wed",
    "\u00e9",
]


@pytest.mark.long
@pytest.mark.parametrize("value", WAITS)
async def test_a_wait_that_cannot_be_read_is_no_traceback(value: str, desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: fail(429, Retry_After=value) if number == 1 else say("yes")
    await desk.open(endpoint.spec(patience=0.4))
    try:
        assert (await desk.ask()).text == "yes"
    except EndpointUnavailable as error:
        assert "HTTP 429" in str(error)


@pytest.mark.parametrize("written", [datetime.isoformat, format_datetime])
async def test_a_date_to_wait_for_is_read(written: Any) -> None:
    when = datetime.now(UTC) + timedelta(seconds=50)
    request = httpx.Request("POST", "http://x")
    response = httpx.Response(429, headers={"retry-after": written(when)}, request=request)
    fault = classify(httpx.HTTPStatusError("slow down", request=request, response=response))
    assert fault.kind == "transient" and fault.retry_after is not None and 40 < fault.retry_after <= 50


async def _fault_at(url: str, before: Callable[[], None] = lambda: None, **settings: Any) -> Fault:
    from metaspo.models.openai_compatible import OpenAICompatible

    backend = OpenAICompatible(ModelSpec.parse({"provider": "server", "name": "m", "base_url": url, "timeout": 2} | settings))
    before()
    try:
        await backend.complete(Request((("user", "hi"),), 16, 0.0))
    except Fault as fault:
        return fault
    finally:
        await backend.close()
    raise AssertionError("there was a reply")


async def test_faults_of_the_way_are_told_apart(endpoint: Endpoint) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    refused = await _fault_at(f"http://127.0.0.1:{port}/v1")
    unknown = await _fault_at("http://no-such-host.invalid/v1")
    endpoint.act = lambda request, *_: drop(request)
    reset = await _fault_at(endpoint.url)
    endpoint.act = lambda request, *_: cut_off(request)
    cut = await _fault_at(endpoint.url)
    starts = [fault.message.partition(":")[0] for fault in (refused, unknown, reset, cut)]
    assert starts == [
        "connection refused",
        "unknown host",
        "connection closed without a reply",
        "connection closed without a reply",
    ]
    assert not any(fault.overload for fault in (refused, unknown, reset, cut))
    assert [fault.unsent for fault in (refused, unknown, reset, cut)] == [True, True, False, False]


async def test_too_many_open_files_are_named(endpoint: Endpoint) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def full() -> None:
        with socket.socket() as free:
            resource.setrlimit(resource.RLIMIT_NOFILE, (free.fileno(), hard))

    try:
        fault = await _fault_at(endpoint.url, full)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert fault.message.startswith("too many open files") and fault.unsent


@pytest.mark.long
async def test_resets_do_not_slow_the_rest_down(desk: Desk, endpoint: Endpoint) -> None:
    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(0.02)
        return drop(request) if number % 20 == 0 else say("yes")

    endpoint.act = act
    await desk.open(endpoint.spec())
    started = time.monotonic()
    await asyncio.gather(*(desk.ask(str(number)) for number in range(600)))
    assert desk.model.limiter.level >= 16 and time.monotonic() - started < 20


class Mine(BaseChatModel):
    """A chat model of the user's own that raises what a test tells it to."""

    error: Any = None

    @property
    def _llm_type(self) -> str:
        return "mine"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise self.error


def scripted(request: Request) -> str:
    """A scripted model with a mistake in it."""
    return {}["no such key"]


MISTAKES = [
    KeyError("no such key"), ValueError("bad timeout setting"), RuntimeError("asyncio.run() cannot be called from a running event loop"),
    OSError("the disk connector is gone"), AttributeError("'NoneType' object has no attribute 'connect'"), FileNotFoundError(2, "No such file", "x.txt"),
]  # fmt: skip


@pytest.mark.parametrize("error", MISTAKES, ids=lambda error: type(error).__name__)
async def test_a_mistake_in_a_user_s_own_model_is_said_at_once(error: Exception, desk: Desk) -> None:
    spec = metaspo.program(Mine(error=error), name=f"mine-{type(error).__name__}", version="1")
    await desk.open(spec.model_dump())
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        await desk.ask()
    assert time.monotonic() - started < 5
    said = str(caught.value)
    assert (
        f"the program failed with {type(error).__name__}: " in said
        and "at test_faults.py:" in said
        and said.endswith("in _generate")
    )


async def test_a_mistake_in_a_script_has_its_name_and_place(desk: Desk) -> None:
    await desk.open({"provider": "scripted", "name": f"{__name__}:scripted"})
    with pytest.raises(ModelError, match=r"failed with KeyError: 'no such key', at test_faults\.py:\d+ in scripted"):
        await desk.ask()


def _status(kind: Any, status: int) -> Exception:
    request = httpx.Request("POST", "http://x")
    return kind("no", response=httpx.Response(status, request=request), body=None)  # type: ignore[no-any-return]


class Overloaded(Exception):
    """As other providers' packages raise: a status, and no more."""

    status_code = 529


class Botocore(Exception):
    """As botocore raises."""

    response = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 429}}  # noqa: RUF012


PASSING = [
    Overloaded("busy"), Botocore("slow down"), httpx.ReadTimeout("slow"), httpx.ConnectError("refused"), httpx.RemoteProtocolError("cut"),
    ConnectionResetError(errno.ECONNRESET, "reset"), TimeoutError(), openai.APIConnectionError(request=httpx.Request("POST", "http://x")),
]  # fmt: skip


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_passing_faults_under_a_provider_s_package_are_tried_again(error: Exception) -> None:
    wrapped = RuntimeError("the provider's own words")
    wrapped.__cause__ = error
    assert fault_of_program(error).kind == "transient" == fault_of_program(wrapped).kind


@pytest.mark.parametrize("way", ["timeout", "reset"])
async def test_a_model_s_account_and_limiter_are_left_alone_by_resets(way: str) -> None:
    fault = classify(ConnectionResetError(errno.ECONNRESET, "reset") if way == "reset" else TimeoutError())
    assert fault.overload == (way == "timeout")
