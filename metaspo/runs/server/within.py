"""What the server's own middleware works with: a request's body, read once and handed on, and questions put from within."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope

OF_ONE_REQUEST = (b"content-length", b"content-type", b"transfer-encoding", b"accept", b"accept-encoding", b"connection")
"""The headers that belong to a request's body and its answer, not to who asks."""


async def body_of(receive: Receive) -> bytes:
    """The whole body of a request; raises ClientDisconnect where it does not come."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def again(body: bytes, receive: Receive) -> Receive:
    """A request whose body was read, as if it had not been."""
    first = [body]

    async def replayed() -> Message:
        return {"type": "http.request", "body": first.pop(), "more_body": False} if first else await receive()

    return replayed


def as_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty one where there is none."""
    data = _data_in(body)
    return data if isinstance(data, dict) else {}


def objects_in(body: bytes) -> list[dict[str, Any]]:
    """The JSON object in a body, or those of a list there."""
    data = _data_in(body)
    return [one for one in (data if isinstance(data, list) else [data]) if isinstance(one, dict)]


def is_json(body: bytes) -> bool:
    """Whether a body is JSON that the Agent Server can work with."""
    return body.strip() == b"null" or _data_in(body) is not None


def _data_in(body: bytes) -> Any:
    try:
        return orjson.loads(body)  # As the Agent Server reads it: no NaN, and no half of a character.
    except ValueError:
        return None


class Within:
    """Puts questions to the application on behalf of whoever sent a request, with the same headers, so with the same rights."""

    def __init__(self, app: ASGIApp, scope: Scope, tail: str) -> None:
        """Ask `app` beside the request's path, which ends in `tail`."""
        self._base = str(scope["path"]).removesuffix("/").removesuffix(tail)
        self._headers = [(name, value) for name, value in scope["headers"] if name.lower() not in OF_ONE_REQUEST]
        self._transport = httpx.ASGITransport(
            app,
            raise_app_exceptions=False,
            root_path=scope.get("root_path", ""),
            client=scope.get("client") or ("127.0.0.1", 0),
        )

    async def ask(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> httpx.Response:
        """The answer to a request, however long it takes."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://localhost", timeout=None) as client:
            return await client.request(method, f"{self._base}{path}", headers=self._headers, json=data)
