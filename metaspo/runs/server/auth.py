"""Who asks, and what nobody may ask of a server: what langgraph.json names as auth.

LangGraph asks here before it makes a run, whichever route the wish for one came by.
"""

from collections.abc import Mapping
from typing import Any

from langgraph_sdk import Auth
from langgraph_sdk.auth.types import AuthContext, CronsCreate, RunsCreate

from .access import NO_TOKEN, access

NO_SCHEDULES = "this server takes no schedules, which spend money while nobody looks; start each run yourself"

auth = Auth()
"""Everyone with the server's token is one person to it; without a token it knows nobody."""

_access = access()


@auth.authenticate
async def who(headers: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Who sends a request: "token", or nobody known where there is no token; refuses a wrong token with 401."""
    if _access.token is None:
        return {"identity": "", "is_authenticated": False}
    if not _access.has_token(headers.items()):
        raise Auth.exceptions.HTTPException(status_code=401, detail=NO_TOKEN)
    return {"identity": "token", "is_authenticated": True}


@auth.on
async def anything(ctx: AuthContext, value: Any) -> None:
    """Whoever has come in may do all that the server does."""


@auth.on.threads.create_run
async def a_run(ctx: AuthContext, value: RunsCreate) -> None:
    """Refuses what reaches past a run's input and context, unless clients are trusted."""
    if refused := None if _access.trusting else refused_run(value["kwargs"]):
        raise Auth.exceptions.HTTPException(status_code=403, detail=refused)


@auth.on.crons.create
async def a_schedule(ctx: AuthContext, value: CronsCreate) -> None:
    """Refuses runs that begin again and again, whether somebody is there or not, unless clients are trusted."""
    if not _access.trusting:
        raise Auth.exceptions.HTTPException(status_code=403, detail=NO_SCHEDULES)


def refused_run(asked: Mapping[str, Any]) -> str | None:
    """Why a run that a client asks for is not made, in words; None where it is."""
    if (asked.get("command") or {}).get("goto"):
        return "command.goto: a search goes its own way; leave goto out, or go on from another checkpoint"
    if asked.get("webhook"):
        return "webhook: this server calls no address that a client names; leave it out and join the run"
    if (asked.get("config") or {}).get("callbacks"):
        return "config.callbacks: are code of the process that calls; leave them out, and read the run's stream"
    configurable = (asked.get("config") or {}).get("configurable") or {}
    inner = next((name for name in configurable if name.startswith("__pregel")), None)
    return f"configurable.{inner}: is LangGraph's own; leave it out" if inner else None
