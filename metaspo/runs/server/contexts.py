"""Contexts are checked when assistants are made or changed, not at their first run; runs are checked for keys that are none."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ...domain.complaints import as_written
from ...domain.errors import MetaspoError
from ...store.location import refuse_elsewhere
from ...workspace.context import Context
from ...workspace.forms import shown_keys
from ..graphs import GRAPHS
from .within import Within, again, as_object, body_of, objects_in

MADE = re.compile(r"POST .*?(/assistants)")
CHANGED = re.compile(r"PATCH .*?(/assistants/[^/]+)")
BEGUN = re.compile(r"POST .*?((?:/threads/[^/]+)?/runs(?:/wait|/stream|/batch)?)")
"""Where assistants are made and changed, and where runs are begun."""


class ContextsChecked:
    """Refuses assistants of our graphs whose models, budget or other settings no run could work with, in words.

    The Agent Server drops what a run's context holds beside the keys of its form, and LangGraph what its input does: one
    that says `bse` would ask the models of the demo, and `task` would work on its tasks. So such a run is refused too.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what cannot be with 422; pass on everything else."""
        asked = f"{scope.get('method')} {str(scope.get('path', '')).rstrip('/')}"
        found = next((found for kind in (MADE, CHANGED, BEGUN) if (found := kind.fullmatch(asked))), None)
        if scope["type"] != "http" or found is None:
            return await self._app(scope, receive, send)
        body = await body_of(receive)
        within, receive = Within(self._app, scope, found[1]), again(body, receive)
        if found.re is BEGUN:
            said = await _of_runs(within, body)
        else:
            said = await _of_assistant(within, as_object(body), found[1] if found.re is CHANGED else None)
        if said:
            return await JSONResponse({"detail": said}, status_code=422)(scope, receive, send)
        await self._app(scope, receive, send)


async def _of_assistant(within: Within, given: Mapping[str, Any], changed: str | None) -> str | None:
    """What is wrong with the context that an assistant is given."""
    context = context_in(given)
    graph = given.get("graph_id") or (changed and await _graph_at(within, changed))
    return await asyncio.to_thread(complaint_about_context, context) if context and str(graph) in GRAPHS else None


async def _of_runs(within: Within, body: bytes) -> str | None:
    """Which key of a run's context or input is none; of several runs, of the first that has one."""
    for given in objects_in(body):
        assistant = str(given.get("assistant_id"))
        graph = assistant if assistant in GRAPHS else await _graph_at(within, f"/assistants/{assistant}")
        if graph not in GRAPHS:
            continue
        builder = GRAPHS[graph][0].graph.builder
        # Of what a state shows beside the input, the graph itself says how it is edited.
        said = _no_key("context", given.get("context"), Context) or _no_key(
            "input", given.get("input"), builder.input_schema, builder.channels
        )
        if said:
            return said
    return None


def _no_key(name: str, value: Any, form: type[BaseModel], others: Iterable[str] = ()) -> str | None:
    unknown = sorted({*value} - {*form.model_fields, *others}) if isinstance(value, dict) else []
    if not unknown:
        return None
    return f"{name}: unknown key {as_written(unknown[0])}; known keys: {', '.join(shown_keys(form))}"


async def _graph_at(within: Within, path: str) -> str:
    """The graph of the assistant there."""
    return str(as_object((await within.ask("GET", path)).content).get("graph_id"))


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
