"""The workspaces of this process: opened once per run, with the run's lease, and let go when nobody works there."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, cast
from weakref import WeakKeyDictionary

from langgraph.runtime import ExecutionInfo, Runtime
from sqlite_utils import Database

from ..domain.errors import ConfigError, EditError, TaskError
from ..models.account import Account
from ..models.ledger import Ledger
from ..models.registry import registry
from ..models.spec import ModelSpec
from ..store import calls, evaluations, leases, runs
from ..store.checkpoints import refuse_elsewhere
from ..store.database import Store, now
from ..store.leases import Lease
from ..tasks.catalogue import TaskSource, open_task, read_task
from ..tasks.splits import Sizes
from ..tasks.task import Task
from .generalization import Generalization, GeneralizationState, stored_problem
from .lease import RunLease
from .method import Settings
from .resources import Workspace as Workspace
from .state import Context, Job, Problem, State, problem_of

Begins = Callable[[Any], Problem | Generalization]
"""Finds the problem in the state of a graph that begins."""


def thread_name(info: ExecutionInfo | None) -> str | None:
    """The name of the thread that a node works on, None where there is none.

    Inside another graph the thread is that graph's; each time it comes to us is then a thread of its own.
    """
    if info is None or not info.thread_id:
        return None
    outer = info.checkpoint_ns.rpartition("|")[0]
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{info.thread_id}/{outer}")) if outer else info.thread_id


async def run_id(state: State | Job | GeneralizationState, thread: str | None, begins: Begins | None) -> str:
    """The run that a state or a job belongs to: its thread, or a name made from the problem where there is none."""
    known = state.get("run")
    if known and thread not in (None, known) and not begins:
        raise EditError(
            f"thread {thread} is a copy of run {known}, which a run cannot go on from; go on with {known} itself, "
            f"or start a new run from one of its rounds: metaspo branch {known}"
        )
    if thread or known:
        return thread or str(known)
    problem = await asyncio.to_thread(begins or problem_of, cast(Any, state))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, problem.model_dump_json()))


_open: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Workspace]]" = WeakKeyDictionary()
_opening: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]" = WeakKeyDictionary()


async def workspace_of(
    state: State | Job | GeneralizationState, runtime: Runtime[Context] | None, *, begins: Begins | None = None
) -> Workspace:
    """The workspace of the run that a node is working on, opened if this process has not done so yet.

    Work that begins, on a new thread or anew, has its problem in the state, where `begins` finds it; others have
    it in the store. There is no runtime when a person changes a thread's state; then the run's own context counts.
    """
    thread = thread_name(runtime.execution_info) if runtime else None
    run = await run_id(state, thread, begins)
    problem = await asyncio.to_thread(begins, cast(Any, state)) if begins else None
    # In another agent's graph, the context may be that agent's own.
    given = runtime.context if runtime and isinstance(runtime.context, Context) else None
    return await open_workspace(run, given, problem)


async def open_workspace(
    run: str, given: Context | None, problem: Problem | Generalization | None = None, *, alone: bool = False
) -> Workspace:
    """Open a run's workspace and take the run's lease, or find them open; held while the running task is at work.

    Without a `problem` the run must be in the store; what `given` does not set is then as it was. A
    workspace whose run was stopped, or that was opened for another problem or context, is opened anew:
    resuming with a larger budget is that. With `alone`, a run that anything works on is refused.
    Raises UserError for tasks, models or a store that cannot be used, before any call is made, and
    RunHeldError when another process works on the run.
    """
    loop = asyncio.get_running_loop()
    workspaces = _open.setdefault(loop, {})
    async with _opening.setdefault(loop, {}).setdefault(run, asyncio.Lock()):
        known = workspaces.get(run)
        if known is not None and not known.lease.at_work and (alone or not known.fits(given, problem)):
            await known.lease.close()
            known = None
        if known is None or alone:
            known = await _new_workspace(run, given, problem, lambda: workspaces.pop(run, None))
            workspaces[run] = known
        known.lease.enter()
        return known


async def _new_workspace(
    run: str, given: Context | None, problem: Problem | Generalization | None, left: Callable[[], object]
) -> Workspace:
    context = given or Context()
    await asyncio.to_thread(refuse_elsewhere, context.store)
    store, ledger = await registry().ledger(context.store)
    lease = await store.run(leases.acquire, run, now())
    try:
        if problem is None:
            stored = (await store.run(runs.find, run)).config
            problem = await asyncio.to_thread(stored_problem, stored)
            set_now = context.model_dump(include=context.model_fields_set)
            context = Context.model_validate({**stored["context"], **set_now, "store": context.store})
        return await _furnished(run, given, context, problem, store, ledger, lease, left)
    except BaseException:
        await store.run(leases.release, lease)
        raise


async def _furnished(
    run: str, given: Context | None, context: Context, problem: Problem | Generalization, store: Store, ledger: Ledger,
    lease: Lease, left: Callable[[], object],
) -> Workspace:  # fmt: skip
    opened = registry()
    problem.check()
    settings = problem.settings()
    sources, targets = await asyncio.to_thread(open_tasks, problem, settings)
    schedule = problem.schedule()
    base = await opened.model(context.base)
    optimizer = await opened.model(context.optimizer) if problem.asks_optimizer() else None
    judges = {
        task.name: await opened.model(ModelSpec.parse(task.spec.metric.model or context.optimizer))
        for task in [*sources.values(), *targets.values()]
        if task.spec.metric.kind == "judge"
    }
    usage = await store.run(calls.usage, run)
    known = [row for row in await store.run(runs.all_runs) if row.id == run]
    account = Account(run, context.budget, usage, known[0].seconds if known else 0.0)
    workspace = Workspace(
        run, problem, given, context, settings, schedule, sources, targets, store, ledger, base, optimizer, judges,
        account, RunLease(store, account, lease, left),
    )  # fmt: skip
    await store.run(_record, workspace)
    return workspace


def open_tasks(problem: Problem | Generalization, settings: Settings) -> tuple[dict[str, Task], dict[str, Task]]:
    """The source and the target tasks of a problem by name, with their splits drawn."""
    sizes = Sizes(settings.train_size, settings.validation_size, settings.test_size)

    def opened(sources: Sequence[TaskSource], target: bool) -> list[Task]:
        specs = [read_task(source) for source in sources]
        held = [
            spec.model_copy(update={"constrain": spec.constrain or (problem.constrain and bool(spec.reader.closed))})
            for spec in specs
        ]
        return [open_task(spec, sizes, problem.seed, target=target) for spec in held]

    sources, targets = opened(problem.tasks, False), opened(problem.targets or [], True)
    names = [task.name for task in sources + targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"two tasks are named {twice[0]!r}; names must differ, also between source and target tasks")
    return {task.name: task for task in sources}, {task.name: task for task in targets}


def _record(db: Database, workspace: Workspace) -> None:
    moment, start = now(), workspace.problem.start
    config = {
        "problem": workspace.problem.model_dump(mode="json"),
        "context": workspace.context.model_dump(mode="json"),
        "settings": {name: getattr(workspace.settings, name) for name in Settings.__dataclass_fields__},
    }
    known = {task.name: task.task for task in evaluations.run_tasks(db, workspace.run)}
    for name, task in workspace.tasks.items():
        if known.get(name, task.id) != task.id:
            raise TaskError(
                f"task '{name}' has changed since run {workspace.run} began; restore its data and settings, or start a new run"
            )
    parent, parent_round = (start.run, start.round) if start else (None, None)
    method = workspace.problem.method
    row = runs.Run(workspace.run, parent, parent_round, method, config, "running", None, moment, moment, 0, version("metaspo"))
    runs.create(db, row)
    for name, task in workspace.tasks.items():
        counts = [len(task.splits[split]) for split in ("train", "validation", "test")]
        drawn = evaluations.RunTask(workspace.run, task.id, name, "source" if name in workspace.sources else "target", *counts)
        spec = task.spec.model_dump(mode="json", by_alias=True, exclude={"examples"})
        evaluations.save_task(db, drawn, task.spec.domain, task.spec.metric.kind, spec, list(task.examples.values()))
