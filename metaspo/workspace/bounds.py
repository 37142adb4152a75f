"""How much a client of a server may send, and ask for, at once: no single request keeps the server from all others."""

from collections.abc import Mapping
from typing import Any

from ..domain.errors import ConfigError

CHARACTERS = 20_000_000
"""The most text that an input may hold: every checkpoint of its run holds it as well."""

LONGEST = 400_000
"""The most characters of one text, such as a question with its document."""

PROMPT, SETTING = 50_000, 10_000
"""The most characters of a prompt, and of what says how rows are read."""

DEEP = 60
"""How deep it may be nested."""

SIZE, COUNT = 1_000_000, 1_000
"""The largest number of examples or characters that may be asked for, and of anything else that takes work."""

UNBOUNDED = ("seed", "budget", "start")
"""Keys whose numbers take no work, however large."""


def refuse_large(given: Any) -> None:
    """Raise ConfigError for an input that is too long or too deep, before anything else looks at it."""
    length, left = 0, [(given, 0)]
    while left:
        value, deep = left.pop()
        if deep > DEEP:
            raise ConfigError(f"the input is nested deeper than {DEEP} levels; write flat rows")
        if isinstance(value, Mapping):
            left += [(one, deep + 1) for one in value.values()]
            length += sum(len(str(name)) for name in value)
        elif isinstance(value, list | tuple):
            left += [(one, deep + 1) for one in value]
            length += len(value)
        else:
            length += len(value) if isinstance(value, str) else 1
            if isinstance(value, str) and len(value) > LONGEST:
                raise ConfigError(f"a text of the input is longer than {LONGEST:,} characters; shorten it: {value[:40]!r}...")
        if length > CHARACTERS:
            raise ConfigError(
                f"the input is longer than {CHARACTERS:,} characters; send fewer examples, or have who runs the server put the "
                "task among its own"
            )


def refuse_long(value: Any, where: str, most: int) -> None:
    """Raise ConfigError where a value holds a text that is longer than what belongs there."""
    inner = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else []
    for one in inner:
        refuse_long(one, where, most)
    if isinstance(value, str) and len(value) > most:
        raise ConfigError(
            f"{where}: is longer than {most:,} characters, the most that this server takes from clients; shorten it"
        )


def in_bounds(value: Any, where: str) -> Any:
    """A number that a server can work with; raises ConfigError for one that it cannot."""
    key = where.rpartition(".")[2]
    most = SIZE if key.endswith(("_size", "_length")) or key in ("aside", "max_tokens") else COUNT
    if isinstance(value, int) and where.partition(".")[0] not in UNBOUNDED and value > most:
        raise ConfigError(f"{where}: {value:,} is more than this server takes from clients; write {most:,} or less")
    return value
