"""What tells a function given in Python from any other: its code and all that it uses, alike after a restart."""

import hashlib
import json
import sys
import types
from collections.abc import Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from functools import partial
from inspect import getmro
from random import Random
from threading import local
from typing import Any
from weakref import ref

from pydantic import BaseModel

from .described import code_of_class, described, is_installed, is_machinery
from .source import fingerprint

DEEPEST = 4
"""Containers and objects within each other that are looked into."""

TOLD = ("numpy",)
"""Packages beside Python's own whose objects show all that they are made of."""

HIDING = (Random, ContextVar, local, ref)
"""Objects that are another thing from moment to moment, or that show nothing of what they hold."""


def identity_of(found: Any) -> str:
    """Twelve hex digits, equal for functions that were written alike and use the same, in whatever process.

    Counted are the function's own code, what it closes over or is bound to, and the functions, classes, constants and
    containers that it names, as they stand now; of modules of one's own their whole text. Raises ValueError where it uses
    an object of which nobody can tell what it is made of.
    """
    used: dict[str, Any] = {}
    itself, left = (None, [found]) if isinstance(found, types.FunctionType) else _told("itself", found)
    known = set[int]()
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
    blob = json.dumps([described(found), itself, sorted(used.items())], sort_keys=True)
    return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _bound(found: partial[Any] | types.MethodType) -> list[Any]:
    """What a function is bound to, and itself."""
    if isinstance(found, partial):
        return [found.func, *found.args, *found.keywords.values()]
    return [found.__func__, found.__self__]


def _named(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function names outside of itself: globals with the submodules that it reaches through them, and closed over."""
    names = _names(function.__code__)
    if "globals" in names - function.__globals__.keys():
        raise ValueError("it looks into globals()")
    yield from ((name, value) for name, value in sorted(vars(function).items()) if not name.startswith("__"))
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
    if isinstance(value, HIDING):
        raise _unknown(name, value)
    if isinstance(value, types.ModuleType):
        if sys.modules.get(value.__name__) is not value:
            raise _unknown(name, value)
        return None if is_installed(value.__name__) else _text(name, value.__name__), []
    if isinstance(value, types.FunctionType | type):
        return _code(name, value, depth)
    if isinstance(value, str | int | float | complex | bytes | None) and is_installed(type(value).__module__):
        return described(value), []
    if isinstance(value, partial | types.MethodType):
        parts = [_told("what it is bound to", part, depth) for part in _bound(value)]
        return [described(value), [told for told, _ in parts]], [one for _, further in parts for one in further]
    if isinstance(value, types.BuiltinFunctionType) or is_machinery(type(value)):
        return described(value), []
    inner = _parts(name, value)
    found = [_told(name, part, depth + 1) for part in inner] if depth < DEEPEST else []
    kind, methods = (None, []) if is_installed(type(value).__module__) else _code(name, type(value), depth)
    shown = described(value)
    if isinstance(shown, dict) and shown.get("settings") == {"made_from": None}:
        raise _unknown(name, value)
    return [shown, kind, [told for told, _ in found]], methods + [one for _, further in found for one in further]


def _unknown(name: str, value: Any) -> ValueError:
    return ValueError(f"it uses {name}, a {type(value).__name__}, of which nobody can tell what it is made of")


def _code(name: str, value: types.FunctionType | type, depth: int) -> tuple[Any, list[types.FunctionType]]:
    """A function or a class of one's own: of a module with a file its text, of a script or a notebook itself."""
    if is_installed(value.__module__) and getattr(sys.modules.get(value.__module__), "__file__", None):
        return None, []
    if value.__module__ != "__main__" and (text := fingerprint(value.__module__) if value.__module__ in sys.modules else None):
        return text, []
    if isinstance(value, types.FunctionType):
        return described(value), [value]
    kinds = [one for one in (*getmro(value), *getmro(type(value))) if not is_installed(one.__module__)]
    members = [(f"{kind.__qualname__}.{at}", one) for kind in kinds for at, one in sorted(vars(kind).items())]
    own = [one for _, one in members if isinstance(one, types.FunctionType) and not is_installed(one.__module__)]
    # What a class holds beside its code: members of an enumeration, tables, descriptors.
    held = [(at, _told(at, one, depth + 1)) for at, one in members if _is_held(at, one)] if depth < DEEPEST else []
    told = [code_of_class(value), code_of_class(type(value)), [(at, one) for at, (one, _) in held]]
    return told, [*own, *(one for _, (_, further) in held for one in further)]


def _is_held(name: str, value: Any) -> bool:
    inner = name.rpartition(".")[2].startswith(("__", "_abc_", "_member", "_value2", "_hashable", "_unhashable"))
    code = isinstance(value, types.FunctionType | staticmethod | classmethod | property | types.MemberDescriptorType)
    return not inner and not code and not isinstance(value, (*HIDING, types.GetSetDescriptorType))


def _text(name: str, module: str) -> str:
    found = fingerprint(module)
    if found is None:
        raise ValueError(f"it uses {name}, whose code cannot be read")
    return found


def _parts(name: str, value: Any) -> Sequence[Any]:
    beside = [] if is_installed(type(value).__module__) else list(getattr(value, "__dict__", {}).values())
    if isinstance(value, Mapping):
        missing = getattr(value, "default_factory", None)
        return [*(part for item in value.items() for part in item), *([missing] if missing else []), *beside]
    if isinstance(value, str | int | float | complex | bytes):
        return beside
    if isinstance(value, Sequence | Set):
        return [*(sorted(value, key=repr) if isinstance(value, Set) else value), *beside]
    if wrapped := getattr(value, "__wrapped__", None):
        return [wrapped]
    kind = type(value)
    top = kind.__module__.partition(".")[0]
    if isinstance(value, BaseModel) or top in sys.stdlib_module_names or top in TOLD:
        return []
    if is_installed(kind.__module__):
        raise _unknown(name, value)
    return list(getattr(value, "__dict__", {}).values())
