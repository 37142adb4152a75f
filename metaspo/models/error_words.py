"""What an endpoint says of an error, whatever the shape of its body, and what the words hint at. Pure functions.

The hints only choose names and save requests: whether one example or all of them are refused, the ledger finds out
from what becomes of other requests.
"""

import html
import json
import re
from typing import Any

from ..domain.chains import line_of

WORDS = ("message", "msg", "error", "errors", "detail", "details", "error_message", "error_description", "title", "reason")
"""Where bodies keep their words, the most telling first."""

FILTERED = (
    "content_filter", "content management policy", "content_policy_violation", "data_inspection_failed",
    "responsibleaipolicyviolation",
)  # fmt: skip
TOO_LONG = (
    "context_length",
    "context length",
    "maximum context",
    "context size",
    "too long",
    "exceed_context",
    "maximum number of tokens allowed",
)
ABOUT_A_REQUEST = re.compile(
    r"too (large|long|many)|tokens?\b|context|length|flagged|moderat|content|policy|policies|safety|inspect|sensitive|"
    r"inappropriate|harm|risk|exceed|prohibited|blocked|this (request|prompt|input|message)"
)
NO_MONEY = re.compile(
    r"insufficient[_ ](quota|balance|credit|fund)|balance|billing details|payment|arrear|overdue|out of credit|no credit|"
    r"suspended|deactivated"
)
FOR_ALL = re.compile(
    r"insufficient[_ ]?(quota|balance|credit|fund|permission)|balance|billing|payment|arrear|suspended|deactivated|"
    r"api[-_ ]?key|unauthori[sz]|authenti|credential|permission|access denied|forbidden|subscription|"
    r"model\b.{0,60}(not (exist|found|valid|available|supported)|does ?n.t exist|unknown)|(invalid|unknown|not a valid) model|"
    r"no such model|model_not_found|unsupported|unknown (parameter|field|argument)|unrecogni[sz]ed|extra_forbidden|temperature"
)
PASSING = re.compile(r"rate.?limit|overload|too many requests|time.?out|timed out|unavailable|capacity|server_error|try again")
LIMITS = re.compile(r"limit:?\s*([\d,]+).{0,40}?requested:?\s*([\d,]+)")


def said(error: BaseException) -> str:
    """What an error says, on one line, shortened, without what looks like a secret."""
    text, told = _own_words(error)
    if not told and error.__cause__ is not None and str(error.__cause__):
        # "Connection error." alone says less than what it was raised from.
        text = f"{text} ({error.__cause__})"
    return shown(text)


def said_alone(error: BaseException) -> str:
    """The same without what it was raised from."""
    return shown(_own_words(error)[0])


def _own_words(error: BaseException) -> tuple[str, bool]:
    """What an error says, and whether that is what an endpoint told in a body."""
    # The clients of OpenAI and Anthropic, of Google and of Ollama.
    body = next(
        (told for name in ("body", "details", "error") if isinstance(told := getattr(error, name, None), dict | list | str)),
        None,
    )
    found = words(body) if body is not None else ""
    return found or words(str(error)) or type(error).__name__, bool(found)


def shown(text: str) -> str:
    """A text as it stands in a message."""
    return line_of(text)


def words(body: Any) -> str:
    """The words in an error's body: text, HTML, or JSON of whatever shape."""
    if isinstance(body, str):
        return _plain(body)
    if isinstance(body, list | tuple):
        return "; ".join(filter(None, (words(part) for part in body[:3])))
    if isinstance(body, dict):
        found = next((text for key in WORDS if key in body and (text := words(body[key]))), "")
        if found and isinstance(body.get("loc"), list):
            found = f"{'.'.join(map(str, body['loc']))}: {found}"
        # A router's own "provider returned error" says less than the provider did.
        metadata = body.get("metadata")
        raw = words(metadata.get("raw")) if isinstance(metadata, dict) else ""
        rest = json.dumps(body, ensure_ascii=False, default=str) if body and not found else ""
        return " ".join(filter(None, (found, raw, rest)))
    return "" if body is None or isinstance(body, bool) else str(body)


def _plain(text: str) -> str:
    """Text without the tags and scripts of an HTML page; JSON inside of text is read as JSON."""
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            return words(json.loads(stripped))
        except (ValueError, RecursionError):
            return stripped
    if not re.search(r"<(!doctype|html|head|body|title|h1|p|center)\b", stripped, re.IGNORECASE):
        return stripped
    bare = re.sub(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->", " ", stripped, flags=re.IGNORECASE | re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def filtered(text: str) -> bool:
    """Whether an error is a content filter's."""
    return any(mark in text for mark in FILTERED)


def too_long(text: str) -> bool:
    """Whether an error says that a request does not fit the model's context."""
    return any(mark in text for mark in TOO_LONG)


def never_fits(text: str) -> bool:
    """Whether a rate limit can never let this one request through: it asks for more than there is in a minute."""
    if re.search(r"too large|too long|must be reduced|reduce your", text):
        return True
    found = LIMITS.search(text)
    return found is not None and int(found[2].replace(",", "") or 0) > int(found[1].replace(",", "") or 0)


def no_money(text: str) -> bool:
    """Whether a rate limit is an account without money, which no waiting mends."""
    return bool(NO_MONEY.search(text)) and not re.search(r"(retry|try again) (in|after)", text)


def for_all(text: str) -> bool:
    """Whether an error looks like one of a key, a model, an account or a setting."""
    return bool(FOR_ALL.search(text)) and not about_a_request(text)


def about_a_request(text: str) -> bool:
    """Whether an error speaks of what was sent."""
    return bool(ABOUT_A_REQUEST.search(text))


def passing(text: str) -> bool:
    """Whether an error speaks of something that passes."""
    return bool(PASSING.search(text)) and not too_long(text)
