"""Conversations and images on their way to whoever answers, over real HTTP; what is recorded holds no image."""

import base64
import hashlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from metaspo import ModelSpec
from metaspo.domain.calls import TOKENS_AN_IMAGE, Reply, Request
from metaspo.domain.errors import ModelError, StoreError
from metaspo.domain.messages import Message, message_of
from metaspo.models import batches, collecting
from metaspo.models.faults import Fault
from metaspo.models.local import LocalModel
from metaspo.store import images

from ..helpers import programs
from ..helpers.batch_host import BatchHost
from ..helpers.endpoint import Endpoint, completion, fail, say
from ..helpers.pictures import png
from ..helpers.protocols import Anthropic, Gemini, Ollama, Protocol
from .test_ledger import Desk, desk

__all__ = ["desk"]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:coroutine 'ClientResponse.json' was never awaited:RuntimeWarning"),
]

PNG = png()
HASH = hashlib.sha256(PNG).hexdigest()
ENCODED = base64.b64encode(PNG).decode()
DATA_URL = f"data:image/png;base64,{ENCODED}"
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}


def turns(url: str) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "As cold?"}, {"type": "image_url", "image_url": {"url": url}}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "3 °C", "tool_call_id": "c1"},
    ]


STORED: tuple[Message, ...] = tuple(message_of(one) for one in turns(f"sha256:{HASH}"))


@pytest.fixture(params=(Anthropic, Gemini, Ollama), ids=lambda kind: kind.provider)
def served(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Protocol]:
    if request.param.key:
        monkeypatch.setenv(request.param.key, "qx7-5up3r-9f2c81d7e6")
    server = request.param()
    yield server
    server.close()


async def asked(desk: Desk, messages: tuple[Message, ...] = STORED) -> Reply:
    await desk.store.run(images.save, [(HASH, "image/png", PNG)])
    return (await desk.ledger.call(desk.model, Request(messages, 16, 0.0), "base", desk.account))[1]


async def test_an_endpoint_gets_the_whole_and_the_store_keeps_a_hash(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec())
    assert (await asked(desk)).text == (await asked(desk)).text == "yes"
    [body] = endpoint.seen
    assert body["messages"] == turns(DATA_URL)
    [row] = desk.store.db["calls"].rows
    assert json.loads(row["request"])["messages"] == turns(f"sha256:{HASH}")
    assert ENCODED not in "".join(desk.store.db.conn.iterdump()).replace(PNG.hex(), "")


@pytest.mark.parametrize(("role", "first"), [("fold", "Be kind.\n\nAs cold?"), ("developer", "As cold?")])
async def test_the_system_prompt_is_where_the_model_wants_it(desk: Desk, endpoint: Endpoint, role: str, first: str) -> None:
    await desk.open(endpoint.spec(system_role=role))
    await asked(desk)
    sent = endpoint.seen[0]["messages"]
    assert [one["role"] for one in sent] == ["developer"] * (role != "fold") + ["user", "assistant", "tool"]
    assert sent[-3]["content"] == [{"type": "text", "text": first}, {"type": "image_url", "image_url": {"url": DATA_URL}}]


@pytest.mark.long
async def test_a_provider_gets_image_call_and_result_in_its_own_form(served: Protocol, desk: Desk) -> None:
    await desk.open(served.spec())
    assert (await asked(desk)).text == "yes"
    [body] = served.seen
    assert served.system(body) == "Be kind."
    told = json.dumps(body, ensure_ascii=False)
    for part in (ENCODED.rstrip("="), "As cold?", "weather", "Köln", "3 °C"):
        assert part in told
    if isinstance(served, Anthropic):
        assert body["messages"][0]["content"][1]["source"] == {"type": "base64", "media_type": "image/png", "data": ENCODED}
        assert body["messages"][1]["content"][0]["input"] == {"city": "Köln"}
        assert body["messages"][2]["content"][0]["tool_use_id"] == "c1"


async def test_a_program_is_given_the_conversation(desk: Desk) -> None:
    await desk.open({"provider": "program", "name": "tests.helpers.programs:listener"})
    assert (await asked(desk)).text == "3 turns under Be kind."
    user, call, result = programs.listened
    assert isinstance(user, HumanMessage) and isinstance(call, AIMessage) and isinstance(result, ToolMessage)
    assert user.content == turns(DATA_URL)[1]["content"]
    assert call.tool_calls[0]["args"] == {"city": "Köln"} and result.tool_call_id == "c1"


async def test_a_turn_that_a_program_was_given_is_no_answer_of_it(desk: Desk) -> None:
    await desk.open({"provider": "program", "name": "tests.helpers.programs:silent"})
    reply = await asked(desk, (("user", "one"), ("assistant", "no answer of yours"), ("user", "two")))
    assert (reply.text, reply.steps) == ("", "")


async def test_images_count_in_estimates(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: web.json_response(completion("yes") | {"usage": None})
    await desk.open(endpoint.spec())
    reply = await asked(desk)
    assert reply.estimated and TOKENS_AN_IMAGE < reply.input_tokens < TOKENS_AN_IMAGE + 100


async def test_a_model_that_sees_nothing_is_told_in_the_endpoints_words(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: fail(400, "this model takes no image_url in content")
    await desk.open(endpoint.spec())
    with pytest.raises(ModelError, match="this model takes no image_url in content"):
        await asked(desk)


async def test_an_image_that_is_gone_is_told(desk: Desk, endpoint: Endpoint) -> None:
    await desk.open(endpoint.spec())
    with pytest.raises(StoreError, match=f"the image sha256:{HASH} is not in the store; restore"):
        await desk.ledger.call(desk.model, Request(STORED, 16, 0.0), "base", desk.account)
    assert not endpoint.seen


async def test_a_batch_carries_images_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SETTLED", 0.05)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.02)
    host = BatchHost()
    host.act = lambda request, body, number: None
    await desk.open(host.spec(batch=True))
    assert (await asked(desk)).text == "yes"
    assert [body["messages"] for body in host.seen] == [turns(DATA_URL)]
    host.close()


async def test_batches_are_cut_by_the_size_of_their_images(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.open({"provider": "scripted", "name": "dice"})
    one = batches.Waiting("k", desk.model, Request(STORED, 16, 0.0), "base", desk.account)
    monkeypatch.setattr(batches, "MOST_BYTES", 10_000)
    assert len(batches._parts([one, one], {HASH: 100})) == 1
    assert len(batches._parts([one, one], {HASH: 6_000})) == 2


async def test_images_that_are_refused_for_all_end_the_run_though_texts_are_answered(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: (
        fail(400, "no images here") if "image_url" in json.dumps(body["messages"]) else say("yes")
    )
    await desk.open(endpoint.spec())
    assert (await desk.ask()).text == "yes"
    with pytest.raises(ModelError, match="no images here"):
        await asked(desk)
    assert len(endpoint.seen) == 3


async def test_an_image_that_is_refused_while_others_are_seen_is_its_examples(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: (
        fail(400, "too small an image") if ENCODED in json.dumps(body["messages"]) else say("yes")
    )
    await desk.open(endpoint.spec())
    assert (await desk.ask()).text == "yes"
    reply = await asked(desk)
    assert (reply.finish, reply.text) == ("refused", "") and "too small an image" in reply.error


async def test_the_built_in_model_says_that_it_sees_nothing() -> None:
    model = LocalModel(ModelSpec.parse("local:smollm2"), [SimpleNamespace(listening_address="http://127.0.0.1:9")], "0")
    with pytest.raises(Fault, match="it sees no images; take a model at an endpoint") as told:
        await model.complete(Request(STORED, 16, 0.0))
    assert told.value.kind == "mistake"
    await model.close()
