"""A request that got no reply: is it worth trying again?"""

import asyncio
import email.utils
import time
from dataclasses import dataclass
from typing import Any

from .spec import redact

WORTH_RETRYING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
OVERLOADED = {408, 429, 503, 504, 524, 529}


@dataclass
class Fault(Exception):
    """Why a request got no reply.

    `kind` is "transient" (try again), "refused" (stop: the key, the name or the parameters are wrong),
    "gone" (stop: what we started has ended; starting again may help), "content_filter" or
    "context_length" (an outcome of this one example). `retry_after` is in seconds.
    `overload` says that the endpoint may have been asked too much at once.
    """

    kind: str
    message: str
    retry_after: float | None = None
    overload: bool = False

    def __str__(self) -> str:
        """The message."""
        return self.message


def classify(error: Exception) -> Fault:
    """The fault behind whatever a client library raised.

    HTTP status, error code and headers are read where the exception carries them, as those of the
    OpenAI client do. A reply that is not what the protocol says (HTML, JSON cut off) is transient.
    """
    return endpoint_fault(error) or Fault("transient", f"malformed reply: {said(error)}")


def endpoint_fault(error: Exception) -> Fault | None:
    """The fault of an endpoint or of the way there; None for an error that tells of neither."""
    if isinstance(error, Fault):
        return error
    status, words = _status(error), said(error)
    if status is not None:
        code = str(getattr(error, "code", None) or "")
        lower = f"{code} {words}".lower()
        if "content_filter" in lower or "content management policy" in lower:
            return Fault("content_filter", words)
        if status in (400, 413, 422) and _too_long(lower):
            return Fault("context_length", words)
        if status == 429 and "insufficient_quota" in lower:
            return Fault("refused", f"the account's quota is used up: {words}")
        if status in WORTH_RETRYING or status >= 500:
            return Fault("transient", f"HTTP {status}: {words}", _retry_after(error), overload=status in OVERLOADED)
        return Fault("refused", f"HTTP {status}: {words}")
    if isinstance(error, asyncio.TimeoutError) or "timeout" in type(error).__name__.lower():
        return Fault("transient", f"no reply in time: {words}", overload=True)
    if "connect" in type(error).__name__.lower() or (isinstance(error, OSError) and error.filename is None):
        return Fault("transient", f"connection failed: {words}")
    return None


def _status(error: Exception) -> int | None:
    for status in (getattr(error, "status_code", None), getattr(getattr(error, "response", None), "status_code", None)):
        if isinstance(status, int) and status >= 400:
            return status
    return None


def _too_long(text: str) -> bool:
    marks = ("context_length", "context length", "maximum context", "context size", "too long", "exceed_context")
    return any(mark in text for mark in marks)


def said(error: Exception) -> str:
    """What an error says, on one line, shortened, without what looks like a secret."""
    body = getattr(error, "body", None)
    message = body.get("message") if isinstance(body, dict) else None
    text = str(message or error) or type(error).__name__
    if message is None and error.__cause__ is not None and str(error.__cause__):
        # "Connection error." alone says less than what it was raised from.
        text = f"{text} ({error.__cause__})"
    return redact(" ".join(text.split()))[:300]


def _retry_after(error: Exception) -> float | None:
    response: Any = getattr(error, "response", None)
    value = getattr(response, "headers", {}).get("retry-after") if response is not None else None
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        date = email.utils.parsedate_to_datetime(value) if value else None
        return max(0.0, date.timestamp() - time.time()) if date else None
