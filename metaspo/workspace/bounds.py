"""How much a client of a server may send, and ask for, at once: no single request keeps the server from all others."""

from collections.abc import Mapping
from typing import Any

from ..domain.errors import ConfigError

CHARACTERS = 20_000_000
"""The most text that an input may hold: it stands a few times in the store of its run."""

LONGEST = 400_000
"""The most characters of one text, such as a question with its document."""

PROMPT, SETTING = 50_000, 10_000
"""The most characters of a prompt, and of what says how rows are read."""

WRITTEN_OUT = 10 * CHARACTERS
"""The most characters that a task's questions may have together, once a template has put them together from its rows."""

PATTERNS = 5.0
"""Seconds that the patterns of a task may take on all of its rows."""

DEEP = 60
"""How deep it may be nested."""

SIZE, COUNT = 1_000_000, 1_000
"""The largest number of examples or characters that may be asked for, and of anything else that takes work."""

ROWS = (("tasks", "examples"), ("targets", "examples"))
"""Where a list or an object may hold more things than a count: the rows of a task."""

WIDE, CALLS = 2_000, 200_000
"""The most evaluations of a superstep, and calls of all of them. The paper's sizes on 42 tasks come to 1,134 and 56,700."""

UNBOUNDED = ("seed", "budget", "start")
"""Keys whose numbers take no work, however large."""


def refuse_large(given: Any) -> None:
    """Raise ConfigError for an input that is too long or too deep, before anything else looks at it."""
    length = 0
    left: list[tuple[Any, tuple[str, ...]]] = [(given, ())]
    while left:
        value, path = left.pop()
        if len(path) > DEEP:
            raise ConfigError(f"the input is nested deeper than {DEEP} levels; write flat rows")
        if isinstance(value, Mapping):
            left += [(one, (*path, str(name))) for name, one in value.items()]
            length += sum(len(str(name)) for name in value)
        elif isinstance(value, list | tuple):
            left += [(one, (*path, "*")) for one in value]
            length += len(value)
        if isinstance(value, Mapping | list | tuple):
            if len(value) > COUNT and (*path[:1], *path[2:3]) not in ROWS:
                raise ConfigError(f"{'.'.join(path)}: holds {len(value):,} things, more than {COUNT:,}; leave some out")
        else:
            length += len(value) if isinstance(value, str) else 1
            if isinstance(value, str) and len(value) > LONGEST:
                raise ConfigError(f"a text of the input is longer than {LONGEST:,} characters; shorten it: {value[:40]!r}...")
        if length > CHARACTERS:
            raise ConfigError(
                f"the input is longer than {CHARACTERS:,} characters; send fewer examples, or have who runs the server put the "
                "task among its own"
            )


def refuse_blown_up(block: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError where a template that names fields again and again makes far more of rows than was sent."""
    question, rows = block.get("question"), block.get("examples")
    if not isinstance(question, str) or "{" not in question:
        return
    every = [row for part in rows.values() if isinstance(part, list) for row in part] if isinstance(rows, Mapping) else rows
    rows = [row for row in every if isinstance(row, Mapping)] if isinstance(every, list) else []
    text = sum(_length(row) for row in rows)
    if len(rows) * len(question) + question.count("{") * text > WRITTEN_OUT:
        raise ConfigError(f"{where}: makes more than {WRITTEN_OUT:,} characters of the rows; name fewer fields in it")


def _length(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(len(str(name)) + _length(one) for name, one in value.items())
    return sum(map(_length, value)) if isinstance(value, list) else len(value) if isinstance(value, str) else 8


def refuse_long_block(block: Mapping[str, Any], where: str) -> None:
    """Raise ConfigError for a task that says more beside its rows than can be checked in a moment, as a schema may."""
    for name, value in block.items():
        if name != "examples":  # A prompt is read with the answer format behind it, so that long ones multiply.
            refuse_long(value, f"{where}{name}", PROMPT)
    if sum(_length(value) for name, value in block.items() if name != "examples") > LONGEST:
        raise ConfigError(
            f"{where}name: the task has more than {LONGEST:,} characters beside its rows; shorten prompts or schema"
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


def refuse_wide(evaluations: int, examples: int) -> None:
    """Raise ConfigError for what a superstep would score at once: every evaluation and every call of one takes memory."""
    if evaluations > WIDE or evaluations * examples > CALLS:
        raise ConfigError(
            f"the input asks for up to {evaluations:,} evaluations at once, of {examples:,} examples each, more than the "
            f"{WIDE:,} and {CALLS:,} calls of this server; take fewer tasks, prompts, candidates or examples"
        )
