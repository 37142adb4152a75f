"""A model call: what is asked, what comes back, what it costs."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal

from .costs import cost_says
from .messages import Message, as_data, image_urls, message_of, text_of
from .thoughts import without_thoughts

NO_REPLY = ("content_filter", "context_length", "refused", "failed")
"""Ways to end in which an endpoint gave no reply to a request; what it said instead is an error."""

BROKEN_OFF = "broken_off"
"""The end of a reply that the endpoint failed to finish: a fault, and no reply at all."""

ENDS = {
    "stop": ("end_turn", "stop_sequence", "eos", "eos_token", "complete"),
    "length": ("max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "error_limit"),
    "content_filter": (
        "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive", "refusal", "image_safety",
        "content_filtered", "guardrail_intervened", "error_toxic",
    ),
    BROKEN_OFF: ("error", "network_error", "insufficient_system_resource", "abort"),
}  # fmt: skip
"""What other endpoints call the ends that OpenAI's API, and what it has no word for, have one name for here."""

Role = Literal["base", "optimizer", "analyst", "judge"]
"""What a call is for: answering a task, rewriting prompts, analysing failures where another model does that, or grading."""

Length = Literal["max_tokens", "max_completion_tokens"]
"""The names under which endpoints are told how long a reply may be."""

BYTES_A_TOKEN = 4
"""A rule of thumb for estimates: of UTF-8, so that English has four characters a token and Chinese less than two."""

TOKENS_AN_IMAGE = 1_000
"""Another one: endpoints count from 85 to some 1,600, by their own rules and an image's size."""


def estimated_tokens(*texts: str) -> int:
    """About how many tokens texts are, where nobody has counted them."""
    return sum(ceil(len(text.encode("utf-8", "surrogatepass")) / BYTES_A_TOKEN) for text in texts)


def tokens_of(messages: Sequence[Message]) -> int:
    """The same for messages, with so many for each image."""
    return estimated_tokens(*(text_of(content) for _, content in messages)) + TOKENS_AN_IMAGE * len(image_urls(messages))


MEMBER = re.compile(r'"(?:[^"\\]|\\.)*"')
CLOSED_SET = re.compile(rf"root ::= ({MEMBER.pattern}(?: \| {MEMBER.pattern})*)")


@dataclass(frozen=True, slots=True)
class Constraint:
    """The form a reply is held to where the backend can do that.

    `choices` is a closed set of replies. `grammar` is the same, or a wider form, in GBNF (llama.cpp
    and vLLM read it). `schema` is the text of a JSON schema that a reply fits, in the place of both. A backend that can
    express none of them ignores the constraint.
    """

    grammar: str = ""
    choices: tuple[str, ...] = ()
    schema: str = ""

    def content(self) -> dict[str, str]:
        """What is recorded and hashed of it."""
        return {"schema": self.schema} if self.schema else {"grammar": self.grammar}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Constraint | None":
        """The constraint of a request behind what `content` said of it; None where it had none."""
        if schema := content.get("schema"):
            return cls(schema=schema)
        if "grammar" not in content:
            return None
        grammar = content["grammar"]
        # A closed set is a grammar of nothing but its members, each in quotes.
        members = CLOSED_SET.fullmatch(grammar)
        return cls(grammar, tuple(map(json.loads, MEMBER.findall(members[1]))) if members else ())


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a model.

    A `temperature` of None is left to the endpoint. `sample` tells apart independent draws of the same messages; at
    temperature 0 it stays empty, so that the same question is asked once. `role` is told to whoever traces calls and
    changes nothing, nor does `length`, the name that `max_tokens` is sent under, nor `about`, which says to people what
    example it is of.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float | None
    sample: str = ""
    constraint: Constraint | None = None
    role: Role = "base"
    length: Length | None = None
    about: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The closed set that the reply is held to; empty where it is none."""
        return self.constraint.choices if self.constraint else ()

    def content(self) -> dict[str, Any]:
        """The request as plain data, in the form that is recorded and hashed."""
        data: dict[str, Any] = {
            "messages": [as_data(message) for message in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
        }
        if self.sample:
            data["sample"] = self.sample
        if self.constraint:
            data |= self.constraint.content()
        return data

    @classmethod
    def of(cls, content: dict[str, Any], role: Role) -> "Request":
        """The request behind what `content` said of it."""
        messages = tuple(message_of(message) for message in content["messages"])
        held, sample = Constraint.of(content), content.get("sample", "")
        return cls(messages, content["max_tokens"], content.get("temperature"), sample, held, role)


def call_key(identity: dict[str, Any], content: dict[str, Any]) -> str:
    """The content address of a call: sha256 over model identity and request, as canonical JSON."""
    blob = json.dumps([identity, content], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()


def finish_of(word: object) -> str:
    """The one name of why a reply ended, for whatever an endpoint calls it; "stop" where it says nothing."""
    said = str(word or "stop").lower()
    return next((end for end, words in ENDS.items() if said in words), said)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    `finish` is the backend's word for why it ended: "stop", "length" (cut off), "content_filter",
    "context_length" (the request did not fit), "refused" or "failed" (this one request, while others are answered).
    `error` is what was said where there is no reply. Tokens are counts, `estimated` where the backend told
    none, latency is in seconds. `cached_tokens` are those of the input that the endpoint found in its cache.
    A `cost` that the backend told stands; else it follows from prices, and is None, unknown, where there are none.
    `steps` are what a program did before it answered, as JSON text; empty where there are none.
    """

    text: str
    finish: str = "stop"
    input_tokens: int = 0
    output_tokens: int = 0
    latency: float = 0.0
    cost: float | None = None
    error: str = ""
    estimated: bool = False
    cached_tokens: int = 0
    steps: str = ""

    @property
    def said(self) -> str:
        """What was answered once it was thought out; the text itself is kept as it came."""
        return without_thoughts(self.text)

    @property
    def is_fact(self) -> bool:
        """Whether the model would say this another day too: an error, a filter and an empty reply are of the endpoint that day.

        A reply that was cut off with text in it is a fact: what cut it, max_tokens, is in the key of the call.
        """
        return bool(self.text.strip()) and self.finish not in NO_REPLY


@dataclass(slots=True)
class Usage:
    """Running totals of paid calls.

    `cached` counts calls that the ledger answered, `cached_tokens` those input tokens that endpoints found in
    their caches, `estimated` the calls whose tokens are estimates. `cost` is the sum of what is known, `unpriced`
    how many calls it leaves out because theirs is unknown; None where nothing is known to have cost anything but those.
    `roles` are the same totals of each role.
    """

    calls: dict[str, int] = field(default_factory=dict)
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = 0.0
    estimated: int = 0
    cached_tokens: int = 0
    unpriced: int = 0
    roles: dict[str, "Usage"] = field(default_factory=dict)

    @property
    def total_calls(self) -> int:
        """Paid calls of every role."""
        return sum(self.calls.values())

    @property
    def cost_says(self) -> str:
        """The cost in words, with what it leaves out."""
        return cost_says(self.cost, self.unpriced, estimated=bool(self.estimated))

    def of(self, role: str) -> "Usage":
        """What the calls of one role came to."""
        return self.roles.setdefault(role, Usage())

    def include(self, other: "Usage") -> None:
        """Count what another run paid."""
        for role, part in other.roles.items():
            self.of(role).include(part)
        for role, count in other.calls.items():
            self.calls[role] = self.calls.get(role, 0) + count
        self.cached += other.cached
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.cached_tokens += other.cached_tokens
        self.estimated += other.estimated
        self._pay(other.cost, other.unpriced)

    def add(self, role: str, reply: Reply) -> None:
        """Count one paid call."""
        self._add(role, reply)
        self.of(role)._add(role, reply)

    def _add(self, role: str, reply: Reply) -> None:
        self.calls[role] = self.calls.get(role, 0) + 1
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens
        self.cached_tokens += reply.cached_tokens
        self.estimated += reply.estimated
        self._pay(reply.cost, reply.cost is None)

    def _pay(self, cost: float | None, unpriced: int) -> None:
        self.unpriced += unpriced
        known = (self.cost or 0.0) + (cost or 0.0)
        self.cost = known if known or not self.unpriced else None
