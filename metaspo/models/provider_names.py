"""Which providers a spec may name: ours, and those of LangChain's `init_chat_model`."""

from difflib import get_close_matches

from ..compat import langchain_providers

OURS = ("openai", "server", "vllm", "local", "scripted", "program", "object")

LANGCHAINS = (
    "anthropic", "anthropic_bedrock", "azure_ai", "azure_openai", "baseten", "bedrock", "bedrock_converse",
    "bedrock_mantle_anthropic", "bedrock_mantle_openai", "cohere", "deepseek", "fireworks", "google_anthropic_vertex",
    "google_genai", "google_vertexai", "groq", "huggingface", "ibm", "langsmith", "litellm", "meta", "mistralai", "nvidia",
    "ollama", "openrouter", "perplexity", "together", "upstage", "xai",
)  # fmt: skip
"""LangChain's, known without loading it; one that is not here is looked for in the LangChain that is installed."""

ALSO_CALLED = {
    "aws": "bedrock_converse", "azure": "azure_openai", "claude": "anthropic", "gemini": "google_genai",
    "google": "google_genai", "vertex": "google_vertexai", "vertexai": "google_vertexai",
}  # fmt: skip
"""What people call providers whose names are not like it."""


def is_langchains(provider: str) -> bool:
    """Whether a spec with this provider is opened by LangChain."""
    return provider not in OURS


def checked_provider(name: str) -> str:
    """The name of a provider; ValueError with those that there are, and the nearest, where it is none."""
    if name in OURS or name in LANGCHAINS:
        return name
    theirs = sorted({*LANGCHAINS, *langchain_providers()} - {*OURS})
    if name in theirs:
        return name
    near = ALSO_CALLED.get(name.lower()) or next(iter(get_close_matches(name.lower(), [*OURS, *theirs], 1)), None)
    raise ValueError(
        f"there is no provider of this name{f'; did you mean {near}?' if near else ';'} it is "
        f"one of {', '.join(OURS)}, or one of LangChain's: {', '.join(theirs)}"
    )
