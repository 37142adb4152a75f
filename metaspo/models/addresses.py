"""Where a spec's requests go, and with which key."""

import os

from ..domain.errors import ModelError
from .spec import ModelSpec

OPENAI_URL = "https://api.openai.com/v1"
"""OpenAI's own address, which recorded calls know as "openai"."""

NO_KEY = "none"
"""Sent to servers that want no key; the client insists on a value."""


def address_of(spec: ModelSpec) -> str:
    """Where the requests of a spec go: its base_url, or for `openai:` what the environment says, or OpenAI itself.

    Raises ModelError where the environment's address is none, or holds a secret.
    """
    if spec.base_url or spec.provider != "openai":
        return spec.base_url or ""
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL"):
        if url := os.environ.get(name, "").strip():
            try:
                return str(ModelSpec.parse({"provider": "openai", "name": spec.name, "base_url": url}).base_url)
            except ModelError as error:
                raise ModelError(f"{spec.label}: the environment variable {name} cannot be used: {error}") from None
    return OPENAI_URL


def key_of(spec: ModelSpec) -> str:
    """The key of a spec's endpoint, "none" where it needs no key; raises ModelError when it is not there."""
    name = key_variable(spec)
    key = os.environ.get(name) if name else NO_KEY
    if not key:
        raise ModelError(f"{spec.label} needs a key: set the environment variable {name}, or name another in api_key_env")
    return key


def key_variable(spec: ModelSpec) -> str | None:
    """The environment variable that holds the key of a spec's endpoint, or None where it needs no key."""
    return spec.api_key_env or ("OPENAI_API_KEY" if spec.provider == "openai" else None)


def check_key(spec: ModelSpec) -> None:
    """Raise ModelError when the environment variable that should hold the key does not."""
    key_of(spec)
