"""Who asks, for LangGraph's own checks and for the records of approvals: what langgraph.json names as auth."""

from collections.abc import Mapping
from typing import Any

from langgraph_sdk import Auth

from .access import NO_TOKEN, access

auth = Auth()
"""Everyone with the server's token is one person to it; without a token, everyone on this machine is."""

_access = access()


@auth.authenticate
async def who(headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    """The identity of whoever sends a request: "token" or "this machine"; refuses a wrong token with 401."""
    if _access.token is None:
        return {"identity": "this machine", "is_authenticated": False}
    if not _access.has_token(headers.items()):
        raise Auth.exceptions.HTTPException(status_code=401, detail=NO_TOKEN)
    return {"identity": "token", "is_authenticated": True}
