"""LangChain's own packages for Anthropic, Google, Ollama and Azure, talking HTTP to servers that speak their protocols."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from aiohttp import web
from langgraph.graph import START, StateGraph

from metaspo.domain.calls import Constraint, Request, Role
from metaspo.domain.errors import EndpointUnavailable, ModelError
from metaspo.models.providers import ProviderModel
from metaspo.models.registry import registry
from metaspo.models.spec import ModelSpec

from ..helpers.endpoint import drop
from ..helpers.protocols import MALFORMED, PROTOCOLS, Anthropic, Azure, Gemini, Ollama, Protocol
from .test_ledger import Desk, desk

__all__ = ["desk"]

pytestmark = [
    # Google's client makes a class of its own from aiohttp's session, and forgets a coroutine where an error is no JSON.
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'ClientResponse.json' was never awaited:RuntimeWarning"),
]

KEY = "qx7-5up3r-9f2c81d7e6"
THINKERS = (Anthropic, Gemini, Ollama)


@pytest.fixture(params=PROTOCOLS, ids=lambda kind: kind.provider)
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Protocol]:
    if request.param.key:
        monkeypatch.setenv(request.param.key, KEY)
    server = request.param()
    yield server
    server.close()


@pytest.mark.long
async def test_a_plain_reply_comes_with_its_counts(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec(seed=3))
    request = Request((("system", "Be brief."), ("user", "Is 3 odd?")), 77, 0.5)
    _, reply = await desk.ledger.call(desk.model, request, "base", desk.account)
    assert (reply.text, reply.finish, reply.input_tokens, reply.output_tokens) == ("yes", "stop", 10, 2)
    assert not reply.estimated and not reply.error
    [body] = served.seen
    assert served.system(body) == "Be brief." and served.length(body) == 77
    assert KEY in str(served.headers[0]) or not served.key
    again = await desk.ledger.call(desk.model, request, "base", desk.account)
    assert again[1] == reply and len(served.seen) == 1, "a call is paid once"


@pytest.mark.long
async def test_temperature_and_seed_are_where_each_protocol_has_them(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec(seed=3))
    await desk.ledger.call(desk.model, Request((("user", "hi"),), 5, 0.5), "base", desk.account)
    body = served.seen[0]
    settings = body.get("generationConfig") or body.get("options") or body
    assert settings["temperature"] == 0.5
    assert settings.get("seed") == (None if isinstance(served, Anthropic) else 3)


@pytest.mark.parametrize("served", THINKERS, indirect=True)
async def test_thoughts_are_no_answer(served: Any, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("yes", thought="no, no, no")
    await desk.open(served.spec())
    assert (await desk.ask()).text == "yes"
    served.act = lambda request, body, number: served.says("", "length", thought="no, no, no")
    cut = await desk.ask("and 4?")
    assert (cut.text, cut.finish) == ("", "length")


async def test_a_reply_that_was_cut_off_says_so(served: Protocol, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("ye", "length")
    await desk.open(served.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish) == ("ye", "length")


@pytest.mark.parametrize("served", (Anthropic, Gemini, Azure), indirect=True)
async def test_a_refusal_is_no_answer(served: Protocol, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("", "refusal")
    await desk.open(served.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish) == ("", "content_filter") and not reply.is_fact


async def test_what_claude_wrote_before_it_refused_is_no_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Anthropic.key, KEY)
    server = Anthropic(lambda request, body, number: server.says("Sure, yes", "refusal"))
    await desk.open(server.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish, reply.error) == ("", "content_filter", "Sure, yes")
    server.close()


async def test_a_prompt_that_gemini_blocks_is_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setenv(Gemini.key, KEY)
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 10}}
    server = Gemini(lambda request, body, number: web.json_response(blocked))
    await desk.open(server.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish) == ("", "content_filter")
    assert reply.error == "the prompt was blocked: PROHIBITED_CONTENT"
    assert not capsys.readouterr().err, "what a package logs of it is printed"
    server.close()


async def test_an_empty_reply_is_an_outcome(served: Protocol, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("")
    await desk.open(served.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish) == ("", "stop") and len(served.seen) == 1


@pytest.mark.long
@pytest.mark.parametrize(("status", "words"), [(401, "invalid x-api-key"), (404, "model: no-such-model was not found")])
async def test_a_wrong_key_or_model_ends_the_run_after_one_request(
    served: Protocol, desk: Desk, status: int, words: str
) -> None:
    served.act = lambda request, body, number: served.fails(status, words)
    await desk.open(served.spec())
    with pytest.raises(ModelError, match=f"{served.provider}:.*HTTP {status}: {words}") as caught:
        await asyncio.gather(*(desk.ask(str(i)) for i in range(20)))
    assert len(served.seen) == 1 and KEY not in str(caught.value)


async def test_a_key_that_gemini_does_not_know_is_a_bad_request_that_ends_the_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Gemini.key, KEY)
    server = Gemini(lambda request, body, number: server.fails(400, "API key not valid. Please pass a valid API key."))
    await desk.open(server.spec())
    with pytest.raises(ModelError, match="API key not valid"):
        await desk.ask()
    assert len(server.seen) == 1
    server.close()


async def test_a_request_that_is_too_long_is_an_outcome(served: Protocol, desk: Desk) -> None:
    words = {
        "anthropic": "prompt is too long: 208310 tokens > 200000 maximum",
        "google_genai": "The input token count (2) exceeds the maximum number of tokens allowed (1).",
    }.get(served.provider, "This model's maximum context length is 8192 tokens.")
    served.act = lambda request, body, number: served.fails(400, words)
    await desk.open(served.spec())
    reply = await desk.ask()
    assert (reply.finish, reply.error, len(served.seen)) == ("context_length", words, 1)


@pytest.mark.long
@pytest.mark.parametrize("served", (Anthropic, Gemini, Azure), indirect=True)
async def test_a_wait_that_an_endpoint_asks_for_is_kept(served: Protocol, desk: Desk) -> None:
    words = "You exceeded your current quota, please check your plan and billing details."
    served.act = lambda request, body, number: served.fails(429, words, retry_after="1") if number == 1 else served.says("yes")
    await desk.open(served.spec())
    started = time.monotonic()
    assert (await desk.ask()).text == "yes"
    assert time.monotonic() - started >= 1 and len(served.seen) == 2


@pytest.mark.long
@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_what_passes_is_tried_again_by_the_ledger_alone(served: Protocol, desk: Desk, status: int) -> None:
    served.act = lambda request, body, number: served.fails(status, "try again") if number < 3 else served.says("yes")
    await desk.open(served.spec())
    assert (await desk.ask()).text == "yes"
    assert len(served.seen) == 3 and desk.account.usage.total_calls == 1


@pytest.mark.parametrize("status", [429, 500])
async def test_a_package_makes_one_request_of_one_call(served: Protocol, status: int) -> None:
    served.act = lambda request, body, number: served.fails(status, "try again")
    async with registry().used():
        model = await registry().model(ModelSpec.parse(served.spec()))
        with pytest.raises(Exception, match=f"HTTP {status}: try again"):
            await model.backend.complete(Request((("user", "hi"),), 5, 0.0))
    assert len(served.seen) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    "broken",
    [
        lambda request: web.Response(text=MALFORMED, content_type="application/json"),
        lambda request: web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html"),
        lambda request: web.json_response({}),
        lambda request: web.json_response([]),
        drop,
    ],
    ids=["cut", "html", "empty", "list", "dropped"],
)
async def test_what_is_no_reply_is_tried_again(served: Protocol, desk: Desk, broken: Any) -> None:
    served.act = lambda request, body, number: broken(request) if number == 1 else served.says("yes")
    await desk.open(served.spec())
    assert (await desk.ask()).text == "yes" and len(served.seen) == 2


@pytest.mark.long
async def test_a_server_that_is_not_there_is_waited_for_and_named(served: Protocol, desk: Desk) -> None:
    served.stop()
    await desk.open(served.spec(patience=0.5))
    with pytest.raises(EndpointUnavailable, match=r"has failed for .* last with: connection (refused|failed)"):
        await desk.ask()
    served.start()


async def test_an_ollama_stream_that_breaks_off_is_no_reply(desk: Desk) -> None:
    server = Ollama()
    error = {"error": "an error was encountered while running the model: unexpected EOF"}
    part = {"model": "m", "message": {"role": "assistant", "content": "ye"}, "done": False}

    def act(request: Any, body: Any, number: int) -> Any:
        return [server.says("yes", done=False), server.lines([part, error]), server.says("yes")][number - 1]

    server.act = act
    await desk.open(server.spec())
    assert (await desk.ask()).text == "yes" and len(server.seen) == 3
    server.close()


@pytest.mark.parametrize("served", (Anthropic, Gemini), indirect=True)
async def test_tokens_from_a_cache_are_read_tokens(served: Any, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("yes", cached=8)
    await desk.open(served.spec())
    reply = await desk.ask()
    assert (reply.input_tokens, reply.cached_tokens) == (10, 8)


@pytest.mark.parametrize("served", THINKERS, indirect=True)
async def test_counts_that_nobody_told_are_estimated(served: Any, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says("yes", usage=False)
    await desk.open(served.spec())
    reply = await desk.ask()
    assert reply.estimated and reply.input_tokens and reply.output_tokens


async def test_a_constraint_is_the_providers_own_schema(served: Protocol, desk: Desk) -> None:
    served.act = lambda request, body, number: served.says('{"answer": "no"}')
    await desk.open(served.spec(constrain="json_schema"))
    assert (await desk.ask(constraint=Constraint("g", ("yes", "no")))).text == "no"
    assert "'enum': ['yes', 'no']" in str(served.seen[0])


async def test_a_schema_is_the_providers_own_way_to_ask_for_one(served: Protocol, desk: Desk) -> None:
    schema = {
        "type": "object",
        "properties": {"total": {"type": "number"}},
        "required": ["total"],
        "additionalProperties": False,
    }
    served.act = lambda request, body, number: served.says('{"total": 3}')
    await desk.open(served.spec(constrain="json_schema"))
    assert (await desk.ask(constraint=Constraint(schema=json.dumps(schema)))).text == '{"total": 3}'
    assert "'total': {'type': 'number'}" in str(served.seen[0])


@pytest.mark.long
async def test_many_at_once_all_come_back(served: Protocol, desk: Desk) -> None:
    async def crowded(request: Any, body: Any, number: int) -> Any:
        if served.most_open >= 60:
            enough.set()
        elif number > 1:
            await enough.wait()
        return served.says("yes")

    enough = asyncio.Event()
    served.act = crowded
    await desk.open(served.spec(concurrency=100, timeout=60))
    replies = await asyncio.gather(*(desk.ask(str(i)) for i in range(200)))
    assert len(replies) == 200 and served.most_open >= 60


@pytest.mark.parametrize(
    "settings",
    [{"name": "claude-fable-5", "options": {"top_k": 3}}, {"options": {"model_kwargs": {"bogus": 1}}}],
    ids=["refused by the package", "unknown to the client"],
)
async def test_what_a_package_makes_no_request_of_ends_the_run(
    settings: dict[str, Any], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Anthropic.key, KEY)
    server = Anthropic()
    await desk.open(server.spec(**settings))
    with pytest.raises(ModelError, match=r"anthropic:.*Error before any request: .*(top_k|bogus)"):
        await desk.ask()
    assert not server.seen
    server.close()


async def test_the_settings_of_requests_go_where_each_protocol_has_them(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec(top_p=0.5))
    await desk.ledger.call(desk.model, Request((("user", "hi"),), 5, None), "base", desk.account)
    body = served.seen[0]
    settings = body.get("generationConfig") or body.get("options") or body
    assert (settings.get("top_p") or settings["topP"]) == 0.5 and "temperature" not in str(body)


async def test_a_reasoning_effort_goes_to_who_knows_it(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec(reasoning_effort="low"))
    if isinstance(served, Ollama):
        with pytest.raises(ModelError, match=r"before any request: .*reasoning_effort"):
            await desk.ask()
        return
    await desk.ask()
    assert "'low'" in str(served.seen[0]).lower()


async def test_a_system_prompt_can_be_folded_into_the_question(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec(system_role="fold"))
    await desk.ledger.call(desk.model, Request((("system", "Be brief."), ("user", "hi")), 5, 0.0), "base", desk.account)
    assert "Be brief.\\n\\nhi" in str(served.seen[0]) and "system" not in str(served.seen[0])


@pytest.mark.parametrize("name", ["headers", "query", "organization", "extra_body"])
def test_what_a_package_cannot_send_is_refused(name: str) -> None:
    value = "org-1" if name == "organization" else {"X-Team": "a"}
    with pytest.raises(ModelError, match=f"{name}: not for 'anthropic'"):
        ModelSpec.parse({"provider": "anthropic", "name": "m", name: value})


async def test_azure_is_sent_headers_and_a_query(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(Azure.key, KEY)
    server = Azure()
    await desk.open(server.spec(headers={"X-Team": "research"}))
    await desk.ask()
    assert {name.lower(): value for name, value in server.headers[0].items()}["x-team"] == "research"
    server.close()


class State(TypedDict, total=False):
    said: str


async def test_messages_stream_the_optimizer_alone(served: Protocol, desk: Desk) -> None:
    """Ollama's package streams inside of every call, and would tell LangGraph each token."""
    await desk.open(served.spec())
    roles: tuple[Role, ...] = ("base", "optimizer", "judge")

    def asks(role: Role) -> Any:
        async def node(state: State) -> State:
            reply = await desk.model.backend.complete(Request((("user", role),), 5, 0.0, role=role))
            assert (reply.input_tokens, reply.output_tokens) == (10, 2)
            return {"said": reply.text}

        return node

    graph = StateGraph(State)
    for before, role in zip((START, *roles), roles, strict=False):
        graph.add_node(role, asks(role)).add_edge(before, role)
    told: dict[str, str] = {}
    async for chunk, metadata in graph.compile().astream({}, stream_mode="messages"):
        told[metadata["langgraph_node"]] = told.get(metadata["langgraph_node"], "") + chunk.text
    assert told == {"optimizer": "yes"} and len(served.seen) == 3


def test_the_identity_is_what_the_spec_and_the_environment_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL"):
        monkeypatch.delenv(name, raising=False)

    def told(text: str) -> dict[str, Any]:
        return ProviderModel(ModelSpec.parse(text)).identity

    assert told("anthropic:claude-x") == {"provider": "anthropic", "model": "claude-x"}
    assert told("anthropic:claude-x,options.top_k=3,seed=1") == {
        "provider": "anthropic", "model": "claude-x", "options": {"top_k": 3}, "seed": 1,
    }  # fmt: skip
    at = told("anthropic:claude-x,base_url=http://127.0.0.1:9")
    assert at["endpoint"] == "http://127.0.0.1:9"
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    assert told("anthropic:claude-x") == at
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
    assert told("anthropic:claude-x") == {"provider": "anthropic", "model": "claude-x"}
    assert KEY not in str(at)
