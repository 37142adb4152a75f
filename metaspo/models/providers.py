"""The models of LangChain's providers: Anthropic's, Google's, Ollama's and all that `init_chat_model` opens by name."""

import os
from traceback import extract_tb
from typing import Any

from ..domain.calls import Reply, Request
from ..domain.messages import text_of
from .addresses import address_of
from .backend import traced
from .error_words import said
from .faults import Fault
from .provider_opening import open_chat
from .provider_places import AZURE, GOOGLE, OLLAMA, place_of
from .reading import has_ended, reply_of
from .refusals import refusal, refused_parameter
from .sent import draw_seed, drawn, is_wrapped, messages_sent, response_format
from .spec import ModelSpec

LENGTHS = ("max_tokens", "max_output_tokens", "num_predict", "max_new_tokens", "max_completion_tokens")
SEEDS = ("seed", "random_seed")
"""What LangChain's classes call the same settings."""

TELL = ("anthropic", AZURE, GOOGLE, OLLAMA)
"""Whose replies always say why they ended: one that does not broke off, or is no reply."""

PREPARING = {"_get_request_payload", "_prepare_request", "_chat_params", "_create_message_dicts", "_converse_params"}
"""The functions of LangChain's packages that make a request."""


class ProviderModel:
    """A chat model of LangChain's, opened by the name of its provider."""

    def __init__(self, spec: ModelSpec) -> None:
        """Make the chat model; no request is made. Raises ModelError where its package, its key or an option is wrong."""
        self.identity = identity_of(spec)
        self._spec = spec
        self._chat, self._closing = open_chat(spec)
        self._names = type(self._chat).model_fields
        self._length = next((name for name in LENGTHS if name in self._names), "max_tokens")
        self._seed = next((name for name in SEEDS if name in self._names), None)

    async def ready(self) -> None:
        """The endpoint is somebody else's to start."""

    async def complete(self, request: Request) -> Reply:
        """Send one request; see `Backend`."""
        settings: dict[str, Any] = {"temperature": request.temperature, self._length: request.max_tokens}
        # A class that knows nothing of one of these says so, before any request.
        settings |= drawn(self._spec)
        if self._spec.seed is not None and self._seed:
            settings[self._seed] = draw_seed(self._spec.seed, request.sample)
        # A class that has a setting need not take it beside a request as well.
        own = {name: value for name, value in settings.items() if name in self._names}
        beside = {name: value for name, value in settings.items() if name not in own and value is not None}
        if self._spec.constrain == "json_schema" and request.constraint and (held := response_format(request.constraint)):
            beside["response_format"] = held
        try:
            chat = self._chat.model_copy(update=own)
            message = await chat.ainvoke(messages_sent(self._spec, request), traced(request), **beside)
            if self._spec.provider in TELL and not has_ended(message):
                raise Fault("transient", "malformed reply: it says nothing of an end")
            return reply_of(message, unwrap=is_wrapped(beside))
        except Exception as error:
            # Not `from error`: the client's exception may hold the request with its headers.
            sent = {name: value for name, value in {**own, **beside}.items() if name != self._length and value is not None}
            raise _fault(error, self._spec, request, sent) from None

    async def close(self) -> None:
        """Close the connections."""
        for close in self._closing:
            await close()


def _fault(error: Exception, spec: ModelSpec, request: Request, sent: dict[str, Any]) -> Fault:
    """The fault behind an error; a mistake where the package would not even make a request of what it was given."""
    fault = refusal(error, spec, request, sent)
    if fault.kind != "transient" or not _in_preparation(error):
        return fault
    told = f"{type(error).__name__} before any request: {said(error)}"
    texts = [text_of(content) for _, content in request.messages]
    return Fault("mistake", told, parameter=refused_parameter(None, told, sent, texts))


def _in_preparation(error: Exception) -> bool:
    """Whether an error came while a request was put together, and not from what was read of a reply."""
    if isinstance(error, TypeError) and "unexpected keyword argument" in str(error):
        return True
    return isinstance(error, ValueError | TypeError) and any(
        frame.name in PREPARING for frame in extract_tb(error.__traceback__)
    )


def identity_of(spec: ModelSpec) -> dict[str, Any]:
    """What a spec says of who answers: nothing of the package that carries the requests, whose versions change."""
    place, address = place_of(spec.provider, spec.options), address_of(spec)
    told: dict[str, Any] = {"provider": spec.provider, "model": spec.name}
    if address != place.home:
        told["endpoint"] = address
    if elsewhere := {name: value for name in place.others if (value := os.environ.get(name))}:
        told["environment"] = elsewhere
    if spec.options:
        told["options"] = spec.options
    if spec.constrain == "json_schema":
        told["constrain"] = spec.constrain
    if spec.seed is not None:
        told["seed"] = spec.seed
    return told | spec.request_identity()
