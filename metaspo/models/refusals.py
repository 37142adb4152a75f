"""What an endpoint says of a request that it does not take as it stands: which parameter, or the system role."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..domain.calls import Request
from ..domain.messages import image_urls, text_of
from . import error_words
from .faults import Fault, classify
from .spec import ModelSpec

REFUSED = re.compile(
    r"unsupported|(not|n't|no longer) (be )?(support|permit|allow|accept|recogni[sz]|implement|available|valid|known|expected)|"
    r"extra_forbidden|extra (inputs|fields)|additional propert|unknown|unrecogni[sz]ed|unexpected|deprecated|incompatible|"
    r"invalid_(parameter|argument)|(invalid|illegal) (parameter|argument|field)|cannot be (set|used|specified)|"
    r"only (the )?default|only [\d.]+ is allowed|may only be set|cannot both be|"
    r"must be (left out|omitted|unset)|use '?max_(completion_)?tokens"
)
"""Words of a refusal, as against those of a value that is too large."""

NO_SYSTEM = re.compile(
    r"system (role|messages?|prompts?|instructions?)\b.{0,30}(not|n't|un)[ -]?(be )?(support|allow|enabl|permit)|"
    r"(not|n't) support.{0,30}\bsystem\b.{0,20}(role|message|prompt|instruction)|does not support 'system'|"
    r"developer instructions? (is|are) not enabled|roles must alternate|"
    r"(first|only) message.{0,30}must be.{0,30}user|unexpected role.{0,5}system|invalid role.{0,5}system"
)
"""Words of chat templates, and of endpoints, that know no system role."""

ABOUT_IMAGES = re.compile(r"^HTTP 413\b|\b(image|vision|multi-?modal)", re.IGNORECASE)
"""Words that refuse images."""

ALIASES = {"response_format": ("json_schema", "structured output")}
"""What else a parameter is called in plain words."""


def refusal(error: Exception, spec: ModelSpec, request: Request, options: Mapping[str, Any]) -> Fault:
    """The fault behind an error of an endpoint, which says what of a request was refused, of what was sent with `options`."""
    return told_of(classify(error), getattr(error, "body", None), spec, request, options)


def told_of(fault: Fault, body: Any, spec: ModelSpec, request: Request, options: Mapping[str, Any]) -> Fault:
    """A fault with what it tells of a request; `body` is that of the error, if there is one."""
    said = f"{fault.message} {error_words.words(body)}"
    role = spec.system_role or spec.family.system_role
    if role != "fold" and any(one == "system" for one, _ in request.messages) and refuses_system_role(said):
        told = f"{fault.message}; the model takes no system prompt under the role {role}: set system_role=fold"
        return Fault("mistake", told)
    if fault.kind == "refused":
        sent = {*options, *options.get("extra_body", ())} - {"extra_body"}
        fault.parameter = refused_parameter(body, said, sent, [text_of(content) for _, content in request.messages])
        fault.message += _about_images(fault.message, len(image_urls(request.messages)))
    return fault


def _about_images(said: str, images: int) -> str:
    """What to do where a request with images is refused because of them."""
    if not images or not ABOUT_IMAGES.search(said):
        return ""
    held = f"; the request holds {images} image{'s' * (images > 1)}"
    return f"{held}: {'make them smaller' if '413' in said else 'name a model that sees them, or make them as it wants them'}"


def refuses_system_role(said: str) -> bool:
    """Whether an error says that the model takes no system prompt under that role."""
    return bool(NO_SYSTEM.search(said.lower()))


def refused_parameter(body: Any, said: str, sent: Iterable[str], texts: Sequence[str]) -> str | None:
    """The parameter that an error refuses, of those that were sent; None where it is about something else.

    `body` is the error's body if there is one, as OpenAI, pydantic and others write it, `said` all its words. Words
    alone do not count for a parameter whose name stands in the request's own texts: an endpoint may repeat these.
    """
    names = sorted(sent, key=len, reverse=True)
    lower = f"{said} {error_words.words(body)}".lower()
    error = body.get("error", body) if isinstance(body, dict) else body
    told = [str(error.get(name) or "").lower() for name in ("param", "code", "type")] if isinstance(error, dict) else [""] * 3
    refused = bool(REFUSED.search(" ".join([*told[1:], lower])))
    places = [told[0], *_places(body), *re.findall(r"loc'?\"?: ?[(\[]([^)\]]*)[)\]]", lower)]
    for place in places:
        found = next((name for name in names if refused and re.search(rf"\b{re.escape(name)}\b", place)), None)
        if found:
            return found
    if not refused:
        return None
    for name in names:
        words = (name, *ALIASES.get(name, ()))
        if any(re.search(rf"\b{re.escape(word)}", lower) for word in words) and not any(name in text.lower() for text in texts):
            return name
    return None


def _places(body: Any) -> list[str]:
    """Where in a request pydantic found something wrong."""
    if isinstance(body, dict):
        own = [".".join(map(str, body["loc"])).lower()] if isinstance(body.get("loc"), list) else []
        return own + [place for value in body.values() for place in _places(value)]
    return [place for one in body for place in _places(one)] if isinstance(body, list) else []
