"""Messages in forms that are not OpenAI's of today: as LangChain writes them down, Anthropic's, ShareGPT's, old ones."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

THOUGHTS = ("thinking", "redacted_thinking", "reasoning")
"""Parts of an assistant's message that no other model is sent."""


def opened_messages(value: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """The messages of a row one by one, each with the number of the row's message: one of Anthropic's may be several."""
    for number, one in enumerate(value, 1):
        yield from ((number, found) for found in (_messages(_unpacked(one)) if isinstance(one, Mapping) else [one]))


def _unpacked(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message out of what LangChain wraps it in."""
    inner = message.get("kwargs") if "lc" in message else message.get("data")
    if not isinstance(inner, Mapping):
        return message
    names = message.get("id")
    kind = names[-1] if "lc" in message and isinstance(names, list) and names else message.get("type")
    return {"type": str(kind).removesuffix("Chunk").removesuffix("Message"), **inner}


def _messages(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A message as those that OpenAI's form has for it: calls of tools stand beside the content, results are messages."""
    if isinstance(one.get("parts"), list | tuple) and one.get("content") is None:
        one = {**one, "content": one["parts"]}  # Gemini's.
    called = one.get("function_call")
    if isinstance(called, Mapping):
        return [{"tool_calls": [{"function": called}], **one}]
    if one.get("from") == "function_call":
        with suppress(ValueError, TypeError):
            asked = json.loads(one["value"])
            return [{"role": "assistant", "tool_calls": asked if isinstance(asked, list) else [asked]}]
    content = one.get("content")
    if not isinstance(content, list | tuple):
        return [one]
    parts = [part for part in content if _type(part) not in THOUGHTS]
    calls = [{**part, "args": part.get("input")} for part in parts if _type(part) == "tool_use"]
    results = [
        {"role": "tool", "tool_call_id": part.get("tool_use_id"), "content": part.get("content") or ""}
        for part in parts
        if _type(part) == "tool_result"
    ]
    rest = {**one, "content": [part for part in parts if _type(part) not in ("tool_use", "tool_result")]}
    if calls and not one.get("tool_calls"):
        rest["tool_calls"] = calls
    return [*results, *([rest] if rest["content"] or not results else [])]


def _type(part: Any) -> Any:
    return part.get("type") if isinstance(part, Mapping) else None
