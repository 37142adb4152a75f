"""The workspaces of this process: opened once per run, with the run's lease, and let go when nobody works there."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from langgraph.runtime import Runtime
from sqlite_utils import Database

from ..domain.errors import EditError, RunHeldError, TaskError
from ..models.account import Account
from ..models.ledger import Ledger
from ..models.model import Model
from ..models.priced import from_lists
from ..models.registry import registry
from ..models.spec import ModelSpec
from ..store import calls, dealt, evaluations, images, leases, runs
from ..store.database import Store, default_store, now
from ..store.location import refuse_elsewhere
from ..tasks.task import Task
from .base_models import asked_models, check_counting, check_differ
from .context import Context
from .dealing import UNSEEN, Rules, dealing_rules, open_tasks
from .generalization import Generalization, GeneralizationWorkspace
from .known import context_of, input_of
from .lease import RunLease, acquired
from .outer import context_given
from .resources import Workspace
from .run_input import RunInput
from .search import SearchWorkspace
from .serving import strict, trusted
from .state import problem_of
from .threads import Thread, run_that_begins, run_that_goes_on, thread_of, unthreaded
from .tracking.mlflow_client import prepare_mlflow
from .tracking.tracked import begin_tracking, left
from .whereabouts import refuse_lacking, relied_on, shown_to

Begins = Callable[[Any], RunInput]
"""Finds what a run is given in the state of a graph that begins."""

Kind = TypeVar("Kind", bound=Workspace)

KEPT = ("dealing", "unseen", "reading", "left_out", "inventory")
"""What of a run's config stays as it was when the run began."""


_open: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Workspace]]" = WeakKeyDictionary()
_opening: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]" = WeakKeyDictionary()
_found_in: dict[str, str] = {}


def where_is(name: str) -> str:
    """The store in which this process has found a run or thread of that name, or the one that is used where none is named."""
    return _found_in.get(name) or default_store()


async def workspace_of(
    state: Mapping[str, Any], runtime: Runtime[Context] | None, *, begins: Begins | None = None
) -> Workspace:
    """The workspace of the run that a node is working on, opened if this process has not done so yet.

    Work that begins, on a new thread or anew, has its problem in the state, where `begins` finds it; others have
    it in the store. There is no runtime when a person changes a thread's state; then the run's own context counts.
    """
    thread = thread_of(runtime.execution_info, state) if runtime else None
    with trusted(await _given_before(thread, state)):
        problem = await asyncio.to_thread(begins, state) if begins else None
    given = context_given(runtime, begins=begins is not None)
    # One after the other, so that the second input to a thread finds the run of the first.
    async with _opens(f"input of {thread.id}") if thread and problem else contextlib.nullcontext():
        run = await _run_of(state, thread, given, problem)
        return await open_workspace(run, given, problem, thread=thread)


def _opens(name: str) -> asyncio.Lock:
    return _opening.setdefault(asyncio.get_running_loop(), {}).setdefault(name, asyncio.Lock())


async def _run_of(state: Mapping[str, Any], thread: Thread | None, given: Context | None, problem: RunInput | None) -> str:
    """The run that a state or a job belongs to, or that its problem begins."""
    known, there = state.get("run"), _open.get(asyncio.get_running_loop(), {})
    if thread is None and known:
        return str(known)
    if thread is None:
        return unthreaded(await asyncio.to_thread(problem_of, cast(Any, state)) if problem is None else problem)
    if problem is None and known in there and there[known].thread == thread.id:
        return str(known)
    if problem is not None and thread.forks:
        return str(known)
    path = _path(given, thread.id)
    if relied := relied_on(thread.id, *shown_to(state)):
        await asyncio.to_thread(refuse_lacking, path, relied)
    store, _ = await _store(path)
    if problem is None:
        return await run_that_goes_on(store, thread, known)
    return await run_that_begins(store, thread, problem, [*there.values()])


def _path(given: Context | None, name: str) -> str:
    """The store that a context names, or else that in which this process has found the run or thread of that name."""
    if given and "store" in given.model_fields_set:
        return given.store
    return where_is(name)


async def _store(path: str) -> tuple[Store, Ledger]:
    await asyncio.to_thread(refuse_elsewhere, path)
    return await registry().ledger(path)


async def _given_before(thread: Thread | None, state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the runs of a thread in the server's store were given: that much of its state is no client's."""
    if strict() is None:
        return []
    store, _ = await registry().ledger(default_store())
    names = [str(name) for name in (thread and thread.id, state.get("run"), state.get("fork_of")) if name]
    return await store.run(runs.given_in, names)


async def search_workspace(
    state: Mapping[str, Any], runtime: Runtime[Context] | None, *, begins: Begins | None = None
) -> SearchWorkspace:
    """`workspace_of` for the nodes of the bilevel graph."""
    return _of_kind(SearchWorkspace, await workspace_of(state, runtime, begins=begins))


async def generalization_workspace(
    state: Mapping[str, Any], runtime: Runtime[Context], *, begins: Begins | None = None
) -> GeneralizationWorkspace:
    """`workspace_of` for the nodes of the generalization graph."""
    return _of_kind(GeneralizationWorkspace, await workspace_of(state, runtime, begins=begins))


def _of_kind(kind: type[Kind], found: Workspace) -> Kind:
    if not isinstance(found, kind):
        raise EditError(f"run {found.run} is of method {found.problem.method}, which another graph works on: name that one")
    return found


async def open_workspace(
    run: str, given: Context | None, problem: RunInput | None = None, *, alone: bool = False, thread: Thread | None = None
) -> Workspace:
    """Open a run's workspace and take the run's lease, or find them open; held while the running task is at work.

    Without a `problem` the run must be in the store; what `given` does not set is then as it was, as it is for a
    further run of a `thread`, whose runs go on from each other. A workspace whose run was stopped, or that was opened
    for another problem or context, is opened anew: resuming with a larger budget is that. With `alone`, a run that
    anything works on is refused.
    Raises UserError for tasks, models or a store that cannot be used, before any call is made, and
    RunHeldError when another process works on the run, or this one does under another context.
    """
    there = _open.setdefault(asyncio.get_running_loop(), {})
    async with _opens(run):
        known = there.get(run)
        if known is not None and not alone and not known.fits(given, problem) and not await known.lease.idle():
            raise RunHeldError(f"run {run} is at work here with other settings; wait for it, or cancel it and try again")
        if known is not None and not known.lease.at_work and (alone or not known.goes_on or not known.fits(given, problem)):
            await known.lease.close()
            known = None
        if known is None or alone:
            known = await _new_workspace(run, thread, given, problem)
            there[run] = known
        known.lease.enter()
        return known


async def _new_workspace(run: str, at: Thread | None, given: Context | None, problem: RunInput | None) -> Workspace:
    there = _open[asyncio.get_running_loop()]
    thread, origin, shown = (at.id, at.fork_of, at.shown) if at else (run, "", "")
    path = _path(given, thread)
    store, ledger = await _store(path)
    before = await store.run(runs.before, run, thread, origin, shown)
    thread = before.thread_id if before and before.id == run else thread
    for other in [*there.values()]:
        if other.thread == thread and other.run != run and not other.lease.at_work:
            await other.lease.close()
    lease = await acquired(store, run, thread)
    try:
        problem = await store.run(input_of, run, problem)
        context = await _context(before, given, path)
        problem.check()
        settings = problem.settings()
        rules = await store.run(dealing_rules, run, problem, origin)
        sources, targets = await asyncio.to_thread(open_tasks, problem, settings, rules)
        train_first = rules.dealing == "train first"
        account = await _account(store, run, context)
        bases = tuple([await registry().model(spec, by_name=train_first) for spec in context.base_models])
        workspace = (GeneralizationWorkspace if isinstance(problem, Generalization) else SearchWorkspace)(
            run=run, thread=thread, problem=cast(Any, problem), context=context, settings=settings, sources=sources,
            targets=targets, store=store, ledger=ledger, base=bases[0], bases=bases,
            optimizer=await registry().model(context.optimizer, by_name=train_first) if problem.asks_optimizer() else None,
            analyst=await registry().model(context.analyst, by_name=train_first)
            if context.analyst and problem.asks_analyst() else None,
            judges=await open_judges([*sources.values(), *targets.values()], context),
            account=account, lease=RunLease(store, account, lease, lambda: left(there.pop(run, None))), by_name=train_first,
        )  # fmt: skip
        await asyncio.to_thread(account.check, asked_models(workspace))
        await store.run(_as_before, workspace)
        check_differ(workspace)
        await _begin(workspace, rules, origin)
        return workspace
    except BaseException:
        await store.run(leases.release, lease)
        raise


async def _context(before: runs.Run | None, given: Context | None, path: str) -> Context:
    context = context_of(before, given).model_copy(update={"store": path})
    if context.track:
        await asyncio.to_thread(prepare_mlflow, "track: mlflow")
    return context


async def _begin(workspace: Workspace, rules: Rules, origin: str) -> None:
    await workspace.store.run(_record, workspace, rules, origin)
    begin_tracking(workspace, origin)
    path = workspace.context.store
    _found_in.update({workspace.run: path, workspace.thread: path})


async def _account(store: Store, run: str, context: Context) -> Account:
    usage = await store.run(calls.usage, run)
    known = await store.run(runs.known, run)
    account = Account(run, context.budget, usage, known.seconds if known else 0.0)
    account.exits_when_waiting = context.exit == "when waiting"
    return account


def _as_before(db: Database, workspace: Workspace) -> None:
    """Ask the models of a run that goes on as they were asked, without what their endpoints have refused."""
    before = runs.known(db, workspace.run)
    left_out = before.config.get("left_out", {}) if before else {}
    for model in (*workspace.bases, workspace.optimizer, workspace.analyst, *workspace.judges.values()):
        if model is not None:
            model.adaptation.without(left_out.get(model.named, ()))


async def open_judges(tasks: Sequence[Task], context: Context) -> dict[str, Model]:
    """The models that grade, by the names of those tasks whose metric is a judge: the optimizer where none is named."""
    return {
        task.name: await registry().model(ModelSpec.parse(task.spec.metric.model or context.optimizer))
        for task in tasks
        if task.spec.metric.kind == "judge"
    }


def _record(db: Database, workspace: Workspace, rules: Rules, origin: str = "") -> None:
    moment, problem = now(), workspace.problem
    config = _config(workspace, rules, runs.known(db, workspace.run))
    known = {task.name: task.task for task in evaluations.run_tasks(db, workspace.run)}
    for name, task in workspace.tasks.items():
        if known.get(name, task.id) != task.id:
            raise TaskError(
                f"task '{name}' has changed since run {workspace.run} began; restore its data and settings, or start a new run"
            )
        images.keep(db, task.images, task.spec._images.of)
    # A fork that takes no prompts over has a parent, and no round of that.
    parent, parent_round = problem.parent or (origin or (problem.from_run.run if problem.from_run else None), None)
    thread = None if workspace.thread == workspace.run else workspace.thread
    leases.refuse_others(db, workspace.run, workspace.thread)
    row = runs.Run(
        workspace.run, parent, parent_round, problem.method, config, "running", None, moment, moment, 0, version("metaspo"),
        thread,
    )  # fmt: skip
    runs.create(db, row)
    for name, task in workspace.tasks.items():
        counts = [len(task.splits[split]) for split in ("train", "validation", "test")]
        role: evaluations.Role = "source" if name in workspace.sources else "target"
        drawn = evaluations.RunTask(workspace.run, task.id, name, role, *counts)
        spec = task.spec.model_dump(mode="json", by_alias=True, exclude={"examples"})
        evaluations.save_task(db, drawn, spec, list(task.examples.values()))
        dealt.save(db, workspace.run, task.id, task.splits)


def _config(workspace: Workspace, rules: Rules, before: runs.Run | None) -> dict[str, Any]:
    config: dict[str, Any] = {
        "problem": workspace.problem.model_dump(mode="json"),
        "context": workspace.context.model_dump(mode="json"),
        "settings": asdict(workspace.settings),
    }
    if before is None:
        every = {name: task.inventory.as_data() for name, task in workspace.tasks.items() if task.inventory}
        config |= {"unseen": UNSEEN, "reading": rules.reading, "inventory": every} | (
            {} if rules.dealing == "train first" else {"dealing": rules.dealing}
        )
    else:
        config |= {name: before.config[name] for name in KEPT if name in before.config}
        check_counting(workspace.run, before.config["context"], workspace.context)
    config |= {"data": rules.data} if rules.data else {}
    # Which prices a run was counted at stays with it, whatever a later list says.
    kept = before.config.get("prices", []) if before else []
    kept += [one for one in from_lists(spec for _, spec in asked_models(workspace)) if one not in kept]
    config |= {"prices": kept} if kept else {}
    return config
