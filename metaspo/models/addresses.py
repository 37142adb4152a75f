"""Where a spec's requests go, and with which key."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from ..domain.errors import ModelError
from .filled import filled
from .provider_names import is_langchains
from .provider_places import Place, key_name, place_of, told_address
from .spec import ModelSpec

OPENAI_URL = "https://api.openai.com/v1"
"""OpenAI's own address, which recorded calls know as "openai"."""

OPENAI = Place(("OPENAI_API_KEY",), ("OPENAI_API_BASE", "OPENAI_BASE_URL"), OPENAI_URL)

NO_KEY = "none"
"""Sent to servers that want no key; the client insists on a value."""


def address_of(spec: ModelSpec) -> str:
    """Where the requests of a spec go: its base_url, or what the environment says, or the provider's own address.

    Empty where only the provider knows it. Raises ModelError where the environment's address is none, or holds a secret.
    """
    if spec.base_url or (spec.provider != "openai" and not is_langchains(spec.provider)):
        return spec.base_url or ""
    place = _place_of(spec)
    if (told := told_address(place)) is None:
        return place.home
    name, url = told
    try:
        return str(ModelSpec.parse({"provider": spec.provider, "name": spec.name, "base_url": url}).base_url)
    except ModelError as error:
        raise ModelError(f"{spec.label}: the environment variable {name} cannot be used: {error}") from None


def _place_of(spec: ModelSpec) -> Place:
    return OPENAI if spec.provider == "openai" else place_of(spec.provider, spec.options)


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def past_proxies(address: str) -> dict[str, None] | None:
    """What has an HTTP client go past any proxy to an address on this machine; None for all others."""
    return dict.fromkeys(("http://", "https://", "all://")) if is_loopback(address) else None


def key_of(spec: ModelSpec) -> str:
    """The key of a spec's endpoint, "none" where it needs no key; raises ModelError when it is not there."""
    name = key_variable(spec)
    key = os.environ.get(name) if name else NO_KEY
    if not key:
        raise ModelError(f"{spec.label} needs a key: set the environment variable {name}, or name another in api_key_env")
    return key


def key_variable(spec: ModelSpec) -> str | None:
    """The environment variable that holds the key of a spec's endpoint, or None where it needs no key."""
    ours = not is_langchains(spec.provider) and spec.provider != "openai"
    return spec.api_key_env or (None if ours else key_name(_place_of(spec)))


def check_key(spec: ModelSpec) -> None:
    """Raise ModelError when an environment variable that should hold the key, or stands in a header, does not."""
    key_of(spec)
    for given in (spec.headers, spec.query):
        filled(given, spec.label)
