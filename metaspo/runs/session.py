"""One session of a run: from taking the lease to giving it back, however it ends."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from langgraph.types import Command

from ..approval.review import waiting_for
from ..domain.errors import AwaitsApproval, Interrupted, MetaspoError, RunStopped
from ..models.account import Account
from ..models.registry import registry
from ..store.checkpoints import open_checkpointer
from ..store.database import explain
from ..workspace.events import Event
from ..workspace.generalization import Generalization
from ..workspace.opening import Workspace, open_workspace
from ..workspace.state import Context, Problem
from .graphs import build_for
from .pending import asked
from .signals import stopped_by_signals

Listener = Callable[[Event], None]
"""Gets every event of the run as it happens; it must not block."""


async def run_session(
    run: str,
    context: Context,
    problem: Problem | Generalization | None,
    listener: Listener | None = None,
    parent: Account | None = None,
    answer: Any = None,
) -> MetaspoError | None:
    """Work on a run until it is done, stopped or waiting for a person; return why it is not done, or None.

    With a `problem` the run starts, without one it goes on from its last checkpoint. Errors in what
    a person wrote are raised; the run is then recorded as stopped and can be resumed once they are mended.
    `parent` is the account of a study, a budget that several runs share, `answer` a person's to what the run waits for.
    """
    async with registry().used():
        workspace = await open_workspace(run, context, problem, alone=True)
        try:
            workspace.account.parent = parent
            async with _signals(workspace):
                return await _work(workspace, problem, listener or (lambda event: None), answer)
        finally:
            await workspace.lease.close()


async def _work(
    workspace: Workspace, problem: Problem | Generalization | None, listener: Listener, answer: Any
) -> RunStopped | None:
    reason: str | None = "it was stopped by an error of ours"
    config: Any = {"configurable": {"thread_id": workspace.run}}
    given: Any = problem.model_dump(mode="json") if problem else None
    try:
        async with open_checkpointer(workspace.context.store) as checkpointer:
            graph = build_for(workspace.problem.method, checkpointer)
            if answer is not None:
                given = Command(resume=answer)
            elif given is None and not (await graph.aget_state(config)).created_at:
                # Killed before its first checkpoint: the run is known, but not begun.
                given = workspace.problem.model_dump(mode="json")
            async for event in graph.astream(
                given, config, context=workspace.context, stream_mode="custom", durability="async"
            ):
                listener(cast(Event, event))
            await workspace.ledger.settle()
            now = await graph.aget_state(config)
            workspace.lease.finished = not now.next
            request = asked(now)
        if request is not None:
            reason = waiting_for(request)
            return AwaitsApproval(reason, dict(request))
        return None
    except RunStopped as stopped:
        reason = str(stopped)
        return stopped
    except sqlite3.Error as error:
        # The checkpointer's own; the store's are explained where they happen.
        explained = explain(error, workspace.store.path)
        reason = str(explained)
        raise explained from error
    except MetaspoError as error:
        reason = str(error)
        raise
    except asyncio.CancelledError:
        reason = "interrupted, at once"
        if not workspace.account.abandoned:
            raise
        cast("asyncio.Task[Any]", asyncio.current_task()).uncancel()
        return Interrupted(reason)
    finally:
        workspace.lease.reason = reason
        await workspace.ledger.settle()


def _signals(workspace: Workspace) -> AbstractAsyncContextManager[None]:
    """The first Ctrl-C or SIGTERM lets calls in flight finish, the second stops at once."""
    task = asyncio.current_task()

    def abort() -> None:
        workspace.account.stop()
        workspace.account.abandoned = True
        workspace.ledger.abandon()
        if task is not None:
            task.cancel()

    return stopped_by_signals(workspace.account.stop, abort)
