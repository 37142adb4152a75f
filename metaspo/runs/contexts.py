"""An assistant's context is checked when the assistant is made or changed, not at its first run."""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..domain.errors import MetaspoError
from ..store.checkpoints import refuse_elsewhere
from ..workspace.context import Context
from .graphs import GRAPHS
from .within import Within, again, as_object, body_of

MADE = "/assistants"
"""Where assistants are made, and changed under their ids."""


class ContextsChecked:
    """Refuses assistants of our graphs whose models, budget or other settings no run could work with, in words."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what cannot be with 422; pass on everything else."""
        head, _, last = str(scope.get("path", "")).rstrip("/").rpartition("/")
        made = scope.get("method") == "POST" and f"/{last}" == MADE
        changed = scope.get("method") == "PATCH" and head.endswith(MADE)
        if scope["type"] != "http" or not (made or changed):
            return await self._app(scope, receive, send)
        body = await body_of(receive)
        given, receive = as_object(body), again(body, receive)
        within = Within(self._app, scope, f"/{last}")
        if (context := context_in(given)) and await _graph(within, given, f"/{last}", made) in GRAPHS:
            said = await asyncio.to_thread(complaint_about_context, context)
            if said:
                return await JSONResponse({"detail": said}, status_code=422)(scope, receive, send)
        await self._app(scope, receive, send)


async def _graph(within: Within, given: Mapping[str, Any], last: str, made: bool) -> str:
    """The graph that an assistant is of, or will be."""
    named = given.get("graph_id")
    if made or named:
        return str(named)
    return str(as_object((await within.ask("GET", last)).content).get("graph_id"))


def context_in(given: Mapping[str, Any]) -> Any:
    """The context that a request gives an assistant, under its own name or the older one."""
    config = given.get("config")
    return given.get("context") or (config.get("configurable") if isinstance(config, dict) else None)


def complaint_about_context(given: Any) -> str | None:
    """Why no run could work with a context; None where nothing is wrong with it."""
    try:
        refuse_elsewhere(Context.model_validate(given).store)
    except MetaspoError as error:
        return str(error)
    return None
