"""What tells a function given in Python from any other: its code and all that it uses, alike after a restart."""

import hashlib
import json
import sys
import types
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

from pydantic import BaseModel

from .described import code_of_class, described, is_installed, is_machinery
from .source import fingerprint

DEEPEST = 4
"""Containers and objects within each other that are looked into."""

TOLD = ("numpy",)
"""Packages beside Python's own whose objects show all that they are made of."""


def identity_of(found: Any) -> str:
    """Twelve hex digits, equal for functions that were written alike and use the same, in whatever process.

    Counted are the function's own code, what it closes over or is bound to, and the functions, classes, constants and
    containers that it names, as they stand now; of modules of one's own their whole text. Raises ValueError where it uses
    an object of which nobody can tell what it is made of.
    """
    used: dict[str, Any] = {}
    left, known = [*_functions(found)], set[int]()
    while left:
        one = left.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        for name, value in _named(one):
            told, further = _told(name, value)
            left += further
            if told is not None:
                used[f"{one.__module__}.{one.__qualname__} {name}"] = told
    blob = json.dumps([described(found), sorted(used.items())], sort_keys=True)
    return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _functions(found: Any) -> Iterator[types.FunctionType]:
    """The functions that run where an object is called."""
    if isinstance(found, types.FunctionType):
        yield found
    elif isinstance(found, partial):
        for part in (found.func, *found.args, *found.keywords.values()):
            yield from _within("what it is bound to", part)
    elif isinstance(found, types.MethodType):
        yield from _functions(found.__func__)
        yield from _within("what it is bound to", found.__self__)
    elif not isinstance(found, type | types.BuiltinFunctionType):
        yield from _within("itself", found)


def _within(name: str, value: Any) -> Iterator[types.FunctionType]:
    yield from _told(name, value)[1]


def _named(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function names outside of itself: globals with the submodules that it reaches through them, and closed over."""
    names = _names(function.__code__)
    for name in sorted(names & function.__globals__.keys()):
        value = function.__globals__[name]
        yield name, value
        if isinstance(value, types.ModuleType):
            inner = (f"{value.__name__}.{other}" for other in sorted(names))
            yield from ((other, sys.modules[other]) for other in inner if other in sys.modules)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(one) for one in code.co_consts if isinstance(one, types.CodeType)))


def _told(name: str, value: Any, depth: int = 0) -> tuple[Any, list[types.FunctionType]]:
    """What counts of a value that a function uses, None for nothing, and the functions to look at in turn."""
    if isinstance(value, types.ModuleType):
        return None if is_installed(value.__name__) else _text(name, value.__name__), []
    if isinstance(value, types.FunctionType | type):
        return _code(name, value)
    if isinstance(value, str | int | float | complex | bytes | None):
        return described(value), []
    if isinstance(value, partial | types.MethodType):
        return described(value), [*_functions(value)]
    if isinstance(value, types.BuiltinFunctionType) or is_machinery(type(value)):
        return described(value), []
    parts = _parts(name, value)
    found = [_told(name, part, depth + 1) for part in parts] if depth < DEEPEST else []
    methods = [] if is_installed(type(value).__module__) else _code(name, type(value))[1]
    return [described(value), [told for told, _ in found]], methods + [one for _, further in found for one in further]


def _code(name: str, value: types.FunctionType | type) -> tuple[Any, list[types.FunctionType]]:
    """A function or a class of one's own: of a module with a file its text, of a script or a notebook itself."""
    if is_installed(value.__module__) and getattr(sys.modules.get(value.__module__), "__file__", None):
        return None, []
    if value.__module__ != "__main__" and (text := fingerprint(value.__module__) if value.__module__ in sys.modules else None):
        return text, []
    if isinstance(value, types.FunctionType):
        return described(value), [value]
    own = [one for kind in value.__mro__ for one in vars(kind).values() if isinstance(one, types.FunctionType)]
    return code_of_class(value), [one for one in own if not is_installed(one.__module__)]


def _text(name: str, module: str) -> str:
    found = fingerprint(module)
    if found is None:
        raise ValueError(f"it uses {name}, whose code cannot be read")
    return found


def _parts(name: str, value: Any) -> Sequence[Any]:
    if isinstance(value, Mapping):
        return [part for item in value.items() for part in item]
    if isinstance(value, Sequence | Set):
        return sorted(value, key=repr) if isinstance(value, Set) else list(value)
    kind = type(value)
    top = kind.__module__.partition(".")[0]
    if isinstance(value, BaseModel) or top in sys.stdlib_module_names or top in TOLD:
        return []
    if is_installed(kind.__module__):
        raise ValueError(f"it uses {name}, a {kind.__name__}, of which nobody can tell what it is made of")
    return list(getattr(value, "__dict__", {}).values())
