"""Where LangChain's providers are and what opens them: the environment variables that each of them reads."""

import os
from dataclasses import dataclass
from typing import Any

AZURE = "azure_openai"
GOOGLE = "google_genai"
OLLAMA = "ollama"

CLOUD = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION")
VERTEX = "GOOGLE_GENAI_USE_VERTEXAI"
REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class Place:
    """The variables that may hold a provider's key and its address, the first that is set counts; its usual address.

    `others` are variables that say where requests go as an address does: a region, a version.
    """

    keys: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    home: str = ""
    others: tuple[str, ...] = ()


PLACES = {
    "anthropic": Place(("ANTHROPIC_API_KEY",), ("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"), "https://api.anthropic.com"),
    "anthropic_bedrock": Place(others=REGION),
    AZURE: Place(("AZURE_OPENAI_API_KEY",), ("AZURE_OPENAI_ENDPOINT",), others=("OPENAI_API_VERSION",)),
    "baseten": Place(("BASETEN_API_KEY",)),
    "bedrock": Place(others=REGION),
    "bedrock_converse": Place(others=REGION),
    "cohere": Place(("COHERE_API_KEY",)),
    "deepseek": Place(("DEEPSEEK_API_KEY",), ("DEEPSEEK_API_BASE",)),
    "fireworks": Place(("FIREWORKS_API_KEY",)),
    GOOGLE: Place(
        ("GOOGLE_API_KEY", "GEMINI_API_KEY"), ("GOOGLE_GEMINI_BASE_URL",), "https://generativelanguage.googleapis.com"
    ),
    "google_vertexai": Place(others=CLOUD),
    "groq": Place(("GROQ_API_KEY",), ("GROQ_API_BASE",)),
    "mistralai": Place(("MISTRAL_API_KEY",), ("MISTRAL_BASE_URL",)),
    "nvidia": Place(("NVIDIA_API_KEY",), ("NVIDIA_BASE_URL",)),
    OLLAMA: Place(addresses=("OLLAMA_HOST",), home="http://127.0.0.1:11434"),
    "openrouter": Place(("OPENROUTER_API_KEY",), ("OPENROUTER_API_BASE",)),
    "perplexity": Place(("PPLX_API_KEY", "PERPLEXITY_API_KEY")),
    "together": Place(("TOGETHER_API_KEY",)),
    "upstage": Place(("UPSTAGE_API_KEY",)),
    "xai": Place(("XAI_API_KEY",)),
}
"""Providers that are not here find what they need themselves; what they lack they say when the model is opened."""


def place_of(provider: str, options: dict[str, Any]) -> Place:
    """Where a provider is looked for; Google's models may be at Vertex AI, which wants no key and is elsewhere."""
    place = PLACES.get(provider, Place())
    if provider == GOOGLE and at_vertex(options):
        return Place(addresses=place.addresses, others=(VERTEX, *CLOUD))
    return place


def at_vertex(options: dict[str, Any]) -> bool:
    """Whether `google_genai` asks Vertex AI, as LangChain decides it."""
    if (told := options.get("vertexai")) is not None:
        return bool(told)
    if (said := os.environ.get(VERTEX)) is not None:
        return said.lower() in ("1", "true", "yes", "on")
    return "project" in options


def key_name(place: Place) -> str | None:
    """The variable that holds a provider's key, or should; None where there is none to look for."""
    return next((name for name in place.keys if os.environ.get(name)), place.keys[0] if place.keys else None)


def told_address(place: Place) -> tuple[str, str] | None:
    """The variable that gives an address, and the address as a URL."""
    for name in place.addresses:
        if url := os.environ.get(name, "").strip():
            return name, url if "://" in url else _with_port(url)
    return None


def _with_port(host: str) -> str:
    """An address without a scheme, as OLLAMA_HOST may be."""
    bare = host.rstrip("/")
    return f"http://{bare if ':' in bare.rpartition(']')[2] else f'{bare}:11434'}"
