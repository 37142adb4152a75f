"""Messages: what is text alone stays a string, and all else is one value whatever the order of its fields."""

import json
from typing import Any

import pytest

from metaspo.domain.calls import TOKENS_AN_IMAGE, Request, call_key, tokens_of
from metaspo.domain.messages import (
    Fields,
    as_data,
    as_text,
    image_urls,
    message_of,
    stored_images,
    text_of,
    with_images,
    wrapped,
)

HASH = "0123456789abcdef" * 4
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
WITH_CALL: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [CALL]}
SEEN: dict[str, Any] = {
    "role": "user",
    "content": [
        {"type": "text", "text": "Is this"},
        {"type": "image_url", "image_url": {"url": f"sha256:{HASH}"}},
        {"type": "text", "text": "a cat?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/b.png", "detail": "low"}},
    ],
}


def test_calls_in_plain_text_keep_the_keys_that_they_have_always_had() -> None:
    request = Request((("system", "s"), ("user", "héllo")), 16, 0.0)
    assert call_key({"name": "m"}, request.content()) == "705db9878742b3bccbefa9cdd6baf7bb51ecdd5abc369519ae33b2f26602e547"
    assert request.content()["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "héllo"}]


@pytest.mark.parametrize("data", [WITH_CALL, SEEN, {"role": "tool", "content": "3 °C", "tool_call_id": "c1"}])
def test_a_message_with_more_than_text_is_found_again_in_what_is_recorded(data: dict[str, Any]) -> None:
    request = Request((("system", "s"), message_of(data)), 16, 0.0)
    again = Request.of(json.loads(json.dumps(request.content())), "base")
    assert again == request and hash(again) == hash(request)
    assert as_data(again.messages[1]) == data
    turned = message_of(dict(reversed(data.items())))
    assert turned == request.messages[1]
    assert message_of({"role": "user", "content": "hi"}) == ("user", "hi")


def test_text_stands_for_whatever_a_message_holds() -> None:
    assert text_of(message_of(SEEN)[1]) == f"Is this\n[image sha256:{HASH[:16]}]\na cat?\n[image https://example.org/b.png]"
    assert text_of(message_of(WITH_CALL)[1]) == '[calls weather({"city": "Köln"})]'
    assert as_text([("user", "hi"), message_of(WITH_CALL)]) == 'user: hi\n\nassistant: [calls weather({"city": "Köln"})]'
    assert as_text([("user", "hi")]) == "hi"


def test_a_prompt_goes_around_the_texts_and_leaves_images_where_they_are() -> None:
    around = wrapped("Look: ", message_of(SEEN)[1], "\nAnswer.")
    assert isinstance(around, Fields)
    assert [part.get("text") for part in around.parts] == ["Look: Is this", None, "a cat?\nAnswer.", None]
    assert wrapped("a ", "b", " c") == "a b c"
    alone = wrapped("Look: ", Fields.of({"content": SEEN["content"][1:2]}), "!")
    assert isinstance(alone, Fields)
    assert alone.parts == [{"type": "text", "text": "Look: !"}, SEEN["content"][1]]


def test_images_are_counted_found_and_put_in_their_places() -> None:
    messages = (("system", "1234"), message_of(SEEN))
    assert image_urls(messages) == [f"sha256:{HASH}", "https://example.org/b.png"]
    assert stored_images([*messages, *messages]) == [HASH]
    assert tokens_of(messages) > 2 * TOKENS_AN_IMAGE > tokens_of(messages[:1]) == 1
    filled = with_images(messages, {HASH: "data:image/png;base64,AAAA"})
    assert filled[0] == messages[0]
    assert image_urls(filled) == ["data:image/png;base64,AAAA", "https://example.org/b.png"]
    assert as_data(filled[1])["content"][3]["image_url"]["detail"] == "low"
