"""The string form of a spec, provider:name,key=value,..., as it is written and read."""

import re
from collections.abc import Sequence
from typing import Any

import yaml

from ..domain.errors import ModelError
from ..domain.redaction import redact
from .provider_names import OURS

FORM = (
    f"provider:name or provider:name,key=value,... with provider one of {', '.join(OURS)}, "
    "or one of LangChain's, such as anthropic, google_genai or ollama"
)
TEXTS = ("base_url", "api_key_env", "flags", "python", "version", "headers", "query")
"""Settings whose values are text as they stand, never YAML."""

LONGEST = 1000
"""The most characters of a setting that is read as YAML."""

FILLED = re.compile(r"\b((?:headers|query|extra_body)\.[^=,]*=)(?!\$\{)[^,]*")
"""Settings in whose values somebody may have written a key."""


SETTING = re.compile(r"\s*[\w.-]+=")
"""How a setting of a spec begins; no spec begins so."""


def parsed(text: str) -> dict[str, Any]:
    """The fields that a text names; a dotted key such as headers.X-Team names one of a mapping's. Raises ModelError."""
    provider, colon, rest = text.partition(":")
    if not colon or not provider:
        raise ModelError(f"model {shown(text)}: the form is {FORM}")
    name, *settings = rest.split(",")
    fields: dict[str, Any] = {"provider": provider, "name": name.strip()}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ModelError(f"model {shown(text)}: {shown(setting)} is not key=value")
        _put(fields, key.strip().split("."), _value(key.strip(), value.strip(), text), text)
    return fields


def _put(fields: dict[str, Any], path: list[str], value: Any, text: str) -> None:
    *outer, last = path
    for name in outer:
        fields = fields.setdefault(name, {})
        if not isinstance(fields, dict):
            break
    if not isinstance(fields, dict) or last in fields:
        raise ModelError(f"model {shown(text)}: the setting '{key_shown('.'.join(path))}' stands here twice")
    fields[last] = value


def _value(key: str, value: str, text: str) -> Any:
    """What a setting's text says: text, or a YAML scalar."""
    if not value:
        raise ModelError(f"model {shown(text)}: '{key_shown(key)}' has no value; write {key_shown(key)}=..., or leave it out")
    if key.partition(".")[0] in TEXTS:
        return value
    try:
        if len(value) > LONGEST:  # A number of that many digits takes for ever, and no setting is one.
            raise ValueError
        return yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ModelError(
            f"model {shown(text)}: {key_shown(key)}={shown(value)} cannot be read; write a number or a word"
        ) from None


def written(fields: dict[str, Any]) -> list[str]:
    """Settings as `parsed` reads them, key=value, those of a mapping with dotted keys."""
    told = []
    for key, value in fields.items():
        if isinstance(value, dict):
            told += [f"{key}.{rest}" for rest in written(value)]
        else:
            told.append(f"{key}={value}")
    return told


def shown(text: str) -> str:
    """What somebody wrote, as an error repeats it: without keys, and no longer than a line."""
    said = redact(FILLED.sub(r"\1***", text))
    return repr(said if len(said) <= 200 else f"{said[:200]}...")


def key_shown(key: str) -> str:
    """The name of a setting, as an error repeats it."""
    return redact(key)[:60]


def whole(specs: Sequence[Any]) -> list[Any]:
    """The specs of a list that YAML has cut at their commas: [server:llama,temperature=0] is one model."""
    whole: list[Any] = []
    for one in specs:
        if isinstance(one, str) and whole and isinstance(whole[-1], str) and SETTING.match(one):
            whole[-1] += f",{one}"
        else:
            whole.append(one)
    return whole
