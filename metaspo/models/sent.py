"""What is sent of a request, to an endpoint that speaks OpenAI's protocol: the one place where that is decided."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
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
        # llama.cpp makes a grammar of a schema by itself.
        own = {"json_schema": json.loads(constraint.schema)} if constraint.schema else {"grammar": constraint.grammar}
        return {"extra_body": own}
    if way == "structured_outputs":
        return {"extra_body": {"structured_outputs": structured(constraint)}}
    return {"response_format": held} if way == "json_schema" and (held := response_format(constraint)) else {}


def structured(constraint: Constraint) -> dict[str, Any]:
    """What vLLM calls structured outputs."""
    if constraint.schema:
        return {"json": json.loads(constraint.schema)}
    return {"choice": list(constraint.choices)} if constraint.choices else {"grammar": constraint.grammar}


def response_format(constraint: Constraint) -> dict[str, Any] | None:
    """The response format that holds a reply to a constraint, as OpenAI has it; None where it can't express that.

    What is not an object itself stands within one, under "answer"; see `is_wrapped` and `reply_of`.
    """
    if constraint.schema:
        schema: dict[str, Any] = json.loads(constraint.schema)
    elif constraint.choices:
        schema = {"type": "string", "enum": list(constraint.choices)}
    else:
        return None
    # A schema that refers to its own top would not find it within another.
    if schema.get("type") == "object" or re.search(r'"#(?!/\$defs/|/definitions/)', constraint.schema):
        return _format("reply", schema)
    top = {key: schema.pop(key) for key in ("$defs", "definitions", "$schema") if key in schema}
    wrapped = {"type": "object", "properties": {WRAPPED: schema}, "required": [WRAPPED], "additionalProperties": False}
    return _format(WRAPPED, wrapped | top)


WRAPPED = "answer"
"""The name of a response format that holds the answer as a field, and of the field."""


def is_wrapped(options: Mapping[str, Any]) -> bool:
    """Whether the answer to what is sent with these options comes within an object."""
    return bool(options.get("response_format", {}).get("json_schema", {}).get("name") == WRAPPED)


LOOSE = ("allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired", "dependentSchemas")
"""What OpenAI follows in no schema that it holds replies to strictly."""


def _format(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, "strict": _is_strict(schema)}}


def _is_strict(schema: Any) -> bool:
    """Whether a schema is of the kind that OpenAI holds replies to strictly: every object is closed, every field required.

    Of others it would refuse to; they are sent as what it tries to follow.
    """
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, dict):
        return True
    if any(key in schema for key in LOOSE):
        return False
    if schema.get("type") == "object" or isinstance(schema.get("properties"), dict):
        named = schema.get("properties") or {}
        if schema.get("additionalProperties") is not False or {*named} != {*schema.get("required", ())}:
            return False
    return all(map(_is_strict, schema.values()))
