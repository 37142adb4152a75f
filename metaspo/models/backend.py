"""What every backend is to the ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig

from ..domain.calls import Reply, Request


def traced(request: Request) -> RunnableConfig:
    """How a call appears in traces and callbacks, which reach it from the graph's config.

    The optimizer's and the analyst's replies are few and worth reading as they come; the thousands of answers that are
    only scored stay out of LangGraph's `messages` stream.
    """
    tags = ["metaspo"] if request.role in ("optimizer", "analyst") else ["metaspo", "nostream"]
    return {"run_name": f"{request.role} model", "tags": tags, "metadata": {"role": request.role}}


class Backend(Protocol):
    """Something that answers requests. Built from a spec, used on one event loop, closed by the registry."""

    identity: dict[str, Any]
    """What distinguishes this model from others in a call's key: no secrets, no ports that change."""

    async def ready(self) -> None:
        """Be able to answer, whatever has to be started for it and however long that takes.

        Called before the first request that the store does not answer, so that a run whose calls are
        all recorded starts nothing. Raises a `Fault` when it may be tried again, UserError otherwise.
        """
        ...

    async def complete(self, request: Request) -> Reply:
        """Answer one request, once. Raises a `Fault` when there is no reply."""
        ...

    async def close(self) -> None:
        """Close connections and stop what was started."""
        ...


_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """What a backend tells in here, of how it answers the running task's request, goes to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(text: str) -> None:
    """Tell the run whose request is being answered something that a person should know."""
    listener = _listener.get()
    if listener is not None:
        listener(text)
