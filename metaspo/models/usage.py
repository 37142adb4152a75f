"""What a call took: the token counts and the cost that an endpoint tells, in whatever form, and estimates in their place."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage

from ..domain.calls import Reply, Request, estimated_tokens, tokens_of

READ = ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count")
WRITTEN = ("completion_tokens", "output_tokens", "candidates_token_count", "eval_count")
TOTAL = ("total_tokens", "total_token_count")
"""What endpoints call the tokens read, those written, and both together; `promptTokenCount` and the like are the same."""

DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
REASONING = ("reasoning_tokens", "reasoning", "thoughts_token_count")
CACHED = (
    "cached_tokens", "cache_read", "cache_read_input_tokens", "prompt_cache_hit_tokens", "cached_content_token_count",
    "num_cached_tokens",
)  # fmt: skip
"""What endpoints call the tokens read that they found in a cache, beside the others or in these parts of a usage block."""

CACHE_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details", "prompt_token_details")
APART = ("cache_read_input_tokens", "cache_creation_input_tokens", "cache_write_input_tokens")
"""Tokens that Anthropic's `input_tokens`, and its like, leave out: read from a cache, and read and put there."""

COST = ("cost", "total_cost", "estimated_cost")

MOST_TOKENS, MOST_COST = 10**9, 10**6
"""A single call that is said to take more than this is not believed."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens read and written, 0 where the endpoint told none that could be believed, and the cost, then None.

    `cached` is the part of those read that the endpoint found in a cache.
    """

    read: int = 0
    written: int = 0
    cost: float | None = None
    cached: int = 0


def read_usage(told: Any) -> Counts:
    """The counts in a usage block, whatever it is: what is no count (text, negative, out of all bounds) is as not told.

    Where the total leaves more for what was written than the endpoint says, its reasoning was left out
    there: that is written too, and paid.
    """
    if not isinstance(told, Mapping):
        return Counts()
    block = {_plain(name): value for name, value in told.items() if isinstance(name, str)}
    read, written, total = (_first(block, names) for names in (READ, WRITTEN, TOTAL))
    reasoning, cached = _within(block, DETAILS, REASONING), _within(block, CACHE_DETAILS, CACHED)
    if reasoning > written:
        written += reasoning
    apart = sum(_count(block.get(_plain(name))) for name in APART)
    # Routers tell these as well beside counts that hold them: then under OpenAI's name, or with a total that says so.
    if _count(block.get("inputtokens")) == read and (not total or total >= read + apart + written):
        read += apart
    if read:
        written = max(written, total - read)
    elif total > written:
        read = total - written if written else 0
    return Counts(read, written, _cost(block), min(cached, read))


def message_usage(message: AIMessage) -> Counts:
    """The counts of a LangChain message: of its `usage_metadata`, or of what the endpoint itself told where that says more."""
    found = [read_usage(message.usage_metadata)]
    metadata = message.response_metadata if isinstance(message.response_metadata, Mapping) else {}
    found += [read_usage(metadata.get(name)) for name in ("token_usage", "usage", "usage_metadata")]
    read, written, cached = (max(getattr(one, name) for one in found) for name in ("read", "written", "cached"))
    return Counts(read, written, max((one.cost for one in found if one.cost is not None), default=None), cached)


def completed(request: Request, reply: Reply) -> Reply:
    """The reply with estimates in place of the token counts that it lacks, and marked so.

    A token for every four bytes of text, and for a reply that was cut off as many as it was allowed.
    """
    if reply.input_tokens and (reply.output_tokens or not (reply.text or reply.finish == "length")):
        return reply
    read = reply.input_tokens or tokens_of(request.messages)
    written = reply.output_tokens or estimated_tokens(reply.text)
    if not reply.output_tokens and reply.finish == "length":
        written = max(written, request.max_tokens)
    return replace(reply, input_tokens=read, output_tokens=written, estimated=True)


def as_openai(told: Any) -> dict[str, Any] | None:
    """A usage block in OpenAI's own form, None where it tells nothing: langchain-openai raises on other forms."""
    counts = read_usage(told)
    if counts == Counts():
        return None
    both = counts.read + counts.written
    usage: dict[str, Any] = {"prompt_tokens": counts.read, "completion_tokens": counts.written, "total_tokens": both}
    usage |= {} if counts.cost is None else {"cost": counts.cost}
    usage |= _details(told)
    if counts.cached:
        usage["prompt_tokens_details"] = usage.get("prompt_tokens_details", {}) | {"cached_tokens": counts.cached}
    return usage


def _details(told: Mapping[Any, Any]) -> dict[str, Any]:
    """The parts of a usage block that traces show, such as the tokens found in a cache, as far as they are counts."""
    return {
        name: {key: count for key, count in parts.items() if _count(count)}
        for name in ("prompt_tokens_details", "completion_tokens_details")
        if isinstance(parts := told.get(name), Mapping)
    }


def _within(block: Mapping[str, Any], details: Iterable[str], names: Iterable[str]) -> int:
    """The first count under one of some names in a block, or in one of those parts of it."""
    parts = [block.get(_plain(name)) for name in details]
    plain = [{_plain(str(key)): value for key, value in part.items()} for part in parts if isinstance(part, Mapping)]
    return next((count for one in (block, *plain) if (count := _first(one, names))), 0)


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _first(block: Mapping[str, Any], names: Iterable[str]) -> int:
    return next((count for name in names if (count := _count(block.get(_plain(name))))), 0)


def _count(value: Any) -> int:
    """A value as a count of tokens, 0 where it is none."""
    number = _number(value)
    return int(number) if number <= MOST_TOKENS and int(number) == number else 0


def _number(value: Any) -> float:
    """A finite number above 0, whether it stands there as one or in quotes; 0 for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", value):
        value = float(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and 0 < value <= max(MOST_TOKENS, MOST_COST) else 0


def _is_zero(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return (number and value == 0) or (isinstance(value, str) and bool(re.fullmatch(r"0{1,12}(\.0{1,12})?", value)))


def _cost(block: Mapping[str, Any]) -> float | None:
    """The cost that an endpoint tells; 0 is one too, since some models are free."""
    for name in COST:
        value = block.get(_plain(name))
        if isinstance(value, Mapping):
            value = value.get("total_cost")
        cost = _number(value)
        if 0 < cost <= MOST_COST or _is_zero(value):
            return float(cost)
    return None
