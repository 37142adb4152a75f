"""JSON schemas of answers: read from a file, looked at, and what a value breaks of one."""

import json
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache, partial
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import PydanticUserError, TypeAdapter

from ...domain.complaints import as_written
from ...domain.errors import TaskError
from ...domain.excerpts import excerpt
from .. import patterns

LONGEST = 5.0
"""Seconds that a value may be looked at: parts that point to others can multiply."""

MOST = 3
"""Complaints about one value that are told."""


def read_schema(path: Path) -> dict[str, Any]:
    """The schema that a file holds; raises TaskError where it holds none."""
    try:
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise TaskError(f"{path}: the schema cannot be read: {error.strerror}; name a .json file beside the task's") from None
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{path}: the schema is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise TaskError(f'{path}: a schema is an object such as {{"type": "object"}}, not {type(schema).__name__}')
    if complaint := complaint_about_schema(schema):
        raise TaskError(f"{path}: the schema {complaint}")
    return schema


def schema_written(value: Any) -> Any:
    """The schema of a type that is given in Python, such as a pydantic model or a TypedDict; anything else as it is."""
    if isinstance(value, type):
        try:
            return TypeAdapter(value).json_schema()
        except PydanticUserError:
            raise ValueError(f"{value.__name__} has no JSON schema; give a pydantic model, a dataclass or a mapping") from None
    if value is not None and not isinstance(value, dict | str):
        raise ValueError(f"a schema is a mapping or the path of a .json file, not {as_written(value)}")
    return value


def complaint_about_schema(schema: dict[str, Any]) -> str | None:
    """What keeps a mapping from being a JSON schema that can be used, or None."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing.exceptions import Unresolvable

    try:
        text = json.dumps(schema, allow_nan=False)
        validator_for(schema).check_schema(schema)
        for key, value in _parts(schema):
            _look_at(schema, key, value)
        # A schema that is nothing but itself shows here.
        next(_broken(text, {}), None)
    except SchemaError as error:
        return f"is no JSON schema: {'.'.join(map(str, error.absolute_path)) or 'it'}: {error.message}"
    except Unresolvable as problem:
        return f"points to {problem.ref!r}, and nothing is there"
    except (TypeError, ValueError, RecursionError, TimeoutError) as error:
        return f"cannot be used: {error}"
    return None


def _look_at(schema: dict[str, Any], key: str, value: Any) -> None:
    """Raise for what would only come up once an answer is looked at."""
    if key in ("$ref", "$dynamicRef") and isinstance(value, str):
        at: Any = schema
        for part in value.removeprefix("#").split("/")[1:]:
            at = at.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(at, dict) else None
        if at is None or not re.match(r"#(/|\Z)", value):
            raise ValueError(f"{value!r} leads nowhere in it, and nothing is fetched; write #/$defs/name")


def _parts(part: Any) -> Iterator[tuple[str, Any]]:
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _parts(value)
    if isinstance(part, dict):
        yield from part.items()


def patterns_in(schema: dict[str, Any]) -> Iterator[str]:
    """The regular expressions of a schema."""
    for key, value in _parts(schema):
        if key == "pattern" and isinstance(value, str):
            yield value
        elif key == "patternProperties" and isinstance(value, dict):
            yield from map(str, value)


def text_of(schema: dict[str, Any]) -> str:
    """A schema as canonical text, the order of its properties as it was written: replies are made in it."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    from jsonschema.validators import extend, validator_for
    from jsonschema_specifications import REGISTRY

    read = json.loads(schema)
    kind = validator_for(read)
    checks = {**kind.VALIDATORS, "pattern": _pattern, "patternProperties": _pattern_properties}
    # With a registry of its own it fetches nothing, wherever a part of the schema may point.
    return extend(kind, {name: partial(_in_time, check) for name, check in checks.items()})(read, registry=REGISTRY)


_ends: ContextVar[float] = ContextVar("ends", default=float("inf"))


def _in_time(check: Callable[..., Iterator[Any] | None], *about: Any) -> Iterator[Any]:
    if monotonic() > _ends.get():
        raise TimeoutError(f"it takes longer than {LONGEST:g} s; write a schema whose parts do not multiply")
    yield from check(*about) or ()


def _broken(schema: str, value: Any) -> Iterator[Any]:
    """What a value breaks of a schema; raises TimeoutError, in words, where that takes long to say."""
    token = _ends.set(monotonic() + LONGEST)
    try:
        yield from [*_validator(schema).iter_errors(value)]
    finally:
        _ends.reset(token)


def _matches(pattern: str, text: str) -> bool:
    """Whether a text has a match; one that takes long, as a repeat within a repeat may, counts as none."""
    try:
        return patterns.matches(pattern, text)
    except TimeoutError:
        return False


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not _matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Iterator[Any]:
    for pattern, inner in patterns.items() if isinstance(instance, dict) else ():
        for key, value in instance.items():
            if _matches(pattern, key):
                yield from validator.descend(value, inner, path=key, schema_path=pattern)


def complaints(schema: str, answer: str) -> list[str]:
    """What a value breaks of a schema, both as JSON text: which field, and how. Empty where it fits."""
    from referencing.exceptions import Unresolvable

    try:
        found = sorted(_broken(schema, json.loads(answer)), key=lambda error: error.json_path)
    except TimeoutError as problem:
        return [str(problem)]
    except Unresolvable as problem:
        return [f"the schema points to {problem.ref!r}, and nothing is there"]
    except RecursionError:
        return ["it is nested too deeply"]
    return [_said(error) for error in found[:MOST]] + [f"and {len(found) - MOST} more"] * (len(found) > MOST)


def _said(error: Any) -> str:
    where = error.json_path.removeprefix("$").removeprefix(".")
    return f"{where + ': ' if where else ''}{excerpt(error.message)}"
