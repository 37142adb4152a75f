"""The workspaces of this process: opened once per run, with the run's lease, and let go when nobody works there."""

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from langgraph.runtime import ExecutionInfo, Runtime
from sqlite_utils import Database

from ..compat import outer_namespace
from ..domain.errors import EditError, TaskError
from ..models.account import Account
from ..models.model import Model
from ..models.priced import from_lists
from ..models.registry import registry
from ..models.spec import ModelSpec
from ..store import calls, dealt, evaluations, images, leases, runs
from ..store.checkpoints import refuse_elsewhere
from ..store.database import Store, default_store, now
from ..tasks.task import Task
from .base_models import asked_models, check_counting, check_differ
from .context import Context
from .dealing import Rules, dealing_rules, open_tasks
from .generalization import GENERALIZE, Generalization, GeneralizationWorkspace
from .lease import RunLease, acquired
from .problem import Problem
from .resources import Workspace
from .run_input import RunInput
from .search import SearchWorkspace
from .serving import strict, trusted
from .state import problem_of

Begins = Callable[[Any], RunInput]
"""Finds what a run is given in the state of a graph that begins."""

Kind = TypeVar("Kind", bound=Workspace)


def thread_name(info: ExecutionInfo | None) -> str | None:
    """The name of the thread that a node works on, None where there is none.

    Inside another graph the thread is that graph's; each time it comes to us is then a thread of its own.
    """
    if info is None or not info.thread_id:
        return None
    outer = outer_namespace(info.checkpoint_ns)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{info.thread_id}/{outer}")) if outer else info.thread_id


async def run_id(state: Mapping[str, Any], thread: str | None, begins: Begins | None) -> str:
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
    state: Mapping[str, Any], runtime: Runtime[Context] | None, *, begins: Begins | None = None
) -> Workspace:
    """The workspace of the run that a node is working on, opened if this process has not done so yet.

    Work that begins, on a new thread or anew, has its problem in the state, where `begins` finds it; others have
    it in the store. There is no runtime when a person changes a thread's state; then the run's own context counts.
    """
    thread = thread_name(runtime.execution_info) if runtime else None
    run = await run_id(state, thread, begins)
    with trusted(await _given_before(run)):
        problem = await asyncio.to_thread(begins, state) if begins else None
    # In another agent's graph, the context may be that agent's own.
    given = runtime.context if runtime and isinstance(runtime.context, Context) else None
    return await open_workspace(run, given, problem)


async def _given_before(run: str) -> dict[str, Any]:
    """What a run in the server's store was given: that much of its state is no client's."""
    if strict() is None:
        return {}
    store, _ = await registry().ledger(default_store())
    found = await store.run(runs.known, run)
    return found.config["problem"] if found else {}


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


async def open_workspace(run: str, given: Context | None, problem: RunInput | None = None, *, alone: bool = False) -> Workspace:
    """Open a run's workspace and take the run's lease, or find them open; held while the running task is at work.

    Without a `problem` the run must be in the store; what `given` does not set is then as it was. A
    workspace whose run was stopped, or that was opened for another problem or context, is opened anew:
    resuming with a larger budget is that. With `alone`, a run that anything works on is refused.
    Raises UserError for tasks, models or a store that cannot be used, before any call is made, and
    RunHeldError when another process works on the run.
    """
    loop = asyncio.get_running_loop()
    there = _open.setdefault(loop, {})
    async with _opening.setdefault(loop, {}).setdefault(run, asyncio.Lock()):
        known = there.get(run)
        if known is not None and not known.lease.at_work and (alone or not known.fits(given, problem)):
            await known.lease.close()
            known = None
        if known is None or alone:
            known = await _new_workspace(run, given, problem, lambda: there.pop(run, None))
            there[run] = known
        known.lease.enter()
        return known


async def _new_workspace(run: str, given: Context | None, problem: RunInput | None, left: Callable[[], object]) -> Workspace:
    context = given or Context()
    await asyncio.to_thread(refuse_elsewhere, context.store)
    store, ledger = await registry().ledger(context.store)
    lease = await acquired(store, run)
    try:
        if problem is None:
            problem, context = await _known(store, run, context)
        problem.check()
        settings = problem.settings()
        rules = await store.run(dealing_rules, run, problem)
        sources, targets = await asyncio.to_thread(open_tasks, problem, settings, rules)
        train_first = rules.dealing == "train first"
        account = await _account(store, run, context)
        bases = tuple([await registry().model(spec, by_name=train_first) for spec in context.base_models])
        workspace = (GeneralizationWorkspace if isinstance(problem, Generalization) else SearchWorkspace)(
            run=run, problem=cast(Any, problem), given=given, context=context, settings=settings, sources=sources,
            targets=targets, store=store, ledger=ledger, base=bases[0], bases=bases,
            optimizer=await registry().model(context.optimizer, by_name=train_first) if problem.asks_optimizer() else None,
            analyst=await registry().model(context.analyst, by_name=train_first)
            if context.analyst and problem.asks_analyst() else None,
            judges=await open_judges([*sources.values(), *targets.values()], context),
            account=account, lease=RunLease(store, account, lease, left), by_name=train_first,
        )  # fmt: skip
        await asyncio.to_thread(account.check, asked_models(workspace))
        await store.run(_as_before, workspace)
        check_differ(workspace)
        await store.run(_record, workspace, rules)
        return workspace
    except BaseException:
        await store.run(leases.release, lease)
        raise


async def _known(store: Store, run: str, given: Context) -> tuple[RunInput, Context]:
    """What a run in the store was given, and its context with what is set anew."""
    stored = (await store.run(runs.find, run)).config
    set_now = given.model_dump(include=given.model_fields_set)
    with trusted():
        context = Context.model_validate({**as_asked(stored["context"]), **set_now, "store": given.store})
    return await asyncio.to_thread(stored_input, stored), context


def as_asked(context: dict[str, Any]) -> dict[str, Any]:
    """A run's context with its models as it began: before names told of reasoning, all were asked alike."""
    return {
        name: {"reasoning": False, **value} if name in ("base", "optimizer") and isinstance(value, dict) else value
        for name, value in context.items()
    }


@trusted()
def stored_input(config: dict[str, Any]) -> RunInput:
    """What a run in the store was given, from its configuration there."""
    given = config["problem"]
    kind: type[Problem] | type[Generalization] = Generalization if given["method"] == GENERALIZE else Problem
    return kind.model_validate(given)


async def _account(store: Store, run: str, context: Context) -> Account:
    usage = await store.run(calls.usage, run)
    known = [row for row in await store.run(runs.all_runs) if row.id == run]
    account = Account(run, context.budget, usage, known[0].seconds if known else 0.0)
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


def _record(db: Database, workspace: Workspace, rules: Rules) -> None:
    moment, problem = now(), workspace.problem
    config: dict[str, Any] = {
        "problem": problem.model_dump(mode="json"),
        "context": workspace.context.model_dump(mode="json"),
        "settings": asdict(workspace.settings),
    }
    before = runs.known(db, workspace.run)
    if before is None:
        config |= {"unseen": True, "reading": rules.reading} | (
            {} if rules.dealing == "train first" else {"dealing": rules.dealing}
        )
    else:
        config |= {name: before.config[name] for name in ("dealing", "unseen", "reading", "left_out") if name in before.config}
        check_counting(workspace.run, before.config["context"], workspace.context)
    config |= {"data": rules.data} if rules.data else {}
    # Which prices a run was counted at stays with it, whatever a later list says.
    kept = before.config.get("prices", []) if before else []
    kept += [one for one in from_lists(spec for _, spec in asked_models(workspace)) if one not in kept]
    config |= {"prices": kept} if kept else {}
    known = {task.name: task.task for task in evaluations.run_tasks(db, workspace.run)}
    for name, task in workspace.tasks.items():
        if known.get(name, task.id) != task.id:
            raise TaskError(
                f"task '{name}' has changed since run {workspace.run} began; restore its data and settings, or start a new run"
            )
        images.keep(db, task.images, task.spec._images.of)
    parent, parent_round = problem.parent or (None, None)
    row = runs.Run(
        workspace.run, parent, parent_round, problem.method, config, "running", None, moment, moment, 0, version("metaspo")
    )
    runs.create(db, row)
    for name, task in workspace.tasks.items():
        counts = [len(task.splits[split]) for split in ("train", "validation", "test")]
        role: evaluations.Role = "source" if name in workspace.sources else "target"
        drawn = evaluations.RunTask(workspace.run, task.id, name, role, *counts)
        spec = task.spec.model_dump(mode="json", by_alias=True, exclude={"examples"})
        evaluations.save_task(db, drawn, spec, list(task.examples.values()))
        dealt.save(db, workspace.run, task.id, task.splits)
