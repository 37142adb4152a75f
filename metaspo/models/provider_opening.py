"""LangChain's chat models made as the ledger needs them: no tries and no cache of their own, connections that close."""

import logging
import re
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import Any

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from pydantic import ValidationError

from ..compat import close_ollama, langchain_class, with_own_connections, without_account, without_ad_token
from ..domain.complaints import complaints
from ..domain.errors import ModelError
from .addresses import NO_KEY, address_of, is_loopback, key_of, past_proxies
from .error_words import said, shown
from .openai_compatible import http_client
from .pacing import heard
from .provider_places import AZURE, GOOGLE, OLLAMA, PLACES
from .spec import ModelSpec

Close = Callable[[], Awaitable[None]]

AROUND: dict[str, Any] = {"max_retries": 0, "cache": False, "disable_streaming": True}
"""The ledger tries again and keeps replies; a reply that is streamed may come without its token counts."""


def open_chat(spec: ModelSpec) -> tuple[BaseChatModel, list[Close]]:
    """The chat model of a spec, and what closes its connections. No request is made.

    Raises ModelError, in one sentence, where its package is missing, its key is not there or an option is wrong.
    """
    kind = _class_of(spec)
    _quiet(kind)
    names = field_names(kind)
    _check_options(spec, kind, names)
    given = _where(spec, kind, names)
    given |= {name: value for name, value in AROUND.items() if name in names}
    if spec.provider == GOOGLE:
        given["max_retries"] = 1  # Google's client counts tries, and takes 0 for its own default.
    if spec.provider == OLLAMA:
        # It streams every reply, with its counts; told not to, it would tell LangGraph's stream each token twice.
        given["disable_streaming"] = False
    timeout = next((name for name in ("timeout", "request_timeout") if name in names), None)
    if timeout:
        given[timeout] = spec.timeout
    closing: list[Close] = []
    if "http_async_client" in names:
        client = http_client(spec, address_of(spec))
        given["http_async_client"] = client
        closing.append(client.aclose)
    chat = _made(spec, spec.options | given)
    return chat, [*closing, *_connections(spec, chat)]


def field_names(kind: type[BaseChatModel]) -> set[str]:
    """What a chat model may be made with: the names of its settings and their other names."""
    return {*kind.model_fields, *(field.alias for field in kind.model_fields.values() if field.alias)}


def _quiet(kind: type[BaseChatModel]) -> None:
    """Print nothing that a package logs, which may be an endpoint's words, unless a person has asked for logs."""
    for name in (kind.__module__.partition(".")[0], "google_genai"):
        if not (logger := logging.getLogger(name)).handlers:
            logger.addHandler(logging.NullHandler())


def _class_of(spec: ModelSpec) -> type[BaseChatModel]:
    """The class of a provider's models: what it may be made with has to be known before it is made."""
    try:
        return langchain_class(spec.provider) or type(_made(spec, spec.options))
    except ImportError as error:
        raise _not_loaded(spec, error) from None


def _where(spec: ModelSpec, kind: type[BaseChatModel], names: set[str]) -> dict[str, Any]:
    """The address and the key, as the provider's class calls them; ModelError for one that it has no place for."""
    address, key = address_of(spec), key_of(spec)
    if spec.provider == OLLAMA:
        options = dict(spec.options.get("client_kwargs") or {})
        client: dict[str, Any] = {"timeout": spec.timeout, "trust_env": not is_loopback(address)} | options
        if key != NO_KEY:
            # Not as a header: LangChain shows traces what a model was made with.
            client["auth"] = lambda request: _with_key(request, key_of(spec))
        return {"base_url": address, "client_kwargs": client}
    given: dict[str, Any] = {}
    if key != NO_KEY:
        if (name := _called(names, "api_key")) is None:
            raise ModelError(f"{spec.label} takes no api_key_env: {kind.__name__} finds its credentials itself")
        given[name] = key
    if not address:
        return given
    if spec.provider == AZURE:
        # An Entra token that the environment holds would be sent in place of the key.
        return given | {"base_url" if "/openai" in address else "azure_endpoint": address, "azure_ad_token": None}
    if (name := _called(names, "base_url", "api_base", "api_url", "endpoint_url")) is None:
        raise ModelError(f"{spec.label} takes no base_url: {kind.__name__} finds its endpoint itself")
    # The clients of both write the version behind the address themselves, and people before it.
    version = re.search(r"/(v1(?:beta|alpha)?)$", address) if spec.provider in (GOOGLE, "anthropic") else None
    if version and spec.provider == GOOGLE:
        given["api_version"] = version[1]
    return given | {name: address[: version.start()] if version else address}


def _with_key(request: Any, key: str) -> Any:
    request.headers["authorization"] = f"Bearer {key}"
    return request


def _called(names: set[str], *ends: str) -> str | None:
    """The setting of a class that is called so, or ends so as `groq_api_base` does."""
    return next((name for end in ends for name in sorted(names, key=len) if name == end or name.endswith(f"_{end}")), None)


def _check_options(spec: ModelSpec, kind: type[BaseChatModel], names: set[str]) -> None:
    """Raise ModelError for an option that the class has no place for, and would drop without a word."""
    if hasattr(kind, "from_model_id"):
        return  # made from more than its own settings
    for name in spec.options:
        if name not in names:
            near = next(iter(get_close_matches(name, names, 1)), None)
            raise ModelError(
                f"{spec.label}: {kind.__name__} knows no option '{shown(name)}'{f'; did you mean {near}?' if near else ''}"
            )


def _made(spec: ModelSpec, given: dict[str, Any]) -> BaseChatModel:
    try:
        made: BaseChatModel = init_chat_model(spec.name, model_provider=spec.provider, **given)
        return made
    except ImportError as error:
        raise _not_loaded(spec, error) from None
    except ValidationError as error:
        # What it was given may be the key; what is among the options is none.
        errors = [
            {**one, "input": one["input"] if one["loc"][:1] and one["loc"][0] in spec.options else "..."}
            for one in error.errors()
        ]
        told = [f"{'.'.join(map(str, where)) or 'settings'}: {words}" for where, _, words in complaints(errors, given)]
        raise ModelError(f"{spec.label} cannot be opened: {shown('; '.join(told))}") from None
    except Exception as error:  # each package has errors of its own
        raise ModelError(f"{spec.label} cannot be opened: {said(error)}") from None


def _not_loaded(spec: ModelSpec, error: ImportError) -> ModelError:
    """What to install, in the words of LangChain, which knows each provider's package."""
    found = re.search(r"pip install (?:-U |--upgrade )?([\w-]+)", str(error))
    package = found[1] if found else f"langchain-{spec.provider.replace('_', '-')}"
    missing = getattr(error.__cause__ or error, "name", None) or package
    if missing.partition(".")[0].replace("_", "-") == package:
        return ModelError(f"{spec.label} needs the package {package}: pip install {package}")
    return ModelError(
        f"{spec.label}: the package {package} cannot be loaded: {said(error.__cause__ or error)}; pip install -U {package}"
    )


def _connections(spec: ModelSpec, chat: Any) -> list[Close]:
    """What closes a chat model's connections, which are its own from here on."""
    if spec.provider == "anthropic":
        from anthropic import DefaultAioHttpClient

        address = address_of(spec)
        client = DefaultAioHttpClient(timeout=spec.timeout, mounts=past_proxies(address), event_hooks={"response": [heard]})
        with_own_connections(chat, client, None if address == PLACES["anthropic"].home else chat.default_headers or {})
        return [client.aclose]
    if spec.provider == OLLAMA:
        return [lambda: close_ollama(chat)]
    if hasattr(chat, "root_async_client"):
        # The organization, the project and the headers of somebody's account at OpenAI are nobody else's business.
        without_account(chat.root_async_client)
        if spec.provider == AZURE:
            without_ad_token(chat.root_async_client)
        chat.root_async_client._custom_headers = dict(chat.default_headers or {})
        return []
    return [chat.aclose] if hasattr(chat, "aclose") else []
