"""The assistants as MCP tools: results as JSON, mistakes in a sentence to the model that made them.

The Agent Server's own endpoint names only the kind of an error, and writes results as Python does. So calls
are answered here, by a run as any client begins one; what else MCP asks goes on to that endpoint.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...domain.errors import MetaspoError
from ...domain.redaction import redact
from ...domain.tool_words import to_a_model
from ...workspace.forms import complaint_about_arguments
from ..graphs import GRAPHS
from .within import Within, again, as_object, body_of, is_json

PATH = "/mcp"
MOST = 1000
"""Assistants that are looked through for a tool's name, as the Agent Server does."""

INVALID, NO_JSON = -32602, -32700
"""JSON-RPC's numbers for parameters that cannot be, and for a body that is no JSON."""


class ToolsInWords:
    """Answers calls of tools that work on our graphs, and tells what they return where tools are listed."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call; pass on everything else."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].rstrip("/").endswith(PATH):
            return await self._app(scope, receive, send)
        body = await body_of(receive)
        if not is_json(body):
            # The Agent Server's own endpoint reads more, and fails at what it cannot write again.
            error = {
                "code": NO_JSON,
                "message": "the body is no JSON: it is cut off, nested too deeply, or has NaN or half a character",
            }
            return await JSONResponse({"jsonrpc": "2.0", "id": None, "error": error}, status_code=400)(scope, receive, send)
        asked, receive = as_object(body), again(body, receive)
        within = Within(self._app, scope, PATH)
        parameters = asked.get("params") if isinstance(asked.get("params"), dict) else {}
        if asked.get("id") is None or asked.get("method") not in ("tools/call", "tools/list"):
            return await self._app(scope, receive, send)
        graphs = await _tools(within)
        if asked["method"] == "tools/list":
            return await self._app(scope, receive, _telling(graphs, send))
        answer = await _called(within, graphs, parameters or {})
        if answer is None:
            return await self._app(scope, receive, send)
        await JSONResponse({"jsonrpc": "2.0", "id": asked["id"], **answer})(scope, receive, send)


async def _tools(within: Within) -> dict[str, tuple[str, str]]:
    """The assistant and the graph behind every tool's name; none where the asker may not know."""
    found = await within.ask("POST", "/assistants/search", {"limit": MOST})
    rows = found.json() if found.status_code == 200 else []
    return {_name(row["name"]): (row["assistant_id"], row["graph_id"]) for row in reversed(rows)}


def _name(assistant: str) -> str:
    """The name of an assistant as a tool, as the Agent Server lists it."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "", re.sub(r"\s+", "_", assistant.strip()))[:128]


async def _called(within: Within, tools: Mapping[str, tuple[str, str]], call: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer to a call; None where the Agent Server answers, to whom it may refuse or for a graph that is not ours."""
    if not tools:
        return None
    name, given = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or name not in tools:
        return {"error": {"code": INVALID, "message": f"there is no tool {_shown(name)}; there are: {', '.join(tools)}"}}
    assistant, graph = tools[name]
    if graph not in GRAPHS:
        return None
    given = {} if given is None else given
    if wrong := complaint_about_arguments(GRAPHS[graph][0].graph.builder.input_schema, given):
        return _failed(wrong)
    thread = as_object((await within.ask("POST", "/threads", {})).content).get("thread_id")
    if thread is None:
        return None
    # The thread is kept: its run can be looked at, branched and resumed under the id that the answer names.
    run = {"assistant_id": assistant, "input": given, "context": call.get("context")}
    asked = {name: value for name, value in run.items() if value is not None}
    found = await within.ask("POST", f"/threads/{thread}/runs/wait", asked)
    return _told(found.status_code, as_object(found.content), thread, graph)


def _told(status: int, found: Mapping[str, Any], run: str, graph: str) -> dict[str, Any]:
    """What a run came to, as the result of a tool."""
    if status != 200:
        said = found.get("detail") or f"the server refuses the run with status {status}"
        return _failed(to_a_model(MetaspoError.__name__, str(said)))
    if "__error__" in found:
        error = found["__error__"]
        return _failed(to_a_model(str(error.get("error")), str(error.get("message") or ""), run))
    if "__interrupt__" in found:
        return _failed(
            f"run {run} waits for a person, who has to accept new prompts in Studio or with 'metaspo approve {run}'; this tool "
            "cannot, and has no result before"
        )
    if not found.get("run"):
        return _failed("the run ended without a result; somebody may have cancelled it, so call the tool again")
    told = {name: found[name] for name in _output(graph)["properties"] if name in found}
    text = json.dumps(told, ensure_ascii=False)
    return {"result": {"content": [{"type": "text", "text": text}], "structuredContent": told, "isError": False}}


def _output(graph: str) -> dict[str, Any]:
    schema: dict[str, Any] = GRAPHS[graph][0].graph.get_output_jsonschema()
    return schema


def _shown(value: Any) -> str:
    return redact(repr(value))[:80]


def _failed(said: str) -> dict[str, Any]:
    return {"result": {"isError": True, "content": [{"type": "text", "text": said}]}}


def _telling(tools: Mapping[str, tuple[str, str]], send: Send) -> Send:
    """Sends a list of tools with what each returns."""
    start: list[Message] = []
    parts: list[bytes] = []

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts)
        answer = as_object(body)
        for tool in (answer.get("result") or {}).get("tools", []):
            _, graph = tools.get(tool["name"], ("", ""))
            if graph in GRAPHS:
                tool["outputSchema"] = _output(graph)
        body = json.dumps(answer).encode() if answer else body
        headers = [pair for pair in start[0]["headers"] if pair[0].lower() != b"content-length"]
        await send({**start[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return told
