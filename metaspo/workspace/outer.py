"""Inside another graph: the place of a run there, and where its context is looked for."""

from collections.abc import Mapping
from typing import Any

from langgraph.runtime import ExecutionInfo, Runtime

from ..compat import outer_namespace
from ..domain.errors import ConfigError
from ..tasks.documents import check
from .context import Context

KEY = "metaspo"
"""Where the context of another graph holds ours: a key, or an attribute."""


def namespace_of(info: ExecutionInfo | None) -> str:
    """The place of a graph inside others, one for each time that they come to it; "" for a graph of its own."""
    return outer_namespace(info.checkpoint_ns) if info and info.checkpoint_ns else ""


def ours(context: Any) -> Any:
    """Our part of a context where it has one, else the context as it is."""
    found = context.get(KEY) if isinstance(context, Mapping) else getattr(context, KEY, None)
    return context if found is None else found


def store_named(context: Any) -> str | None:
    """The store that a context names, in whatever form it is given."""
    found = ours(context)
    if isinstance(found, Context):
        return found.store if "store" in found.model_fields_set else None
    return found.get("store") if isinstance(found, Mapping) else None


def context_given(runtime: Runtime[Any] | None, *, begins: bool = False) -> Context | None:
    """The context that a run is given, None where it is given none: what goes on then has its own.

    Inside another graph it is looked for under `metaspo` in that graph's context. Raises ConfigError where it is
    not there: the models of the demo are nobody's choice in a graph that has other work.
    """
    if runtime is None:
        return None
    given = runtime.context
    if isinstance(given, Context):
        return given
    if given is None and not (begins and namespace_of(runtime.execution_info)):
        return None
    found = ours(given)
    if isinstance(found, Context):
        return found
    if found is given:
        where = "inside another graph" if namespace_of(runtime.execution_info) else "in a context of another kind"
        raise ConfigError(
            f"{where}, a run's models are looked for under '{KEY}' in the context, and {_described(given)}; "
            f"write context={{'{KEY}': metaspo.Context(base=..., optimizer=...)}}, or the same as a field of its class"
        )
    if not isinstance(found, Mapping):
        kind = type(found).__name__
        raise ConfigError(f"'{KEY}' in the context is a {kind}; make it a metaspo.Context, or a dict of its fields")
    try:
        return check(Context, dict(found), ConfigError)
    except ConfigError as error:
        raise ConfigError(f"'{KEY}' in the context: {error}") from None


def _described(context: Any) -> str:
    if isinstance(context, Mapping):
        return f"this one has {', '.join(map(repr, context)) or 'nothing'}"
    return "there is none" if context is None else f"this one is a {type(context).__name__} without it"
