"""OpenAI's API and every server that speaks it, through langchain-openai on the aiohttp transport."""

import os
from typing import Any, cast
from urllib.parse import urlsplit

from openai import AsyncOpenAI, DefaultAioHttpClient

from ..compat import openai_payload, without_account
from ..domain.calls import Reply, Request
from ..domain.errors import ModelError
from ..domain.redaction import redact
from .addresses import OPENAI_URL, address_of, key_of, past_proxies
from .backend import traced
from .faults import Fault, classify
from .filled import is_secret_name
from .pacing import heard
from .reading import reply_of
from .refusals import refusal, told_of
from .sent import addressed, is_wrapped, messages_sent, options_sent
from .spec import ModelSpec
from .wire import OpenAIChat, ServerChat


class OpenAICompatible:
    """A chat model at an OpenAI-compatible endpoint."""

    def __init__(self, spec: ModelSpec, *, base_url: str | None = None, identity: dict[str, Any] | None = None) -> None:
        """Prepare the client; no request is made. `base_url` and `identity` are given for servers that we started."""
        address = base_url or address_of(spec)
        self.identity = identity or {"endpoint": "openai" if address == OPENAI_URL else address, "model": spec.name}
        self._constrain = spec.constrain or ("json_schema" if spec.provider == "openai" else "none")
        if self._constrain != "none":
            self.identity["constrain"] = self._constrain
        if spec.seed is not None:
            self.identity["seed"] = spec.seed
        self.identity |= spec.request_identity()
        self._spec = spec
        self._http = http_client(spec, address)
        # Only OpenAI itself is sure to know `max_completion_tokens`, which ChatOpenAI turns `max_tokens` into.
        kind = OpenAIChat if spec.provider == "openai" else ServerChat
        self._chat = kind(
            model=spec.name,
            base_url=address,
            api_key=lambda: key_of(spec),
            max_retries=0,
            http_async_client=self._http,
            openai_proxy=None,
            # What its class would put there of its own for some names.
            temperature=None,
            use_responses_api=None if spec.provider == "openai" else False,
            stream_usage=False,
            # LangGraph's `messages` stream would have every reply streamed, which loses the token counts.
            disable_streaming=True,
        )
        if not _is_openai(address):
            # The organization, the project and the headers of somebody's account at OpenAI are nobody else's business.
            without_account(self._chat.root_async_client)

    async def ready(self) -> None:
        """The endpoint is somebody else's to start."""

    async def complete(self, request: Request) -> Reply:
        """Send one request; see `Backend`."""
        addressed(self._spec)
        options = self._options(request)
        try:
            message = await self._chat.ainvoke(messages_sent(self._spec, request), traced(request), **options)
            return reply_of(message, unwrap=is_wrapped(options))
        except ModelError:
            raise
        except Exception as error:
            # Not `from error`: the client's exception may hold the request with its headers.
            raise refusal(error, self._spec, request, options) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _options(self, request: Request) -> dict[str, Any]:
        """What is sent beside the messages."""
        return options_sent(self._spec, request, self._constrain)

    @property
    def client(self) -> AsyncOpenAI:
        """The client of the endpoint's other interfaces, such as that for batches."""
        return cast(AsyncOpenAI, self._chat.root_async_client)

    def payload(self, request: Request) -> dict[str, Any]:
        """The body that `complete` would send."""
        return openai_payload(self._chat, messages_sent(self._spec, request), self._options(request))

    def refused(self, fault: Fault, body: Any, request: Request) -> Fault:
        """What `complete` would make of an endpoint's refusal of that body."""
        return told_of(fault, body, self._spec, request, self._options(request))

    def read(self, body: Any, request: Request) -> Reply:
        """What `complete` would make of an endpoint's answer to that body. Raises a `Fault` where it is no reply."""
        try:
            return reply_of(self._chat.message(body), unwrap=is_wrapped(self._options(request)))
        except Exception as error:
            raise classify(error) from None


def _is_openai(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    return host == "api.openai.com" or host.endswith(".api.openai.com")


def http_client(spec: ModelSpec, address: str) -> DefaultAioHttpClient:
    """The client that requests travel by: past any proxy where the endpoint is on this machine."""

    async def address_it(request: Any) -> None:
        # Here, past LangChain, whose traces show what a model is called with.
        headers, query = addressed(spec)
        request.headers.update(headers)
        if query:
            request.url = request.url.copy_merge_params(query)
        if spec.api_key_env is None and spec.provider != "openai" and any(map(is_secret_name, headers)):
            # A header of its own says who asks: the word that stands for no key would speak against it.
            if "authorization" not in map(str.lower, headers):
                del request.headers["Authorization"]

    options: dict[str, Any] = {"event_hooks": {"request": [address_it], "response": [heard]}}
    if (direct := past_proxies(address)) is not None:
        options["mounts"] = direct
    elif spec.provider == "openai" and (proxy := os.environ.get("OPENAI_PROXY")):
        options["proxy"] = proxy
    try:
        # httpx's own pool collapses above some thirty requests in flight; aiohttp's does not.
        return DefaultAioHttpClient(timeout=spec.timeout, **options)
    except Exception as error:  # each library has errors of its own for what it cannot read
        names = ("OPENAI_PROXY", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
        there = [name for name in names if os.environ.get(name) or os.environ.get(name.lower())]
        raise ModelError(
            f"{spec.label}: no connection can be made: {redact(str(error)) or type(error).__name__}; "
            f"look at {' and '.join(there) or 'the proxy and the certificates'} in the environment"
        ) from None
