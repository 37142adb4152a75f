"""What stands before every route of a server: refuses who may not use it, and answers browsers' questions.

LangGraph's own checks stand before some of the routes; these stand before all.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose

from .access import LOCAL_ORIGIN, Access, Refusal, refused_asker, refused_route, without_token

SHOWN = ("x-pagination-total", "x-pagination-next", "content-location")
"""The headers of answers that Studio reads."""

LARGEST_BODY = 64 * 2**20
"""The most bytes of a request's body: a problem with all its examples has a few MB."""

MOST_THINGS = 1_000_000
"""The most things that a body lists: each takes a hundred bytes of memory and more, where it was two on the way."""

TOO_LARGE = Refusal(413, f"the request's body is larger than {LARGEST_BODY // 2**20} MB, the most that this server reads")

TOO_MANY = Refusal(413, f"the request's body lists more than {MOST_THINGS:,} things, the most that this server reads")

Check = Callable[[Access, Mapping[str, Any]], Refusal | None]


class Guard:
    """Refuses requests and WebSockets that a check refuses, in words."""

    def __init__(self, app: ASGIApp, check: Check, access: Access) -> None:
        """Stand in front of `app`."""
        self._app, self._check, self._access = app, check, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the refusal, or pass the request on."""
        refused = self._check(self._access, scope) if scope["type"] in ("http", "websocket") else None
        if refused:
            await _refuse(refused, scope, receive, send)
        else:
            await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies that no problem needs, before they fill the memory; whoever reads one finds its sender gone."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 413 as soon as the body turns out to be too large, or pass the request on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        read, things, refused = 0, 0, False

        async def counted() -> Message:
            nonlocal read, things, refused
            message: Message = {"type": "http.disconnect"} if refused else await receive()
            read += len(message.get("body", b""))
            things += message.get("body", b"").count(b",")
            if (read > LARGEST_BODY or things > MOST_THINGS) and not refused:
                refused = True
                await _refuse(TOO_LARGE if read > LARGEST_BODY else TOO_MANY, scope, receive, send)
                return {"type": "http.disconnect"}
            return message

        async def told(message: Message) -> None:
            if not refused:
                await send(message)

        try:
            await self._app(scope, counted, told)
        except ClientDisconnect:
            pass
        except Exception:
            if not refused:
                raise


async def _refuse(refused: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a refusal in JSON, as the Agent Server writes its own."""
    headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
    response = JSONResponse({"detail": refused.said}, status_code=refused.status, headers=headers)
    if scope["type"] == "http":
        await response(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await WebSocketClose(code=1008)(scope, receive, send)


def guards(access: Access) -> list[Middleware]:
    """What an application needs in front of its own middleware, outermost first."""
    return [
        Middleware(Guard, refused_asker, access),
        # A browser asks beforehand, without the token, and shows its page no refusal that lacks these headers.
        Middleware(
            CORSMiddleware,
            allow_origins=access.pages,
            allow_origin_regex=f"(?i:{LOCAL_ORIGIN})",
            allow_private_network=True,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=SHOWN,
        ),
        Middleware(Guard, without_token, access),
        Middleware(Guard, refused_route, access),
        Middleware(BodyLimit),
    ]
