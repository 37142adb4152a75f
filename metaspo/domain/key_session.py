"""Connections for LangSmith's clients that keep a key from other hosts than the one it is for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import Session

KEYS = ("x-api-key", "x-service-key")
"""Headers of LangSmith's that hold a key."""


def key_session() -> "Session":
    """A session whose key does not follow where a server sends its clients on to; on its own `requests` knows of one header."""
    from requests import PreparedRequest, Response, Session

    class KeySession(Session):
        def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
            """Take the keys from a request that goes to another host."""
            if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
                for name in KEYS:
                    prepared_request.headers.pop(name, None)
            super().rebuild_auth(prepared_request, response)

    return KeySession()
