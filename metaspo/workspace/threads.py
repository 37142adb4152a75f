"""Which run of a thread is meant: a thread's checkpoints may be those of several runs, one after another.

The first run of a thread has the thread's id. New input with another problem is a run of its own in the same thread.
"""

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.runtime import ExecutionInfo
from sqlite_utils import Database

from ..domain.errors import EditError
from ..store import evaluations, runs
from ..store.database import Store
from .beginning import begins_fork
from .dealing import dealing_rules, open_tasks
from .known import stored_input
from .outer import namespace_of
from .resources import Workspace
from .run_input import RunInput


@dataclass(frozen=True, slots=True)
class Thread:
    """The thread that a node works on, and the checkpoint that its superstep goes on from.

    Where a fork begins, `forks` is true and `fork_of` the run that it goes on from, "" where nothing went before.
    `shown` is the run that its state is of, which is another thread's where somebody copied that.
    """

    id: str
    checkpoint: str
    forks: bool = False
    fork_of: str = ""
    shown: str = ""


def thread_of(info: ExecutionInfo | None, state: Mapping[str, Any]) -> Thread | None:
    """The thread that a node works on, None where there is none.

    Inside another graph the thread is that graph's, if it has one; each time it comes to us is then a thread of its own.
    """
    outer = namespace_of(info)
    if info is None or not (info.thread_id or outer):
        return None
    name, forks = info.thread_id or "", begins_fork(state)
    id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}/{outer}")) if outer else name
    fork_of, shown = (str(state.get(key) or "") for key in ("fork_of", "run"))
    return Thread(id, info.checkpoint_id, forks, fork_of if forks else "", "" if outer else shown)


def unthreaded(problem: RunInput) -> str:
    """The name of a run that is in no thread: made from its problem."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, problem.model_dump_json()))


async def run_that_begins(store: Store, thread: Thread, problem: RunInput, there: Iterable[Workspace]) -> str:
    """The run that input to a thread begins: the thread's first one, or its newest anew, or a further one.

    The newest run begins anew where it was given the same problem on the same data. A further one has an id that is
    made from the checkpoint of the input, so that whoever comes to it again finds the same run. `there` are the
    workspaces of this process: a session that begins a run has it open already.
    """
    every = await store.run(runs.in_thread, thread.id)
    if not every:
        return thread.id
    asked = problem.model_dump(mode="json")
    for known in there:
        if known.thread == thread.id and known.lease.at_work and known.problem.model_dump(mode="json") == asked:
            return known.run
    made = runs.id_in_thread(thread.id, thread.checkpoint)
    newest = every[-1]
    if made in {run.id for run in every}:
        return made
    same = await asyncio.to_thread(lambda: stored_input(newest.config).model_dump(mode="json")) == asked
    return newest.id if same and await _same_data(store, newest, problem) else made


async def _same_data(store: Store, run: runs.Run, problem: RunInput) -> bool:
    """Whether the tasks that a problem names are still those that the run has worked on."""
    rules = await store.run(dealing_rules, run.id, problem)
    sources, targets = await asyncio.to_thread(open_tasks, problem, problem.settings(), rules)
    known = await store.run(_tasks, run.id)
    return all(known.get(name, task.id) == task.id for name, task in {**sources, **targets}.items())


def _tasks(db: Database, run: str) -> dict[str, str]:
    return {task.name: task.task for task in evaluations.run_tasks(db, run)}


async def run_that_goes_on(store: Store, thread: Thread, known: str | None) -> str:
    """The run that a state or a job of a thread names, or its first one where none is named.

    Raises EditError for a run of another thread, whose state somebody copied.
    """
    if known in (None, thread.id):
        return thread.id
    named = await store.run(runs.known, str(known))
    if named is not None and named.thread_id == thread.id:
        return named.id
    raise EditError(
        f"thread {thread.id} is a copy of run {known}, which a run cannot go on from; go on with {known} itself, "
        f"or start a new run from one of its rounds: metaspo branch {known}"
    )
