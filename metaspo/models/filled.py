"""Texts of a spec that the environment fills, such as headers: what may stand in them, and what they come to."""

import os
import re
from datetime import date
from typing import Any

from ..domain.errors import ModelError
from ..domain.redaction import SECRET, hold, without_keys

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""Where the value of an environment variable goes."""

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""What the name of an environment variable looks like where it stands alone."""

HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What the name of a header is made of; the parameters of a query need no more."""

SECRET_WORDS = {
    "key", "apikey", "token", "secret", "password", "passwd", "auth", "authorization", "cookie", "credential", "credentials",
    "signature", "sig",
}  # fmt: skip
"""Words in the names of headers and parameters that hold keys."""

IN_A_BODY = re.compile(r"api[_-]?key|access[_-]?token|auth[_-]?token|secret|passwo?r?d|authorization", re.IGNORECASE)
"""The same in a body, where tokens and keys are mostly something else."""


def is_secret_name(name: str) -> bool:
    """Whether a header or a parameter of this name holds a key."""
    return bool(SECRET_WORDS & set(re.split(r"[-_.]", name.lower())))


def text_of(value: Any) -> Any:
    """A mapping whose values YAML has read, as text again; raises ValueError where that cannot be told."""
    if not isinstance(value, dict):
        raise ValueError("names with texts, such as X-Team: research")
    told = {}
    for name, text in value.items():
        if isinstance(text, float):
            raise ValueError(f"{without_keys(str(name))[:60]} is a number to YAML, which may lose digits; put it in quotes")
        if isinstance(text, bool):
            text = str(text).lower()
        told[str(name)] = text.isoformat() if isinstance(text, date) else str(text) if isinstance(text, int) else text
    return told


def checked_texts(given: dict[str, str]) -> dict[str, str]:
    """Headers or a query in which no key stands as it is; raises ValueError. Variables that it names are kept secret."""
    for name, text in given.items():
        if not HEADER.fullmatch(name) or without_keys(name) != name:
            raise ValueError("a name is letters, digits, - and _ only, and no key")
        if not _can_be_sent(text):
            raise ValueError(f"{name} is empty, or holds a line break or a character that no header can hold")
        if "${" in VARIABLE.sub("", text):
            raise ValueError(f"{name} holds ${{ without a variable's name: write ${{NAME}}")
        if _holds_key(name, text):
            raise ValueError(
                f"{name} holds a key, which stands in no spec: put it in an environment variable and write ${{NAME_OF_IT}}"
            )
        for variable in variables(text):
            hold(variable)
    return given


def _can_be_sent(text: str) -> bool:
    return bool(text.strip()) and text.isascii() and text.isprintable()


def _holds_key(name: str, text: str) -> bool:
    if not is_secret_name(name):
        around = VARIABLE.sub("", text)
        return without_keys(around) != around or bool(SECRET.search(around))
    # A scheme, such as Bearer, may stand before it. An access key may look like a variable's name, but has no "_".
    named = NAME.fullmatch(text) and ("_" in text or text in os.environ)
    return not named and not re.fullmatch(rf"([A-Za-z-]+ )?{VARIABLE.pattern}", text)


def checked_body(given: dict[str, Any], whole: str) -> dict[str, Any]:
    """An extra body, also given as JSON, in which no key stands; raises ValueError."""
    if without_keys(whole) != whole or _literal_in(given):
        raise ValueError("holds a key, which stands in no spec: send it in a header, as ${NAME} from the environment")
    return given


def _literal_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any((isinstance(one, str) and IN_A_BODY.search(str(name))) or _literal_in(one) for name, one in value.items())
    return isinstance(value, list) and any(map(_literal_in, value))


def variables(text: str) -> list[str]:
    """The environment variables that a text names, in braces or as the whole of it."""
    return VARIABLE.findall(text) or ([text] if NAME.fullmatch(text) else [])


def filled(given: dict[str, str], label: str) -> dict[str, str]:
    """Headers or a query with the values of today's environment; raises ModelError where one is missing."""
    return {name: _filled(name, text, label) for name, text in given.items()}


def _filled(name: str, text: str, label: str) -> str:
    if not VARIABLE.search(text) and not (NAME.fullmatch(text) and (text in os.environ or is_secret_name(name))):
        return text

    def value(found: re.Match[str]) -> str:
        variable = found[found.lastindex or 0]
        there = os.environ.get(variable, "").strip()
        if not _can_be_sent(there):
            wrong = "holds what no header can" if there else "is not set"
            raise ModelError(f"{label}: {name} comes from the environment variable {variable}, which {wrong}")
        return there

    return (VARIABLE if VARIABLE.search(text) else NAME).sub(value, text)
