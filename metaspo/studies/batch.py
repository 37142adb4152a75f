"""Several runs on one event loop: what is done is skipped, what was begun goes on, the rest starts."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..domain.calls import Role, Usage
from ..domain.errors import MetaspoError, RunStopped
from ..models.account import Account
from ..models.budget import Budget
from ..models.prices import Prices
from ..models.rates import RATES
from ..models.registry import registry
from ..models.spec import ModelSpec
from ..runs.session import Listener, run_session
from ..runs.signals import stopped_by_signals
from ..store import calls, runs
from ..store.database import open_store
from ..tasks.catalogue import read_task
from ..workspace.context import Context
from ..workspace.dealing import open_tasks
from ..workspace.events import Event
from ..workspace.run_input import RunInput

NAMESPACE = uuid.UUID("8f3a5d0e-5c1b-4c57-9a52-1f0e7f7f6f55")
"""Of run ids that are made from what a run does."""

BatchListener = Callable[[str, Event], None]
"""Gets every event of every run, with the run's label; it must not block."""


@dataclass(frozen=True)
class Planned:
    """A run to be done. Its id follows from what it does, so that the same run is never done twice."""

    label: str
    problem: RunInput
    context: Context
    follow: "Callable[[str], Sequence[Planned]]" = lambda run: ()
    """What to do once it is done, given its id; called in a thread."""

    @cached_property
    def run(self) -> str:
        """The run's id: the same for the same problem, task data and models."""
        tasks = open_tasks(self.problem, self.problem.settings())
        parts = [
            self.problem.model_dump(mode="json", exclude={"tasks", "targets"}),
            [[task.id for task in role.values()] for role in tasks],
            *(_answers(spec) for spec in (*self.context.base_models, self.context.optimizer)),
            # Runs without one keep the ids that they have had.
            *([{"analyst": _answers(self.context.analyst)}] if self.context.analyst else []),
        ]
        # One base model counts alone, whatever would count of several.
        parts += [self.context.bases] if len(self.context.base_models) > 1 else []
        return str(uuid.uuid5(NAMESPACE, json.dumps(parts, sort_keys=True)))


Work = Callable[[str, Planned, RunInput | None, Listener], Awaitable[MetaspoError | None]]
"""Works on a run, from the beginning with what it is given, or with None from where it stands: as `run_session` does."""


def _answers(spec: ModelSpec) -> str:
    """What a model's replies depend on; speed and prices may change between two starts of a study."""
    unlike = {"concurrency", *RATES, "timeout", "patience", "threads", *Prices.model_fields}
    return spec.model_dump_json(exclude=unlike, exclude_defaults=True)


def statuses(path: str | Path) -> dict[str, str]:
    """How the runs of a store stand, by id; empty where there is no store yet."""
    if not Path(path).exists():
        return {}
    with open_store(path) as store:
        return {**runs.statuses(store.db)}


def account_of(path: str | Path, planned: Sequence[str], budget: Budget) -> Account:
    """The account that runs share: its totals begin with what those of them in the store have paid.

    Minutes count from now on.
    """
    usage = Usage()
    if Path(path).exists():
        with open_store(path) as store:
            for run in planned:
                usage.include(calls.usage(store.db, run))
    return Account("", budget, usage)


def asked_by(plan: Planned) -> list[tuple[Role, ModelSpec]]:
    """The models that a run may ask, with their roles."""
    optimizer = plan.context.optimizer
    asked: list[tuple[Role, ModelSpec]] = [("base", base) for base in plan.context.base_models]
    asked += [("optimizer", optimizer)] if plan.problem.asks_optimizer() else []
    analyst = plan.context.analyst
    asked += [("analyst", analyst)] if analyst and plan.problem.asks_analyst() else []
    metrics = [read_task(task).metric for task in [*plan.problem.tasks, *plan.problem.unseen_tasks]]
    return asked + [("judge", ModelSpec.parse(one.model or optimizer)) for one in metrics if one.kind == "judge"]


def _check(account: Account, planned: Sequence[Planned], told: BatchListener) -> None:
    """Refuse a shared budget that could never be reached, say what it leaves out and which prices are of a list."""
    account.check([asked for plan in planned for asked in asked_by(plan)])
    for note in account.notes:
        told("all runs", {"event": "noted", "text": note})


async def run_all(
    planned: Sequence[Planned],
    parallel: int,
    account: Account,
    listener: BatchListener | None = None,
    work: Work | None = None,
) -> MetaspoError | None:
    """Do the runs that are not done, `parallel` at a time; return what stopped them early, or None.

    `work` is what works on each of them; this process if none.
    The first run that is stopped, by a signal, the shared budget or an endpoint that is gone, keeps
    further ones from starting; those at work come to a clean end. Raises UserError like a single run.
    """
    told = listener or (lambda label, event: None)
    _check(account, planned, told)
    free, stopped = asyncio.Semaphore(parallel), list[MetaspoError]()
    # Two of them may turn out to be the same run: the second finds it done.
    same: dict[str, asyncio.Lock] = {}

    async def one(plan: Planned) -> None:
        run = await asyncio.to_thread(lambda: plan.run)
        async with same.setdefault(run, asyncio.Lock()), free:
            if account.stopped is not None:
                return
            reason = await _worked_on(run, plan, work or _here(account), told)
            if reason is not None:
                stopped.append(reason)
                account.stop(reason)
                return
        await asyncio.gather(*(one(following) for following in await asyncio.to_thread(plan.follow, run)))

    async with registry().used(), stopped_by_signals(account.stop, lambda: None):
        await asyncio.gather(*(one(plan) for plan in planned))
    wrong = [reason for reason in stopped if not isinstance(reason, RunStopped)]
    if wrong:
        raise wrong[0]
    return account.stopped


def _here(account: Account) -> Work:
    """What works on runs in this process."""

    async def here(run: str, plan: Planned, problem: RunInput | None, listener: Listener) -> MetaspoError | None:
        return await run_session(run, plan.context, problem, listener, account)

    return here


async def _worked_on(run: str, plan: Planned, work: Work, told: BatchListener) -> MetaspoError | None:
    """Have a run worked on, if it is not done; what kept it from being done, or None."""
    store, _ = await registry().ledger(plan.context.store)
    known = await store.run(runs.stands, run)
    if known and known[0] == "done":
        return None
    try:
        return await work(run, plan, None if known else plan.problem, lambda event: told(plan.label, event))
    except MetaspoError as error:
        return error
