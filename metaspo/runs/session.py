"""One session of a run: from taking the lease to giving it back, however it ends."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command

from ..approval.request import Request, waiting_for
from ..domain.errors import AwaitsApproval, Interrupted, MetaspoError, NoAnswersError, RunStopped
from ..graph.belonging import abelongs
from ..models.account import Account
from ..models.registry import registry
from ..store import runs
from ..store.afresh import begin_afresh
from ..store.chains import last_checkpoint
from ..store.checkpoints import open_checkpointer
from ..store.database import Store, explain
from ..workspace.context import Context
from ..workspace.events import Event
from ..workspace.first_replies import without_answer
from ..workspace.opening import open_workspace
from ..workspace.resources import Workspace
from ..workspace.run_input import RunInput
from .graphs import with_checkpointer
from .pending import asked
from .signals import stopped_by_signals
from .standing import stands_at
from .tracked import end_tracking

Listener = Callable[[Event], None]
"""Gets every event of the run as it happens; it must not block."""


AT_ONCE = "interrupted, at once"
"""Why a run stopped that did not wait for its calls in flight."""

Answer = Command[Any]
"""A person's answer to what a run waits for: `Command(resume=...)`."""


async def run_session(
    run: str,
    context: Context,
    given: RunInput | Answer | None,
    listener: Listener | None = None,
    parent: Account | None = None,
) -> MetaspoError | None:
    """Work on a run until it is done, stopped or waiting for a person; return why it is not done, or None.

    `given` is what the run starts with, the answer that it waits for, or None, and it goes on from its
    last checkpoint. Errors in what a person wrote are raised; the run is then recorded as stopped and can be
    resumed once they are mended. `parent` is the account of a study, a budget that several runs share.
    """
    async with registry().used():
        problem = None if isinstance(given, Command) else given
        workspace = await open_workspace(run, context, problem, alone=True)
        told = listener or (lambda event: None)
        stopped: MetaspoError | None = None
        try:
            workspace.account.under(parent)
            workspace.account.told = lambda text: told({"event": "noted", "text": text})
            # What holds for all runs of a study has been told once.
            for text in workspace.account.notes:
                if parent is None or text not in parent.notes:
                    workspace.account.told(text)
            async with _signals(workspace):
                stopped = await _work(workspace, given, told)
                return stopped
        except asyncio.CancelledError:
            # From wherever the work was, also from waiting for calls in flight after the first signal.
            workspace.lease.reason = AT_ONCE
            if not workspace.account.abandoned:
                raise
            cast("asyncio.Task[Any]", asyncio.current_task()).uncancel()
            return Interrupted(AT_ONCE)
        finally:
            try:
                await end_tracking(workspace, stopped)
            finally:
                await workspace.lease.close()


async def _work(workspace: Workspace, given: RunInput | Answer | None, listener: Listener) -> RunStopped | None:
    reason: str | None = "it was stopped by an error of ours"
    try:
        request = await _streamed(workspace, given, listener)
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
    finally:
        workspace.lease.reason = reason
        await workspace.ledger.settle(workspace.account)


async def _streamed(workspace: Workspace, given: RunInput | Answer | None, listener: Listener) -> Request | None:
    """Let the graph work as far as it goes; return what it then waits for, if it waits."""
    async with open_checkpointer(workspace.context.store) as checkpointer:
        graph = with_checkpointer(workspace.problem.method, checkpointer)
        goes_on = given is None or isinstance(given, Command)
        at = await stands_at(checkpointer, workspace) if goes_on else None
        config = at or RunnableConfig(configurable={"thread_id": workspace.thread})
        # A thread that is done says nothing of a store that stands earlier.
        await abelongs(graph, config, workspace.context)
        if given is None and at is not None and not (await graph.aget_state(at)).tasks:
            # Others may follow the checkpoint of a run that is done: to go on from it would be a new one.
            workspace.lease.finished = True
            return None
        entered: Any = given
        if not isinstance(given, Command) and (given or at is None):
            entered = (given or workspace.problem).model_dump(mode="json")
        events = graph.astream(entered, config, context=workspace.context, stream_mode="custom", durability="async")
        try:
            async for event in events:
                listener(cast(Event, event))
        except NoAnswersError:
            # What it has taken from replies that held nothing must not outlive what made them so.
            await workspace.ledger.settle(workspace.account)
            await from_nothing(workspace.store, checkpointer, workspace.run, workspace.thread)
            raise
        await workspace.ledger.settle(workspace.account)
        now = await graph.aget_state(await last_checkpoint(checkpointer, workspace.thread, workspace.run) or config)
        workspace.lease.finished = not now.tasks
        return asked(now)


async def from_nothing(store: Store, checkpointer: "BaseCheckpointSaver[str]", run: str, thread: str) -> None:
    """Have a run that never had an answer begin again: what is kept of it was taken from replies that held nothing."""
    if len(await store.run(runs.in_thread, thread)) == 1:
        await checkpointer.adelete_thread(thread)
    await store.run(begin_afresh, run, without_answer)


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
