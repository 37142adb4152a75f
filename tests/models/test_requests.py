"""Requests as endpoints want them: what settings and known families send, over real HTTP."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

import metaspo
from metaspo import ModelSpec
from metaspo.domain.calls import Constraint, Request, call_key
from metaspo.domain.errors import ModelError
from metaspo.models.account import Account
from metaspo.models.openai_compatible import OpenAICompatible
from metaspo.models.registry import Registry
from metaspo.models.sent import messages_sent, options_sent

from ..helpers.endpoint import Endpoint, fail, say

KEY = "zq9secretvalue7431"
ASKED = Request((("system", "Be brief."), ("user", "hi")), 16, 0.0)


async def ask(spec: Any, request: Request = ASKED) -> Any:
    client = OpenAICompatible(ModelSpec.parse(spec))
    try:
        return await client.complete(request)
    finally:
        await client.close()


def identity(spec: Any) -> dict[str, Any]:
    return OpenAICompatible(ModelSpec.parse(spec)).identity


async def test_every_setting_is_in_the_body(endpoint: Endpoint) -> None:
    settings = {
        "top_p": 0.5, "reasoning_effort": "low", "service_tier": "flex", "max_completion_tokens": 99,
        "extra_body": {"top_k": 5, "chat_template_kwargs": {"enable_thinking": False}},
    }  # fmt: skip
    await ask(endpoint.spec(**settings), Request((("user", "hi"),), 99, None))
    [body] = endpoint.seen
    assert {name: body[name] for name in ("top_p", "reasoning_effort", "service_tier", "max_completion_tokens")} == {
        name: settings[name] for name in ("top_p", "reasoning_effort", "service_tier", "max_completion_tokens")
    }
    assert body["top_k"] == 5 and body["chat_template_kwargs"] == {"enable_thinking": False}
    assert not {"temperature", "max_tokens", "extra_body"} & {*body}


@pytest.mark.parametrize(
    ("role", "sent"),
    [
        ("system", [("system", "Be brief."), ("user", "hi")]),
        ("developer", [("developer", "Be brief."), ("user", "hi")]),
        ("user", [("user", "Be brief."), ("user", "hi")]),
        ("fold", [("user", "Be brief.\n\nhi")]),
    ],
)
async def test_the_system_prompt_goes_where_the_spec_wants_it(role: str, sent: Any, endpoint: Endpoint) -> None:
    await ask(endpoint.spec(system_role=role))
    assert [(one["role"], one["content"]) for one in endpoint.seen[0]["messages"]] == sent


@pytest.mark.long
@pytest.mark.parametrize("setting", [
    "top_p=0.5", "reasoning_effort=low", "service_tier=flex", "max_completion_tokens=16", "extra_body.top_k=5",
    "headers.X-Route=b", "query.api-version=2024-10-21", "system_role=fold",
])  # fmt: skip
def test_what_can_change_a_reply_is_in_the_key_and_nothing_else_changes_it(setting: str) -> None:
    plain = "server:m,base_url=http://h/v1"
    key = call_key(identity(plain), ASKED.content())
    assert key == "66e4edeed869ce73be88b932ef50542c12c0050c3e88511b3a5703f32b83bbc0"
    assert call_key(identity(f"{plain},{setting}"), ASKED.content()) != key
    assert identity(f"{plain},headers.api-key=${{A}},organization=org-1,timeout=7") == identity(plain)


async def test_models_that_differ_in_headers_share_no_client(endpoint: Endpoint) -> None:
    registry = Registry()
    specs = [endpoint.spec(**one) for one in ({}, {"headers": {"X-Route": "a"}}, {"headers": {"X-Route": "b"}})]
    specs += [endpoint.spec(query={"v": "1"}), endpoint.spec(organization="org-1"), endpoint.spec(temperature="default")]
    models = [await registry.model(ModelSpec.parse(spec)) for spec in specs]
    for model in models:
        await model.send(ASKED, Account("run"))
    await registry.close()
    assert [headers.get("x-route") for headers in endpoint.headers] == [None, "a", "b", None, None, None]
    assert [headers.get("openai-organization") for headers in endpoint.headers][4:] == ["org-1", None]
    assert models[0].backend is models[5].backend and len({id(model.backend) for model in models}) == 5
    assert len({id(model.limiter) for model in models}) == 1


def azure(request: web.Request, body: Any, number: int) -> Any:
    """As Azure: a version in the query, the key in a header of its own, and nobody else's words for one."""
    if request.query.get("api-version") != "2024-10-21":
        return fail(404, "Resource not found")
    if request.headers.get("api-key") != KEY or "Authorization" in request.headers:
        return fail(401, f"Access denied due to invalid subscription key {request.headers.get('api-key')}")
    return say("yes")


@pytest.mark.parametrize("value", ["${AZURE_KEY_OF_MINE}", "AZURE_KEY_OF_MINE"])
async def test_an_azure_like_endpoint(value: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint.act = azure
    text = f"server:m,base_url={endpoint.url},query.api-version=2024-10-21,headers.api-key={value}"
    monkeypatch.setenv("AZURE_KEY_OF_MINE", KEY)
    assert (await ask(text)).text == "yes"
    assert ModelSpec.parse(str(ModelSpec.parse(text))) == ModelSpec.parse(text)
    # At call time: another key counts at once, and one that is gone is named.
    client = OpenAICompatible(ModelSpec.parse(text))
    monkeypatch.setenv("AZURE_KEY_OF_MINE", "another0secret1value")
    with pytest.raises(Exception, match="401") as raised:
        await client.complete(ASKED)
    assert "another0secret1value" not in str(raised.value)
    monkeypatch.delenv("AZURE_KEY_OF_MINE")
    with pytest.raises(ModelError, match="api-key comes from the environment variable AZURE_KEY_OF_MINE, which is not set"):
        await client.complete(ASKED)
    await client.close()


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (f"headers.Authorization=Bearer {KEY}", "headers: Authorization holds a key"),
        (f"headers.api-key={KEY}", "headers: api-key holds a key"),
        (f"headers.X-Team=Bearer {KEY}", "headers: X-Team holds a key"),
        (f"headers.X-Api-Key=a{KEY}${{B}}", "holds a key"),
        (f"query.key={KEY}", "query: key holds a key"),
        (f"extra_body.api_key={KEY}", "extra_body: holds a key"),
        ("headers.X-Team=${", "without a variable's name"),
        ("headers.X-Team=Zoë", "a character that no header can hold"),
        ("extra_body.temperature=1", "set temperature itself"),
        ("extra_body.n=2", "n is not for extra_body"),
        ("max_tokens=5,max_completion_tokens=6", "two names of one thing"),
        ("temperature=warm", "a number from 0 to 2, or default"),
        ("temperature=3", "a number from 0 to 2, or default"),
        ("system_role=assistant", "system_role"),
        ("top_p=0", "top_p"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence_without_the_key(setting: str, says: str) -> None:
    with pytest.raises(ModelError) as raised:
        ModelSpec.parse(f"server:m,base_url=http://h/v1,{setting}")
    assert says in str(raised.value) and KEY not in str(raised.value) and KEY[:8] not in str(raised.value)


def test_a_setting_that_means_nothing_to_a_provider_is_refused() -> None:
    for spec in (
        "program:a.b:c,headers.X-A=b",
        "scripted:a:b,top_p=1",
        "local:smollm2,query.a=b",
        "vllm:m,serve=batch,service_tier=x",
    ):
        with pytest.raises(ModelError, match="sends no such requests"):
            ModelSpec.parse(spec)
    block = {"provider": "server", "name": "m", "base_url": "http://h/v1"}
    read = ModelSpec.parse(block | {"query": yaml.safe_load("api-version: 2024-10-21"), "headers": {"X-Id": 7}})
    assert read.query == {"api-version": "2024-10-21"} and read.headers == {"X-Id": "7"}
    with pytest.raises(ModelError, match="put it in quotes"):
        ModelSpec.parse(block | {"headers": {"X-V": 1.10}})


@pytest.mark.parametrize(
    ("spec", "length", "temperature", "longest"),
    [
        ("openai:gpt-4o", "max_completion_tokens", 0.0, (512, 1024, 256)),
        ("openai:o3", "max_completion_tokens", None, (4096, 8192, 4096)),
        ("openai:gpt-5-mini", "max_completion_tokens", None, (4096, 8192, 4096)),
        ("openai:gpt-5.1,reasoning_effort=none", "max_completion_tokens", 0.0, (512, 1024, 256)),
        ("openai:gpt-5-chat-latest", "max_completion_tokens", 0.0, (512, 1024, 256)),
        ("openai:o4-mini,temperature=1,max_tokens=99", "max_completion_tokens", 1.0, (99, 99, 99)),
        ("server:openai/o3-mini:free,base_url=http://h/v1", "max_completion_tokens", None, (4096, 8192, 4096)),
        ("server:openai/gpt-4o,base_url=http://h/v1", "max_tokens", 0.0, (512, 1024, 256)),
        ("server:openai/gpt-oss-20b,base_url=http://h/v1", "max_tokens", 0.0, (4096, 8192, 4096)),
        ("server:marco-o1,base_url=http://h/v1", "max_tokens", 0.0, (512, 1024, 256)),
        ("server:my-deployment,base_url=http://h/v1,reasoning=true", "max_tokens", 0.0, (4096, 8192, 4096)),
        ("openai:o3,reasoning=false", "max_completion_tokens", 0.0, (512, 1024, 256)),
        ("server:m,base_url=http://h/v1,reasoning_effort=high", "max_tokens", 0.0, (4096, 8192, 4096)),
        ("vllm:deepseek-ai/DeepSeek-R1-Distill-Qwen-7B,context=3000", "max_tokens", 0.0, (1500, 1500, 1500)),
        ("local:/models/o3.gguf", "max_tokens", 0.0, (512, 1024, 256)),
    ],
)
def test_known_families_are_asked_as_they_want(spec: str, length: str, temperature: Any, longest: Any) -> None:
    read = ModelSpec.parse(spec)
    roles: tuple[Any, ...] = ("base", "optimizer", "judge")
    assert (read.length, read.drawn_at("base"), tuple(map(read.longest, roles))) == (length, temperature, longest)


async def test_a_family_without_a_system_role_gets_the_prompt_folded(endpoint: Endpoint) -> None:
    await ask(endpoint.spec(name="o1-mini"))
    await ask(endpoint.spec(name="o1-mini", system_role="developer"))
    assert [[one["role"] for one in body["messages"]] for body in endpoint.seen] == [["user"], ["developer", "user"]]
    assert not any("temperature" in body and body["temperature"] == 1 for body in endpoint.seen)


def test_what_is_sent_is_decided_in_one_place() -> None:
    spec = ModelSpec.parse("server:m,base_url=http://h/v1,seed=1,top_p=0.9,extra_body.top_k=4")
    held = Request((("user", "hi"),), 7, 0.0, constraint=Constraint('root ::= "yes"', ("yes",)))
    assert options_sent(spec, held, "grammar") == {
        "max_tokens": 7, "temperature": 0.0, "top_p": 0.9, "seed": 1,
        "extra_body": {"top_k": 4, "grammar": 'root ::= "yes"'},
    }  # fmt: skip
    assert messages_sent(spec, held) == [{"role": "user", "content": "hi"}]


def test_a_run_of_before_names_told_of_reasoning_goes_on_as_it_began(
    make_task: Any, store_path: Path, endpoint: Endpoint, open_store: Any
) -> None:
    endpoint.act = lambda request, body, number: say("yes") if number < 3 else fail(401, "Bad key")
    sizes = {"train_size": 2, "validation_size": 0, "test_size": 8, "method": "fixed", "store": store_path}
    with pytest.raises(ModelError):
        metaspo.optimize(tasks=[make_task("t", 20)], base=endpoint.spec(name="deepseek-r1", concurrency=1), **sizes)
    begun, db = len(endpoint.seen), open_store().db
    with db.conn:
        db.execute("UPDATE runs SET config = json_remove(config, '$.context.base.reasoning')")
    endpoint.act = lambda request, body, number: say("yes")
    assert metaspo.resume(store=store_path).stopped is None
    assert [{body["max_tokens"] for body in some} for some in (endpoint.seen[:begun], endpoint.seen[begun:])] == [{4096}, {512}]


async def test_vllm_behind_a_gateway_gets_the_headers_too(endpoint: Endpoint) -> None:
    endpoint.models = ["m"]
    registry = Registry()
    spec = f"vllm:m,base_url={endpoint.url},headers.X-Route=b,system_role=fold,top_p=0.5"
    model = await registry.model(ModelSpec.parse(spec))
    assert (await model.send(ASKED, Account("run"))).text == "yes"
    await registry.close()
    assert endpoint.headers[0]["x-route"] == "b" and endpoint.seen[0]["top_p"] == 0.5
    assert model.identity["headers"] == {"x-route": "b"} and model.identity["system_role"] == "fold"
