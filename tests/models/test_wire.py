"""What servers write that is not what OpenAI writes, and what of an OpenAI account never goes to them."""

from typing import Any

import pytest
from aiohttp import web

from metaspo.domain.errors import ModelError

from ..helpers.endpoint import Endpoint, completion, fail, say
from .test_ledger import Desk, desk

__all__ = ["desk"]


@pytest.mark.parametrize("role", ["model", "bot", "user", "tool", "system", None, 3])
async def test_a_message_of_any_role_is_read(role: Any, desk: Desk, endpoint: Endpoint) -> None:
    answer = completion("yes")
    answer["choices"][0]["message"]["role"] = role
    endpoint.act = lambda *_: web.json_response(answer)
    await desk.open(endpoint.spec())
    reply = await desk.ask()
    assert (reply.text, reply.input_tokens, reply.output_tokens) == ("yes", 10, 2)


async def test_a_message_without_a_role_is_read(desk: Desk, endpoint: Endpoint) -> None:
    answer = completion("yes")
    del answer["choices"][0]["message"]["role"]
    endpoint.act = lambda *_: web.json_response(answer)
    await desk.open(endpoint.spec())
    assert (await desk.ask()).text == "yes"


@pytest.mark.long
@pytest.mark.parametrize("code", [429, 503, "502", "rate_limit_exceeded", "server_error", None])
async def test_a_passing_error_with_http_200_is_tried_again(code: Any, desk: Desk, endpoint: Endpoint) -> None:
    error = {"error": {"code": code, "message": "not now"}}
    endpoint.act = lambda request, body, number: web.json_response(error) if number < 3 else say("yes")
    await desk.open(endpoint.spec())
    assert (await desk.ask()).text == "yes" and len(endpoint.seen) == 3


@pytest.mark.parametrize(
    "usage", [{"prompt_tokens": 10**30}, {"prompt_tokens": -5}, {"prompt_tokens": 10**12, "completion_tokens": 10**19}]
)
async def test_a_count_that_cannot_be_is_made_up_for(usage: dict[str, int], desk: Desk, endpoint: Endpoint) -> None:
    answer = completion("yes")
    answer["usage"] |= usage
    endpoint.act = lambda *_: web.json_response(answer)
    await desk.open(endpoint.spec(input_price=1, output_price=0))
    reply = await desk.ask()
    assert reply.text == "yes" and 0 < reply.input_tokens < 100 and desk.store.db["calls"].count == 1


async def test_half_a_character_is_no_traceback(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: say("yes \ud83d", "[/x]\ud83d") if number == 1 else fail(400, "\ud83d no")
    await desk.open(endpoint.spec())
    reply = await desk.ask()
    assert (reply.text, reply.finish) == ("yes ?", "[/x]?")
    assert (await desk.ask("two")).error == "HTTP 400: ? no"
    assert desk.store.db["calls"].count == 2


OWN = {
    "OPENAI_ORG_ID": "org-mine",
    "OPENAI_PROJECT_ID": "proj-mine",
    "OPENAI_CUSTOM_HEADERS": "X-Mine: mine-1\nX-Other: mine-2",
}


@pytest.mark.parametrize("provider", ["server", "openai", "vllm"])
async def test_what_is_an_openai_account_s_own_stays_there(
    provider: str, desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**OWN, "OPENAI_API_KEY": "sk-secret-value-3", "OPENAI_ADMIN_KEY": "admin-mine"}.items():
        monkeypatch.setenv(name, value)
    endpoint.models = ["m"]
    await desk.open(endpoint.spec(provider=provider))
    assert (await desk.ask()).text == "yes"
    assert "mine" not in str(endpoint.headers[0])


async def test_openai_itself_gets_them(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**OWN, "OPENAI_API_KEY": "sk-secret-value-3"}.items():
        monkeypatch.setenv(name, value)
    await desk.open({"provider": "openai", "name": "gpt-x"})
    backend: Any = desk.model.backend
    sent = {name.lower(): value for name, value in backend._chat.root_async_client.default_headers.items()}
    assert (sent["openai-organization"], sent["openai-project"], sent["x-mine"]) == ("org-mine", "proj-mine", "mine-1")


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "OPENAI_PROXY"])
async def test_no_proxy_catches_this_machine(
    name: str, desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    await desk.open(endpoint.spec(patience=1))
    assert (await desk.ask()).text == "yes"


async def test_a_dead_proxy_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from metaspo.domain.errors import EndpointUnavailable

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await desk.open({"provider": "server", "name": "m", "base_url": "http://example.invalid/v1", "patience": 0.5})
    with pytest.raises(EndpointUnavailable, match="the proxy does not let us through"):
        await desk.ask()


@pytest.mark.parametrize(
    ("name", "value"),
    [("OPENAI_PROXY", "nonsense"), ("HTTPS_PROXY", "gopher://x"), ("HTTP_PROXY", "http://[::1"), ("OPENAI_PROXY", "socks9://x:1"), ("SSL_CERT_FILE", "/no/such/file.pem"), ("SSL_CERT_DIR", "/no/such")],
)  # fmt: skip
async def test_a_broken_environment_is_one_sentence(name: str, value: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-value-3")
    try:
        await desk.open({"provider": "openai", "name": "gpt-x", "patience": 0.2})
    except ModelError as error:
        assert name in str(error) and "\n" not in str(error)
    else:
        assert name == "SSL_CERT_DIR"


async def test_a_refusal_in_words_is_no_reply(desk: Desk, endpoint: Endpoint) -> None:
    told = completion(None)
    told["choices"][0]["message"]["refusal"] = "I cannot help with that."
    endpoint.act = lambda *_: web.json_response(told)
    await desk.open(endpoint.spec())
    reply = await desk.ask()
    assert (reply.finish, reply.text, reply.error) == ("content_filter", "", "I cannot help with that.")


@pytest.mark.parametrize(
    "body",
    [
        {"code": 401, "message": "bad key 7"},
        {"detail": "Unauthorized: bad key 7"},
        {"success": False, "msg": "no such model, nor bad key 7"},
    ],
)
async def test_an_error_of_any_shape_with_http_200_is_refused_in_its_own_words(
    body: Any, desk: Desk, endpoint: Endpoint
) -> None:
    endpoint.act = lambda *_: web.json_response(body)
    await desk.open(endpoint.spec())
    with pytest.raises(ModelError, match="bad key 7"):
        await desk.ask()
    assert len(endpoint.seen) == 1
