"""What tells a live object from another: its class and its settings, as plain data that a restart does not change."""

import hashlib
import sys
import types
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
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
    if isinstance(found, bytes | PurePath | complex):
        return str(found)
    if isinstance(found, Enum):
        return [_class_of(type(found)), found.name]
    if isinstance(found, Mapping):
        return {"items": sorted(([str(key), described(value, seen)] for key, value in found.items()), key=lambda one: one[0])}
    if isinstance(found, Set):
        return {"set": sorted((described(one, seen) for one in found), key=repr)}
    if isinstance(found, Sequence):
        return [described(one, seen) for one in found]
    if isinstance(found, type):
        return _class_of(found)
    if isinstance(found, partial):
        return {"partial": described([found.func, found.args, found.keywords], seen)}
    if isinstance(found, types.MethodType):
        return {"method": found.__name__, "of": described(found.__self__, seen)}
    if isinstance(found, types.FunctionType):
        return _function(found, seen)
    return {"class": _class_of(type(found)), **_own_code(type(found), seen), "settings": _settings(found, seen)}


def _class_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _settings(found: Any, seen: tuple[int, ...]) -> dict[str, Any]:
    """Every attribute of an object that says how it works; of one in a library that does not show any, where it points."""
    if _is_machinery(type(found)):
        return {"base_url": str(found.base_url)} if hasattr(found, "base_url") else {}
    if isinstance(found, BaseModel):
        values = {**{name: getattr(found, name) for name in type(found).model_fields}, **(found.__pydantic_extra__ or {})}
        values |= {name: value for name, value in (found.__pydantic_private__ or {}).items() if isinstance(value, PLAIN)}
    elif is_dataclass(found):
        values = {field.name: getattr(found, field.name, None) for field in fields(found)}
    else:
        slots = [name for kind in type(found).__mro__ for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
        values = {**{name: getattr(found, name) for name in slots if hasattr(found, name)}, **getattr(found, "__dict__", {})}
    shaping = {name: value for name, value in values.items() if value is not None and name not in AROUND}
    return {name: described(value, seen) for name, value in sorted(shaping.items()) if not _is_secret(name, value)}


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


def _own_code(kind: type, seen: tuple[int, ...]) -> dict[str, Any]:
    """The code of a class that nobody installed: its methods and those of its own bases, for they make the replies."""
    own = [one for one in kind.__mro__ if not _is_installed(one.__module__)]
    methods = {
        f"{_class_of(one)}.{name}": _function(value, seen)
        for one in own
        for name, value in sorted(vars(one).items())
        if isinstance(value, types.FunctionType) and not _is_installed(value.__module__)
    }
    return {"code": methods} if methods else {}


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
    }


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
