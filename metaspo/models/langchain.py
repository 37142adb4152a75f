"""Live objects given in Python: LangChain chat models, and programs."""

import hashlib
import json
import re
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable

from ..compat import identifying_parameters
from ..domain.described import described
from ..domain.errors import ModelError
from .program import Program
from .spec import ModelSpec

_registered: dict[tuple[str, str | None], Any] = {}


def register(model: Runnable[Any, Any]) -> ModelSpec:
    """Give a live chat model a name that specs can use; the spec of the same class and settings is the same.

    The name is made from the model's class and all its settings, hashed so that nothing of them leaks; see
    `described`. The model keeps its own sampling settings; its own retries should be off. Raises ModelError for
    any other Runnable: what it is made of can't be told from outside, so it needs a name, see `program`.
    """
    if not isinstance(model, BaseChatModel):
        raise ModelError(
            f"{type(model).__name__} has no name to record its replies under; "
            "give metaspo.program(it, name='...', version='1') instead of it"
        )
    told = [described(model), described(identifying_parameters(model))]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return _put(model, ModelSpec(provider="object", name=f"{type(model).__name__}-{digest}"))


def program(runnable: Any, *, name: str, version: str, **settings: Any) -> ModelSpec:
    """The spec of a chain or an agent of your own, whose system prompt is to be optimized; see `Program`.

    Recorded replies are found again under `name` and `version`: a program that has changed, be it its
    model, its tools or its code, needs another version. `settings` are those of a spec: concurrency,
    timeout (of one whole run of the program), patience, input_price, cached_price, output_price. Raises ModelError
    when the object is no program.
    """
    if not re.fullmatch(r"[\w.-]+", name):
        raise ModelError(f"program {name!r}: a name is letters, digits, '_', '-' and '.'")
    if not str(version).strip():
        raise ModelError(f"program {name!r}: give a version, such as '1', and another one whenever the program changes")
    spec = ModelSpec.parse({"provider": "object", "name": name, "version": str(version), **settings})
    Program(spec.label, runnable, {})
    return _put(runnable, spec)


def live(spec: ModelSpec) -> Program:
    """The registered object behind a spec; raises ModelError when this process has not registered it."""
    key = (spec.name, spec.version)
    if key not in _registered:
        raise ModelError(
            f"{spec.label} was given as a Python object; a run with it continues from Python, with the same object passed again"
        )
    identity = {"object": spec.name} | ({"version": spec.version} if spec.version else {})
    return Program(spec.label, _registered[key], identity)


def _put(found: Any, spec: ModelSpec) -> ModelSpec:
    key = spec.name, spec.version
    # Made once more, as cells of a notebook are, it is the same one.
    if key in _registered and _registered[key] is not found and described(_registered[key]) != described(found):
        raise ModelError(
            f"{spec.label} version {spec.version!r} is already the name of another object here; give this one another version"
        )
    _registered[key] = found
    return spec
