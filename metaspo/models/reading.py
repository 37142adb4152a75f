"""What a message of a LangChain chat model says: its text without thoughts, why it ended, and whether it is a refusal."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from ..domain.calls import Reply, finish_of
from .error_words import shown, words
from .usage import message_usage

ENDS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
"""Where LangChain's integrations keep why a reply ended."""


def reply_of(message: AIMessage, unwrap: bool = False) -> Reply:
    """The reply in a message; with `unwrap` the answer inside, where a JSON schema held the reply to its form."""
    text = str(message.text)
    if unwrap:
        try:
            answer = json.loads(text)["answer"]
            text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        except (ValueError, KeyError, TypeError):
            pass
    took = message_usage(message)
    said = refusal_of(message)
    return Reply(text, end_of(message), took.read, took.written, cost=took.cost, error=said, cached_tokens=took.cached)


def end_of(message: AIMessage) -> str:
    """The endpoint's word for why a reply ended; "stop" where it says nothing."""
    found = message.response_metadata
    if _block_reason(found) or (message.additional_kwargs.get("refusal") and not str(message.text)):
        return "content_filter"
    return str(next((found[name] for name in ENDS if found.get(name)), "stop"))


def has_ended(message: AIMessage) -> bool:
    """Whether an endpoint said that a reply is over; what its connection lost says nothing."""
    found = message.response_metadata
    return any(found.get(name) for name in (*ENDS, "done")) or bool(_block_reason(found))


def refusal_of(message: AIMessage) -> str:
    """What was said instead of an answer by a filter, or by a model that refuses; empty where neither is known of."""
    found = message.response_metadata
    if finish_of(end_of(message)) != "content_filter":
        return ""
    if blocked := _block_reason(found):
        return shown(f"the prompt was blocked: {blocked}")
    told = found.get("stop_details") or found.get("finish_message") or message.additional_kwargs.get("refusal")
    if isinstance(told, Mapping):
        told = " ".join(str(told[key]) for key in ("category", "explanation") if told.get(key)) or words(dict(told))
    return shown(str(told or ""))


def _block_reason(found: Mapping[str, Any]) -> str:
    """Why Gemini answered a prompt with nothing at all."""
    feedback = found.get("prompt_feedback")
    reason = feedback.get("block_reason") if isinstance(feedback, Mapping) else None
    return str(getattr(reason, "name", reason) or "")
