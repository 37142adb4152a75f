"""Functions given in Python as readers and metrics: named where they can be imported, kept in this process where not."""

import re
import sys
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from ..domain.function_identity import identity_of
from ..domain.source import fingerprint, installed_version
from .written import word

OBJECT = "object:"
"""How the name begins of a function that cannot be imported: one of a script or a notebook, a lambda, a closure, an object."""

NAME = rf"{OBJECT}[\w.]+(?:-[0-9a-f]+)?"

_given: dict[tuple[str, str | None], Callable[..., Any]] = {}


def name_of(found: Any, version: str | None = None) -> Any:
    """The name of a function: `package.module:function`, or one that begins with `object:` and that this process knows.

    That one holds what tells the function from others, unless a `version` stands for it. What is no function is given
    back as it is. Raises ValueError where a version is wanted, or for a class.
    """
    if isinstance(found, str) or not callable(found):
        return found
    if isinstance(found, type):
        raise ValueError(f"{found.__name__} is a class; give a function, or an object that can be called")
    if name := _importable(found):
        return name
    own = getattr(found, "func", found)
    label = re.sub(r"\W+", ".", str(getattr(own, "__qualname__", type(own).__name__)).rpartition("<locals>.")[2]).strip(".")
    name = f"{OBJECT}{label or 'function'}"
    if version is None:
        try:
            name += f"-{identity_of(found)}"
        except ValueError as problem:
            raise ValueError(
                f"{label}: {problem}, so that a change of it would go unseen; give a version, such as version: 1, and another "
                "one whenever it changes, or put it into a module"
            ) from None
    _given[name, version] = found
    return name


def with_names(block: Mapping[str, Any]) -> dict[str, Any]:
    """A task's block with the names of functions in their place, so that it is plain data; raises ValueError."""
    found = dict(block)
    for role in ("reader", "metric"):
        part = found.get(role)
        if isinstance(part, dict):
            version = word(part.get("version"))
            found[role] = {key: name_of(value, version) for key, value in part.items()}
        elif callable(part):
            found[role] = {"from": name_of(part)} if role == "reader" else name_of(part)
    return found


def _importable(found: Callable[..., Any]) -> str | None:
    """How another process can import a function, None where it can't."""
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if not module or module == "__main__" or module not in sys.modules or not name or "<" in name:
        return None
    try:
        there = attrgetter(name)(sys.modules[module]) is found
    except AttributeError:
        return None
    return f"{module}:{name}" if there and (fingerprint(module) or installed_version(module)) else None


def given(name: str, version: str | None) -> Callable[..., Any] | None:
    """The function that this process was given under a name; None where it was given none."""
    return _given.get((name, version))


def short(name: str) -> str:
    """A function's name for people, also behind `reward:`."""
    before, given, own = name.partition(OBJECT)
    return before + (own.rpartition("-")[0] or own) if given else name
