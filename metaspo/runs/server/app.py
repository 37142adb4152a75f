"""What the Agent Server loads beside the graphs: threads kept in our store, and the store's runs shown as threads."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph_sdk import get_client
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ...domain.errors import StoreError, UserError
from ...domain.paths import path_of
from ...models.registry import registry
from ...store import runs
from ...store.checkpoints import open_checkpointer, threads_kept
from ...store.database import Store, default_store
from ...store.location import serve_only
from ...store.rollback import TakenBack
from ...workspace.serving import MODELS, TASKS, Serving, serve_by, strict
from ..graphs import graph_of
from .access import TOKEN, Access, access
from .contexts import ContextsChecked
from .guard import guards
from .logs import quiet_libraries
from .mcp_tools import ToolsInWords

LOGGER = logging.getLogger("metaspo.server")


@asynccontextmanager
async def saver() -> AsyncIterator[BaseCheckpointSaver[str]]:
    """The server's checkpointer, on the file that METASPO_STORE names."""
    path = await asyncio.to_thread(_prepared)
    serve_only(path)
    # A server that is stopped closes this last, when its runs are cancelled: what they held is given back then.
    async with registry().used(), open_checkpointer(path) as checkpointer:
        cast(TakenBack, checkpointer).in_store = _in_store
        _opened.append(checkpointer)
        yield checkpointer
        _opened.clear()


_opened: list[BaseCheckpointSaver[str]] = []
"""The checkpointer of this process, once it is open."""


async def _in_store(work: Callable[..., Any], *given: Any) -> Any:
    store, _ = await registry().ledger(default_store())
    return await store.run(work, *given)


def _prepared() -> Path:
    # Before any request: from here on what is read is a client's, unless it is known to be the server's own.
    serve_by(os.environ)
    path = path_of(default_store()).absolute()
    # Created and migrated before LangGraph's own tables come in: a file of somebody else's is refused.
    Store(path).close()
    return path


class RunsAsThreads:
    """Makes every thread of the store's runs one of the server before anybody asks for threads.

    A run that the command line started a second ago opens under its id. A run without checkpoints has
    nothing to open; a thread that was deleted in this process is not brought back.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app
        self._known: set[str] = set()
        self._asking: ContextVar[bool] = ContextVar("asking", default=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Register new runs, then pass the request on."""
        if scope["type"] == "http" and "/threads" in scope["path"] and not self._asking.get():
            self._asking.set(True)
            try:
                await self._register()
            except StoreError as error:
                # What has been is read without the store; what begins or goes on is refused there, in words.
                LOGGER.warning("%s (%s)", error, default_store())
        await self._app(scope, receive, send)

    async def _register(self) -> None:
        store, _ = await registry().ledger(default_store())
        found = {id: run for id, run in (await store.run(runs.threads)).items() if id not in self._known}
        kept = await threads_kept(_opened[0], found) if found and _opened else set()
        found = {id: run for id, run in found.items() if id in kept}
        self._known.update(found)
        if found:
            # Without a url, the client calls this very server, inside the process.
            async with get_client() as client:
                for id, run in found.items():
                    metadata = {"graph_id": graph_of(run.method)}
                    await client.threads.create(thread_id=id, if_exists="do_nothing", metadata=metadata)


def terms(given: Access, serving: Serving | None) -> str:
    """Who may use the server, and what clients may name, in one line."""
    who = f"clients send the token in {TOKEN}" if given.token else f"no login ({TOKEN} is not set), so this machine alone"
    if serving is None:
        return f"trusts its clients: they may name any file, function and model; {who}"
    tasks = ", ".join(map(str, serving.tasks)) or f"no folder ({TASKS})"
    models = ", ".join(serving.models) or f"no others ({MODELS})"
    return f"strict: beside what comes with metaspo, clients may name tasks of {tasks} and models {models}; {who}"


@asynccontextmanager
async def _open(app: Starlette) -> AsyncIterator[None]:
    # A process that keeps its threads elsewhere opens no saver of ours.
    await asyncio.to_thread(serve_by, os.environ)
    quiet_libraries()
    LOGGER.info(terms(access(), strict()))
    async with registry().used():
        yield


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """What a person has to change, said where a request itself meets it: an edit of a state, an assistant's context."""
    return JSONResponse({"detail": str(error)}, status_code=400)


app = Starlette(
    middleware=[*guards(access()), Middleware(RunsAsThreads), Middleware(ContextsChecked), Middleware(ToolsInWords)],
    lifespan=_open,
    exception_handlers={UserError: _refused},
)
"""What langgraph.json names as http.app."""
