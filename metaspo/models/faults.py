"""A request that got no reply: is it worth trying again?"""

import asyncio
import errno
import math
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import takewhile
from pathlib import Path
from traceback import extract_tb
from typing import Any

import aiohttp

from ..domain.chains import chain, named_error
from . import error_words
from .error_words import said, said_alone

WORTH_RETRYING = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
BUSY = {429, 503, 529}
"""The endpoint's own words for too much at once."""
OVERLOADED = BUSY | {408, 504, 524}
FOR_ALL = {401, 402, 404, 405, 407}
"""Refusals of a key, an account or an address, seldom of one question."""

NETWORK = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.EPIPE: "connection closed",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EADDRNOTAVAIL: "no free local port",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files",
}
NO_MORE_FILES = {errno.EMFILE, errno.ENFILE}
UNSENT = set(NETWORK) - {errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE}

TIMEOUTS = {"APITimeoutError", "ReadTimeout", "ConnectTimeout", "WriteTimeout", "PoolTimeout", "Timeout", "TimeoutException"}
UNREACHED = {"ConnectError", "ConnectTimeout", "ProxyError", "EndpointConnectionError"}
CUT = {"APIConnectionError", "ConnectionError", "ReadError", "WriteError", "RemoteProtocolError", "ConnectionClosedError"}
"""What the client libraries under LangChain's packages call the same things."""

FILTERED = "content filter being triggered"
"""What LangChain raises for a reply of Azure's that its filter ended; there is no status with it."""


@dataclass
class Fault(Exception):
    """Why a request got no reply.

    `kind` is "transient" (try again), "refused" (by the endpoint: whether this one request or all of them,
    the ledger finds out), "mistake" (in a user's own model: stop), "gone" (stop: what we started has ended; starting
    again may help), "content_filter" or "context_length" (an outcome of this one example).
    `retry_after` is in seconds. `overload` says that the endpoint may have been asked too much at once,
    `busy` that it said so itself; `for_all` that what was refused looks like a key, a model's name or an account,
    `unsent` that the request never got there. `parameter` is the one that was refused, where that was said,
    `held_back` for how many seconds it had to wait before it was sent.
    """

    kind: str
    message: str
    retry_after: float | None = None
    overload: bool = False
    busy: bool = False
    for_all: bool = False
    unsent: bool = False
    parameter: str | None = None
    held_back: float = 0.0

    def __str__(self) -> str:
        """The message."""
        return self.message


def classify(error: Exception) -> Fault:
    """The fault behind whatever a client library raised.

    HTTP status, error code and headers are read where the exception carries them, as those of the
    OpenAI client do. A reply that is not what the protocol says (HTML, JSON cut off) is transient.
    """
    return _fault_behind(error) or Fault("transient", f"malformed reply: {said(error)}")


def fault_of_program(error: Exception) -> Fault:
    """The fault of an endpoint that a user's own model or program calls, or else a mistake in it, with its place."""
    if fault := _fault_behind(error):
        return fault if isinstance(error, Fault) else replace(fault, message=_led_to(error, fault.message))
    for behind in _causes(error):
        if isinstance(behind, RuntimeError) and "event loop is closed" in str(behind).lower():
            # A client that outlives the event loop of an earlier run finds its idle connections dead, and drops them.
            return Fault("transient", f"connection failed: {said(behind)}")
    return Fault("mistake", f"failed with {chain(error, said_alone)}{_place(error)}")


def _led_to(error: Exception, message: str) -> str:
    """What an endpoint's fault says, behind the errors of a program's own that it led to."""
    around = list(takewhile(lambda one: not _tells(one), _causes(error)))
    return ", because ".join([*(named_error(one, said_alone) for one in around), message])


def _tells(error: Exception) -> bool:
    """Whether an error tells of an endpoint itself, and not only through what it was raised from."""
    return bool(_told_fault(error) or _named(error) or _connection(error))


def _fault_behind(error: Exception) -> Fault | None:
    """The fault that an error or what it was raised from tells of: libraries wrap what their clients raise."""
    return next((fault for one in _causes(error) if (fault := endpoint_fault(one))), None)


def endpoint_fault(error: Exception) -> Fault | None:
    """The fault of an endpoint or of the way there; None for an error that tells of neither."""
    return _told_fault(error) or _fault_of_the_way(error)


def _told_fault(error: Exception) -> Fault | None:
    """The fault that an endpoint's own words in an error tell of."""
    if isinstance(error, Fault):
        return error
    status = _status(error)
    if any(kind.__name__ == "ContextOverflowError" for kind in type(error).__mro__):
        return Fault("context_length", said(error))
    if isinstance(error, ValueError) and FILTERED in str(error):
        return Fault("content_filter", said(error))
    if status is None and getattr(error, "status_code", None) == -1:
        # Ollama's client has no status for an error in the midst of a reply.
        return fault_of_payload(getattr(error, "error", None) or str(error))
    if status is not None:
        code = str(getattr(error, "code", None) or "")
        return fault_of_status(status, said(error), code, _retry_after(error))
    return None


def fault_of_status(status: int, words: str, code: str = "", retry_after: float | None = None) -> Fault:
    """What an HTTP status with an endpoint's own words means."""
    lower = f"{code} {words}".lower()
    said = f"HTTP {status}: {words}"
    if status < 500 and status != 401:
        if error_words.filtered(lower):
            return Fault("content_filter", words)
        if status in (400, 413, 422) and error_words.too_long(lower):
            return Fault("context_length", words)
    if status == 429 and error_words.never_fits(lower):
        return Fault("refused", said)
    if status == 429 and (code == "insufficient_quota" or (retry_after is None and error_words.no_money(lower))):
        return Fault("refused", f"the account's quota is used up: {words}", for_all=True)
    if status in WORTH_RETRYING or status >= 500:
        return Fault("transient", said, retry_after, overload=status in OVERLOADED, busy=status in BUSY)
    for_all = status in FOR_ALL or (status == 403 and not error_words.about_a_request(lower)) or error_words.for_all(lower)
    return Fault("refused", said, for_all=for_all)


def fault_of_payload(error: Any) -> Fault:
    """What an error in the place of a reply means, though its HTTP status is 200."""
    words = error_words.shown(error_words.words(error))
    codes = [error.get(key) for key in ("code", "status", "status_code", "type")] if isinstance(error, dict) else []
    for code in map(str, codes):
        if code.isascii() and code.isdecimal() and len(code) == 3 and 400 <= int(code) < 600:
            return fault_of_status(int(code), words)
    lower = " ".join([*map(str, codes), words]).lower()
    if error_words.passing(lower):
        return Fault("transient", f"error instead of a reply: {words}", overload=True, busy=True)
    if error_words.filtered(lower):
        return Fault("content_filter", words)
    if error_words.for_all(lower) or error_words.about_a_request(lower):
        return Fault("refused", f"error instead of a reply: {words}", for_all=error_words.for_all(lower))
    return Fault("transient", f"error instead of a reply: {words}")


def _causes(error: BaseException) -> Iterator[Exception]:
    behind: BaseException | None = error
    seen: set[int] = set()
    while isinstance(behind, Exception) and id(behind) not in seen:
        seen.add(id(behind))
        yield behind
        behind = behind.__cause__


def _fault_of_the_way(error: Exception) -> Fault | None:
    """The fault of a connection. What a client raises may call a reset a timeout: the innermost cause is right."""
    causes = [*_causes(error)]
    found = [fault for cause in causes if (fault := _named(cause))] + [
        fault for cause in reversed(causes) if (fault := _connection(cause))
    ]
    return found[0] if found else None


def _named(error: Exception) -> Fault | None:
    """The faults that an outer error tells more of than what is behind it."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError) or name == "ProxyError":
        return Fault("transient", f"the proxy does not let us through: {said(error)}", unsent=True)
    if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
        return Fault("refused", f"the certificate is not trusted: {said(error)}", for_all=True)
    if isinstance(error, socket.gaierror | aiohttp.ClientConnectorDNSError):
        return Fault("transient", f"unknown host: {said(error)}", unsent=True)
    return None


def _connection(error: Exception) -> Fault | None:
    number, name = getattr(error, "errno", None), type(error).__name__
    ours = isinstance(error, OSError) and error.filename is None
    if isinstance(error, asyncio.TimeoutError) or name in TIMEOUTS or number == errno.ETIMEDOUT:
        return Fault("transient", f"no reply in time: {said(error)}", overload=True, unsent=name in UNREACHED)
    if ours and number in NETWORK:
        return Fault(
            "transient", f"{NETWORK[number]}: {said(error)}", overload=number in NO_MORE_FILES, unsent=number in UNSENT
        )
    if isinstance(error, ConnectionError | aiohttp.ClientConnectionError | aiohttp.ClientPayloadError) or name in CUT:
        return Fault("transient", f"connection closed without a reply: {said(error)}")
    if name in UNREACHED or (isinstance(error, ssl.SSLError) and ours):
        return Fault("transient", f"connection failed: {said(error)}", unsent=True)
    return None


def _status(error: Exception) -> int | None:
    """The HTTP status in an exception, where the libraries that we know of put it."""
    response = getattr(error, "response", None)
    places = [
        getattr(one, name, None) for one in (error, response) for name in ("status_code", "status", "http_status", "code")
    ]
    if isinstance(response, dict):
        places.append((response.get("ResponseMetadata") or {}).get("HTTPStatusCode"))
    return next((int(found) for found in places if isinstance(found, int) and 400 <= found < 600), None)


def _place(error: Exception) -> str:
    frames = extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "/metaspo/models/" not in frame.filename]
    at = (own or [*frames])[-1:]
    return "".join(f", at {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in at)


def _retry_after(error: Exception) -> float | None:
    """The seconds that an endpoint asked to wait, None where it did not or said it in a way that nobody can read."""
    if (delay := _retry_delay(getattr(error, "details", None))) is not None:
        return delay
    headers = getattr(getattr(error, "response", None), "headers", None)
    try:
        value = str(headers.get("retry-after") or "").strip() if headers is not None else ""
    except AttributeError:
        return None
    for read in (float, _seconds_until_iso, _seconds_until):
        try:
            seconds = read(value)
        except (ValueError, TypeError, OverflowError, OSError, IndexError):
            continue
        return None if math.isnan(seconds) else max(0.0, seconds)
    return None


def _retry_delay(details: Any) -> float | None:
    """The delay in the body of an error of Google's, "34s" or "0.5s"."""
    if isinstance(details, dict):
        error = details.get("error")
        parts = error.get("details") if isinstance(error, dict) else None
        told = [part.get("retryDelay") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
        found = next((re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)s", one) for one in told if isinstance(one, str)), None)
        return float(found[1]) if found else None
    return None


def _seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


def _seconds_until_iso(date: str) -> float:
    return datetime.fromisoformat(date).timestamp() - time.time()
