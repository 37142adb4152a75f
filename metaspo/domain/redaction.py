"""Keys and passwords, taken out of whatever is kept or shown: the one place that knows them."""

import base64
import html
import json
import os
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus

from ..compat import bare_environment

SHORTEST = 6
"""Characters of the shortest key, and of a key's begin or end that tell of it."""

INNER = 8
"""Characters in a row, from anywhere in a key, that tell of it."""

LONG = 12
"""Characters from which on a key is recognized by its parts, and in a model's own words."""

TOKEN = re.compile(r"\b(?:sk|pk|rk|gsk|xai|hf|ghp|gho|github_pat|glpat|AIza)[-_]?(?=[\w-]*\d)[\w-]{16,}")
"""Keys of the usual providers, by how they begin."""

SECRET = re.compile(
    r"(?P<before>://)[^@\s'\"]*(?P<after>@)"
    r"|(?P<name>\b(?:sk|pk)-|\b(?:bearer|basic)\s+(?=[\w.~+/=-]*[\d=])|--[\w-]*(?:key|token)[\s=]+"
    r"|\b(?:[\w-]*(?:api[_-]?key|access[_-]?token|auth[_-]?token|secret|passwo?r?d)|key|token)[\"']?\s?[=:]\s?(?:bearer\s)?[\"']?)"
    r"[^\s,;&'\"#]*[\w/+=-]",
    re.IGNORECASE,
)
"""What looks like a key in words of others."""

NAMED = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD)$", re.IGNORECASE)
"""Environment variables that hold one, by the end of their names."""

BEHIND = re.compile(r"(://[^\s,;'\"?#]*[?#])[^\s,;'\"]+")
"""What stands behind an address: a query or a fragment."""

_held: set[str] = set()


def hold(variable: str) -> None:
    """Keep the value of this environment variable, whatever it is called, out of everything from now on."""
    _held.add(variable)


def redact(text: str) -> str:
    """Words of others (an endpoint, a library) without keys, parts of keys, and what looks like either.

    To be called before a text is cut: half a key is harder to tell.
    """
    known = BEHIND.sub(r"\1***", without_keys(text))
    return SECRET.sub(lambda m: f"{m['before'] or m['name']}***{m['after'] or ''}", known)


def without_keys(text: str) -> str:
    """Our own words without the keys of this process, their parts, and tokens that can be nothing else."""
    for value, parted in _known():
        for form in _forms(value):
            text = text.replace(form, "***")
            if parted:
                text = _without_parts(text, form)
    return TOKEN.sub("***", text)


def reply_without_keys(text: str) -> str:
    """A model's words without the whole keys that were sent to its endpoint; all else stays as the model wrote it."""
    for value, parted in _known():
        if parted:
            for form in _forms(value):
                text = text.replace(form, "***")
    return text


def holds_key(text: str) -> bool:
    """Whether a whole key of this process stands in a text: quick, to ask often."""
    return any(form in text for value, _ in _known() for form in _forms(value))


def _known() -> tuple[tuple[str, bool], ...]:
    """The keys in the environment, the longest first, and whether parts of them are to be looked for too."""
    return _keys(tuple(bare_environment().items()), frozenset(_held))


# Asked for every reply, while the environment hardly ever changes.
@lru_cache(maxsize=1)
def _keys(environment: tuple[tuple[bytes | str, bytes | str], ...], held: frozenset[str]) -> tuple[tuple[str, bool], ...]:
    found: dict[str, bool] = {}
    for name, value in ((os.fsdecode(name), os.fsdecode(value)) for name, value in environment):
        sent = name in held or name.upper().endswith("API_KEY")
        if (sent or NAMED.search(name)) and _could_be_key(value):
            found[value] = found.get(value, False) or (sent and len(value) >= LONG)
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))


def _could_be_key(value: str) -> bool:
    # Local servers are given words for keys, such as "none" or "ollama"; other variables hold paths.
    long = len(value) >= LONG or (len(value) >= SHORTEST and any(char.isdigit() for char in value))
    return long and not value.startswith("/") and not re.search(r"\s", value)


@lru_cache(maxsize=256)
def _forms(value: str) -> tuple[str, ...]:
    """The value as it stands, and as URLs, JSON, HTML and base64 write it."""
    raw = value.encode("utf-8", "surrogateescape")
    forms = {value, quote(raw, safe=""), quote_plus(raw), quote(raw), json.dumps(value)[1:-1], html.escape(value), raw.hex()}
    if len(raw) >= INNER:
        for shift in range(3):
            # What stands before it in a base64 text (as in "user:key") moves it; the first and last signs are shared.
            coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
            coded = coded[(0, 2, 3)[shift] :][: len(raw) * 4 // 3 - 2]
            forms |= {coded, coded.replace("+", "-").replace("/", "_")}
    return tuple(sorted(forms, key=lambda form: -len(form)))


def _without_parts(text: str, key: str) -> str:
    ends = [part for size in range(SHORTEST, INNER) for part in (key[:size], key[-size:]) if not part.isalpha()]
    windows = {key[start : start + INNER] for start in range(len(key) - INNER + 1)}
    spans = sorted(
        (found.start(), found.start() + len(part))
        for part in {*ends, *windows}
        if part in text
        for found in re.finditer(f"(?={re.escape(part)})", text)
    )
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        if start > done or not pieces:
            pieces += [text[done:start], "***"]
        done = max(done, end)
    return "".join(pieces) + text[done:]
