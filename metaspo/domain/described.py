"""What tells a live object from another: its class and its settings, as plain data that a restart does not change."""

import copyreg
import hashlib
import sys
import types
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from functools import cached_property, partial
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

DEEPEST = 12
"""Objects within objects that are looked at; what lies deeper goes by its class alone."""

PLAIN = str | int | float | bool | None


def described(found: Any, seen: tuple[int, ...] = ()) -> Any:
    """An object as JSON-like data: equal for objects of one class with equal settings, in whatever process.

    Secrets are left out, since another key makes no other model. Addresses in memory never count. Functions are
    told apart by their code and what it closes over, objects by their class and every attribute that is a setting.
    """
    if isinstance(found, str | int | float | bool | None):
        return found
    if isinstance(found, SecretStr | SecretBytes) or id(found) in seen or len(seen) > DEEPEST:
        return _class_of(type(found))
    seen = (*seen, id(found))
    if isinstance(found, bytes | bytearray):
        return {"bytes": found.hex()}
    if isinstance(found, PurePath | complex):
        return str(found)
    if isinstance(found, Enum):
        return [_class_of(type(found)), found.name]
    if isinstance(found, Mapping):
        told = ([described(key, seen), described(value, seen)] for key, value in found.items() if not _is_header_key(key))
        return {"items": sorted(told, key=lambda one: repr(one[0]))}
    if isinstance(found, Set):
        return {"set": sorted((described(one, seen) for one in found), key=repr)}
    if isinstance(found, Sequence):
        return [described(one, seen) for one in found]
    if isinstance(found, type):
        return _class_of(found)
    if isinstance(found, partial):
        return {"partial": described([found.func, found.args, found.keywords], seen)}
    if isinstance(found, types.MethodType):
        return {"method": described(found.__func__, seen), "of": described(found.__self__, seen)}
    if isinstance(found, types.BuiltinFunctionType):
        owner = None if isinstance(found.__self__, types.ModuleType) else described(found.__self__, seen)
        return {"builtin": f"{found.__module__}.{found.__qualname__}", "of": owner}
    if isinstance(found, types.FunctionType):
        return _function(found, seen)
    return {"class": _class_of(type(found)), **_own_code(type(found), seen), "settings": _settings(found, seen)}


def _class_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _settings(found: Any, seen: tuple[int, ...]) -> dict[str, Any]:
    """Every attribute of an object that says how it works; of one in a library that does not show any, where it points."""
    kind = type(found)
    if _is_machinery(kind):
        return _where(found, seen)
    values = dict(getattr(found, "__dict__", {}))
    if isinstance(found, BaseModel):
        values |= {**{name: getattr(found, name) for name in kind.model_fields}, **(found.__pydantic_extra__ or {})}
        own = not _is_installed(kind.__module__)
        values |= {name: one for name, one in (found.__pydantic_private__ or {}).items() if own or isinstance(one, PLAIN)}
    slots = [name for one in kind.__mro__ for name in getattr(one, "__slots__", ()) if isinstance(name, str)]
    if not isinstance(found, BaseModel):
        values |= {name: getattr(found, name) for name in slots if name != "__dict__" and hasattr(found, name)}
    if not values and _is_installed(kind.__module__):
        return {"made_from": _made_from(found, seen)}
    values = {name: one for name, one in values.items() if not isinstance(getattr(kind, name, None), cached_property)}
    shaping = {name: value for name, value in values.items() if value is not None and name not in AROUND}
    return {name: described(value, seen) for name, value in sorted(shaping.items()) if not _is_secret(name, value)}


def _where(client: Any, seen: tuple[int, ...]) -> dict[str, Any]:
    """Where a client of a library points, and the headers that its owner gave it; not those that name its version."""
    told = {"base_url": str(client.base_url)} if hasattr(client, "base_url") else {}
    if type(client).__module__.partition(".")[0] in ("httpx", "httpx2") and hasattr(client, "headers"):
        usual = ("accept", "accept-encoding", "connection", "user-agent")
        given = {name: value for name, value in client.headers.items() if name not in usual}
        return told | ({"headers": described(given, seen)} if given else {})
    return told


def _made_from(found: Any, seen: tuple[int, ...]) -> Any:
    """What pickle would make a library's object from, such as a date, a pattern or a getter; None where it can't."""
    try:
        registered = copyreg.dispatch_table.get(type(found))
        made = registered(found) if registered else found.__reduce_ex__(4)
    except Exception:
        return None
    return described(made[1:3], seen) if isinstance(made, tuple) else made


AROUND = {
    "cache", "callbacks", "custom_get_token_ids", "max_retries", "metadata", "name", "rate_limiter", "request_timeout",
    "stream_chunk_timeout", "tags", "timeout", "verbose",
}  # fmt: skip
"""Settings of LangChain's objects that say how a call is traced, kept and waited for, not what comes of it."""

MACHINERY = {
    "_asyncio", "_thread", "aiohttp", "asyncio", "botocore", "boto3", "concurrent", "contextvars", "grpc", "httpcore", "httpx",
    "httpx2", "logging", "openai", "anthropic", "queue", "requests", "ssl", "_ssl", "threading", "tiktoken", "urllib3",
    "weakref",
}  # fmt: skip
"""Packages whose objects are clients, locks and loggers: how a request travels, not what is asked of whom."""


def _is_machinery(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in MACHINERY


def _is_secret(name: str, value: Any) -> bool:
    words = name.lower().replace("-", "_").split("_")
    return isinstance(value, str) and bool({"key", "token", "secret", "password", "authorization"} & set(words))


def _is_header_key(name: Any) -> bool:
    return isinstance(name, str) and name.lower().replace("_", "-") in ("authorization", "api-key", "x-api-key")


def _own_code(kind: type, seen: tuple[int, ...]) -> dict[str, Any]:
    """The code of a class that nobody installed: its methods and those of its own bases, for they make the replies."""
    own = [one for one in kind.__mro__ if not _is_installed(one.__module__)]
    methods = {
        f"{_class_of(one)}.{name}": _member(value, seen)
        for one in own
        for name, value in sorted(vars(one).items())
        if _counts(name, value)
    }
    return {"code": methods} if methods else {}


def _counts(name: str, value: Any) -> bool:
    """Whether what stands in a class is its author's: a function, or a constant."""
    code = _unwrapped(value)
    if isinstance(code, types.FunctionType):
        return not _is_installed(code.__module__)
    constant = value is not None and isinstance(value, str | int | float | tuple | frozenset)
    return constant and not name.startswith(("__", "_abc_"))


def _unwrapped(value: Any) -> Any:
    if isinstance(value, property):
        return value.fget
    return value.func if isinstance(value, cached_property) else getattr(value, "__func__", value)


def _member(value: Any, seen: tuple[int, ...]) -> Any:
    code = _unwrapped(value)
    return _function(code, seen) if isinstance(code, types.FunctionType) else described(value, seen)


def _is_installed(module: str) -> bool:
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return module != "__main__" and (not file or "site-packages" in file or file.startswith(sys.base_prefix))


def _function(found: types.FunctionType, seen: tuple[int, ...]) -> dict[str, Any]:
    cells = [described(cell.cell_contents, seen) for cell in found.__closure__ or () if not _is_empty(cell)]
    return {
        "function": f"{found.__module__}.{found.__qualname__}",
        "code": hashlib.sha256(repr(_code(found.__code__)).encode("utf-8", "surrogatepass")).hexdigest()[:16],
        "defaults": described([found.__defaults__, found.__kwdefaults__], seen),
        "closes_over": cells,
        **({"uses": used} if (used := _uses(found, seen)) else {}),
    }


def _uses(found: types.FunctionType, seen: tuple[int, ...]) -> dict[str, Any]:
    """The helpers and constants of its own modules that a function names, and those that they name in turn.

    Lists and sets are left out: those that functions write to, as a log, would make another model of every call.
    """
    used: dict[str, Any] = {}
    left, known = [found], {id(found)}
    while left:
        one = left.pop()
        for name in sorted(_names(one.__code__) & one.__globals__.keys()):
            value = one.__globals__[name]
            if isinstance(value, types.FunctionType) and not _is_installed(value.__module__) and id(value) not in known:
                known.add(id(value))
                left.append(value)
                used[f"{value.__module__}.{value.__qualname__}"] = [_code(value.__code__), described(value.__defaults__, seen)]
            elif isinstance(value, str | int | float | tuple | frozenset) and not name.startswith("__"):
                used[f"{one.__module__}.{name}"] = described(value, seen)
    return used


def _names(code: types.CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(one) for one in code.co_consts if isinstance(one, types.CodeType)))


def _is_empty(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True


def _code(code: types.CodeType) -> list[Any]:
    """A function's code without the places that it was written at."""
    constants = [_code(one) if isinstance(one, types.CodeType) else repr(_ordered(one)) for one in code.co_consts]
    return [code.co_code.hex(), code.co_names, code.co_varnames, constants]


def _ordered(constant: Any) -> Any:
    return sorted(constant, key=repr) if isinstance(constant, frozenset) else constant


def code_of_class(kind: type) -> dict[str, Any]:
    """The code of a class that nobody installed, as plain data; nothing for any other."""
    return _own_code(kind, ())


def is_installed(module: str) -> bool:
    """Whether a module comes with Python or with an installed package; a module without a file counts as one."""
    return _is_installed(module)


def is_machinery(kind: type) -> bool:
    """Whether objects of a class are clients, locks or loggers: how something travels or is told, not what comes of it."""
    return _is_machinery(kind)
