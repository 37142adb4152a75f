"""A scripted model for a store that tests keep; its code is part of the store's keys: leave it as it is."""

import hashlib
from typing import Any


def _number(request: Any, size: int) -> int:
    text = "\0".join(content for _, content in request.messages) + request.sample
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % size


def talkative(request: Any) -> str:
    """As base it says what one set of reading rules takes for an answer and another does not."""
    asked = request.messages[-1][1]
    if "between <prompt> and </prompt>" in asked:
        end = "\n{question}" if "{question} exactly once" in asked else ""
        return f"Well.\n<prompt>Prompt number {_number(request, 1000)}.{end}</prompt>"
    if "BEGIN DATA" in asked:
        return f"analysis {_number(request, 10**6)}"
    said = "The answer is yes|The answer is no|Answer yes is wrong.|I don't think the answer is no.|Yes|Is the answer no? Yes."
    return said.split("|")[_number(request, 6)]
