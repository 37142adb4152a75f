"""What a spec says to a provider of LangChain's beyond what all of them have: a region, a deployment, a context."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import Field, field_validator

from ..domain.redaction import without_keys
from ..domain.visible import is_unsafe
from ..tasks.written import Exact

SECRET = re.compile(
    r"api[_-]?key|access[_-]?key|secret|passw(or)?d|authorization|cookie|bearer|"
    r"(^|(auth|ad|session|id|private)[_-])(key|token)$|^credentials$",
    re.IGNORECASE,
)
"""Names of what nobody writes into a config."""

SETTINGS = {
    "temperature": "temperature", "top_p": "top_p", "reasoning_effort": "reasoning_effort", "service_tier": "service_tier",
    "seed": "seed", "random_seed": "seed", "base_url": "base_url", "model": "name",
    "model_name": "name", "timeout": "timeout", "request_timeout": "timeout", "default_request_timeout": "timeout",
} | dict.fromkeys(
    ("max_tokens", "max_output_tokens", "num_predict", "max_completion_tokens", "max_new_tokens", "max_tokens_to_sample"),
    "max_tokens",
) | dict.fromkeys(
    ("azure_endpoint", "endpoint", "endpoint_url", "api_endpoint", "api_base", "client_options", "openai_api_base",
     "anthropic_api_url", "groq_api_base"),
    "base_url",
)  # fmt: skip
"""Settings that every spec has, and what providers call them."""

NOT_THEIRS = {
    "max_retries", "retries", "callbacks", "callback_manager", "cache", "rate_limiter", "custom_get_token_ids", "n",
    "candidate_count", "streaming", "stream", "disable_streaming", "stream_usage", "model_provider", "configurable_fields",
    "config_prefix", "validate_model_on_init",
}  # fmt: skip
"""What the ledger and the limiter do themselves, or what would change how a reply is read."""


class ProviderOptions(Exact):
    """The settings of a spec that only its provider knows."""

    options: dict[str, Any] = Field(
        {}, description="LangChain's providers: what the provider wants, such as options.region_name, options.num_ctx."
    )

    @field_validator("options")
    @classmethod
    def _theirs(cls, value: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = _plain(value)
        for name, found in _leaves(plain):
            if name in SETTINGS:
                raise ValueError(f"{name} is a setting of the model itself: write {SETTINGS[name]}=... without options")
            if name in NOT_THEIRS:
                raise ValueError(f"{name} is nothing to set here: calls are kept, limited and tried again by metaspo alone")
            if SECRET.search(name) or _is_secret(found):
                raise ValueError("there is a key among them; put it in an environment variable and name that in api_key_env")
            if isinstance(found, str) and any(is_unsafe(char) for char in found):
                raise ValueError(f"{name[:60]} holds a character that cannot be seen; take it out")
        return plain


def _plain(value: Any) -> Any:
    """The value as JSON has it; YAML reads a version such as 2024-10-21 as a date."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str | int | float | bool | None):
        raise ValueError(f"hold {type(value).__name__}; write text, a number, true or false, a list or a mapping")
    return value


def _leaves(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything in a mapping, however deep, with the name that it stands under."""
    for name, found in value.items():
        yield name, found
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, dict):
                yield from _leaves(one)
            elif one is not found:
                yield name, one


def _is_secret(value: Any) -> bool:
    return isinstance(value, str) and (without_keys(value) != value or bool(re.search(r"://[^/\s]*@", value)))
