"""What a call took: the token counts and the cost that an endpoint tells, in whatever form, and estimates in their place."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import AIMessage

from ..domain.calls import Reply, Request, estimated_tokens

READ = ("prompt_tokens", "input_tokens", "prompt_token_count", "prompt_eval_count")
WRITTEN = ("completion_tokens", "output_tokens", "candidates_token_count", "eval_count")
TOTAL = ("total_tokens", "total_token_count")
"""What endpoints call the tokens read, those written, and both together; `promptTokenCount` and the like are the same."""

DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
REASONING = ("reasoning_tokens", "reasoning", "thoughts_token_count")
COST = ("cost", "total_cost", "estimated_cost")

MOST_TOKENS, MOST_COST = 10**9, 10**6
"""A single call that is said to take more than this is not believed."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens read and written and the cost of one call; 0 where the endpoint told none that could be believed."""

    read: int = 0
    written: int = 0
    cost: float = 0.0


def read_usage(told: Any) -> Counts:
    """The counts in a usage block, whatever it is: what is no count (text, negative, out of all bounds) is as not told.

    Where the total leaves more for what was written than the endpoint says, its reasoning was left out
    there: that is written too, and paid.
    """
    if not isinstance(told, Mapping):
        return Counts()
    block = {_plain(name): value for name, value in told.items() if isinstance(name, str)}
    read, written, total = (_first(block, names) for names in (READ, WRITTEN, TOTAL))
    reasoning = _first(block, REASONING)
    for name in DETAILS:
        details = block.get(_plain(name))
        if isinstance(details, Mapping):
            reasoning = reasoning or _first({_plain(str(key)): value for key, value in details.items()}, REASONING)
    if reasoning > written:
        written += reasoning
    if read:
        written = max(written, total - read)
    elif total > written:
        read = total - written if written else 0
    return Counts(read, written, _cost(block))


def message_usage(message: AIMessage) -> Counts:
    """The counts of a LangChain message: of its `usage_metadata`, or of what the endpoint itself told where that says more."""
    found = [read_usage(message.usage_metadata)]
    metadata = message.response_metadata if isinstance(message.response_metadata, Mapping) else {}
    found += [read_usage(metadata.get(name)) for name in ("token_usage", "usage", "usage_metadata")]
    return Counts(*(max(getattr(one, name) for one in found) for name in ("read", "written", "cost")))


def completed(request: Request, reply: Reply) -> Reply:
    """The reply with estimates in place of the token counts that it lacks, and marked so.

    A token for every four bytes of text, and for a reply that was cut off as many as it was allowed.
    """
    if reply.input_tokens and (reply.output_tokens or not (reply.text or reply.finish == "length")):
        return reply
    read = reply.input_tokens or estimated_tokens(*(text for _, text in request.messages))
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
    usage = {"prompt_tokens": counts.read, "completion_tokens": counts.written, "total_tokens": both, "cost": counts.cost}
    return usage | _details(told)


def _details(told: Mapping[Any, Any]) -> dict[str, Any]:
    """The parts of a usage block that traces show, such as the tokens found in a cache, as far as they are counts."""
    return {
        name: {key: count for key, count in parts.items() if _count(count)}
        for name in ("prompt_tokens_details", "completion_tokens_details")
        if isinstance(parts := told.get(name), Mapping)
    }


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


def _cost(block: Mapping[str, Any]) -> float:
    for name in COST:
        value = block.get(_plain(name))
        if isinstance(value, Mapping):
            value = value.get("total_cost")
        if 0 < (cost := _number(value)) <= MOST_COST:
            return float(cost)
    return 0.0
