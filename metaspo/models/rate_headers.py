"""What an endpoint says of its limits in a reply's headers: how much is left, and when there is more."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FORMS = {
    **{f"x-ratelimit-{{}}-{kind}": kind for kind in ("requests", "tokens")},
    **{f"anthropic-ratelimit-{kind}-{{}}": kind for kind in ("requests", "tokens", "input-tokens", "output-tokens")},
    "x-ratelimit-{}": "requests",
    "ratelimit-{}": "requests",
}
"""How the headers are named, with limit, remaining or reset in the braces, and what is counted in them."""

UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)", re.ASCII)
NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)

EPOCH = 1e9
"""A number from which on a reset is a date, in seconds since 1970, or in milliseconds from a thousand times that."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a limit: `kind` is what is counted, `reset` the seconds until there is all of it, None if not told."""

    form: str
    kind: str
    remaining: float
    reset: float | None
    limit: float | None

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are counted, and not requests."""
        return self.kind.endswith("tokens")


def limits_told(headers: Mapping[str, str]) -> Iterator[Left]:
    """Every limit that headers tell of, as OpenAI, Azure, Groq, Anthropic and the IETF write them; no other can be read."""
    for form, kind in FORMS.items():
        remaining = _number(headers.get(form.format("remaining")))
        if remaining is not None:
            reset = _seconds(headers.get(form.format("reset")), headers.get("date"))
            yield from _left(form, kind, remaining, reset, _number(headers.get(form.format("limit"))))
    told = dict(re.findall(r"\b(r|t|remaining|reset|limit)=([0-9]{1,15})\b", headers.get("ratelimit") or ""))
    remaining = _number(told.get("r") or told.get("remaining"))
    if remaining is not None:
        reset = _seconds(told.get("t") or told.get("reset"), None)
        yield from _left("ratelimit", "requests", remaining, reset, _number(told.get("limit")))


def _left(form: str, kind: str, remaining: float, reset: float | None, limit: float | None) -> Iterator[Left]:
    # A limit of 0 is how some gateways write that there is none.
    if limit is None or limit > 0:
        yield Left(form, kind, remaining, reset, limit)


def _number(text: str | None) -> float | None:
    # The IETF's limit may say more behind the number: "10, 10;w=60".
    first = re.split(r"[,;]", text or "")[0].strip()
    return float(first) if NUMBER.fullmatch(first) else None


def _seconds(text: str | None, date: str | None) -> float | None:
    """How far off a reset is: "1s", "6m0s", "20ms", a number of seconds, seconds since 1970, or a date of RFC 3339."""
    said = (text or "").strip()
    if PART.sub("", said) == "" and said:
        return sum(float(number) * UNITS[unit] for number, unit in PART.findall(said))
    if NUMBER.fullmatch(said):
        number = float(said)
        number = number / 1000 if number >= EPOCH * 1000 else number
        return max(0.0, number - _its_clock(date)) if number >= EPOCH else number
    try:
        at = datetime.fromisoformat(said)
        return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - _its_clock(date))
    except (ValueError, OverflowError, OSError):
        return None


def _its_clock(date: str | None) -> float:
    """The time by the endpoint's own clock, which its dates are meant by; by ours if it tells none."""
    try:
        return parsedate_to_datetime(date or "").timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return time.time()
