"""What is sent of a request, to an endpoint that speaks OpenAI's protocol: the one place where that is decided."""

import hashlib
from collections.abc import Sequence
from typing import Any

from ..domain.calls import Constraint, Request
from ..domain.messages import Message, as_data, text_of, wrapped
from .filled import filled
from .spec import ModelSpec


def messages_sent(spec: ModelSpec, request: Request) -> list[dict[str, Any]]:
    """The messages in OpenAI's form, with the system prompt where the spec, or the model's family, wants it."""
    return [as_data(message) for message in _placed(spec.system_role or spec.family.system_role, request.messages)]


def _placed(role: str, messages: Sequence[Message]) -> Sequence[Message]:
    if role != "fold":
        return [(role if one == "system" else one, content) for one, content in messages]
    system = [text_of(content) for one, content in messages if one == "system"]
    others = [(one, content) for one, content in messages if one != "system"]
    at = next((at for at, (one, _) in enumerate(others) if one == "user"), None)
    if at is None:
        return [*(("user", text) for text in system), *others]
    others[at] = ("user", wrapped("".join(f"{text}\n\n" for text in system), others[at][1]))
    return others


def options_sent(spec: ModelSpec, request: Request, constrain: str) -> dict[str, Any]:
    """All that stands in the body beside the model and the messages; what the client adds to it is `extra_body`.

    `constrain` is how the backend holds a reply to its form: one of the words of `ModelSpec.constrain`.
    """
    options: dict[str, Any] = {request.length or spec.length: request.max_tokens}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    options |= drawn(spec)
    if spec.seed is not None:
        options["seed"] = draw_seed(spec.seed, request.sample)
    body = dict(spec.extra_body)
    if request.constraint is not None:
        rule = _constraint(constrain, request.constraint)
        body |= rule.pop("extra_body", {})
        options |= rule
    return options | ({"extra_body": body} if body else {})


def drawn(spec: ModelSpec) -> dict[str, Any]:
    """The settings of a spec that every request carries under the same name, those that are set."""
    return {name: value for name in ("top_p", "reasoning_effort", "service_tier") if (value := getattr(spec, name)) is not None}


def addressed(spec: ModelSpec) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the query that go with every request, from today's environment; ModelError where it lacks a variable."""
    headers = filled(spec.headers, spec.label)
    if spec.organization:
        headers["OpenAI-Organization"] = spec.organization
    return headers, filled(spec.query, spec.label)


def draw_seed(seed: int, sample: str) -> int:
    """The seed sent with a request: the model's own, moved by which sample this is."""
    if not sample:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/{sample}".encode()).digest()[:4], "big") >> 1


def _constraint(way: str, constraint: Constraint) -> dict[str, Any]:
    if way == "grammar":
        return {"extra_body": {"grammar": constraint.grammar}}
    if way == "structured_outputs":
        rule = {"choice": list(constraint.choices)} if constraint.choices else {"grammar": constraint.grammar}
        return {"extra_body": {"structured_outputs": rule}}
    if way == "json_schema" and constraint.choices:
        return {"response_format": one_of(constraint.choices)}
    return {}


def one_of(choices: Sequence[str]) -> dict[str, Any]:
    """The response format that holds a reply to one of some answers, as JSON; see `reply_of` for what is made of it."""
    answer = {"type": "string", "enum": list(choices)}
    schema = {"type": "object", "properties": {"answer": answer}, "required": ["answer"], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
