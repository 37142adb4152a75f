"""The driver of a study on a cluster: gives runs to workers, tries again what is lost, tells what happens, ends it all."""

import asyncio
import contextlib
import os
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Self

from ...domain.errors import ConfigError, Interrupted, MetaspoError, NoAnswersError
from ...domain.paths import path_of
from ...models.account import Account
from ...models.registry import registry
from ...models.sharing.messages import LineLost, Reason
from ...runs.session import AT_ONCE, Listener, from_nothing
from ...runs.signals import stopped_by_signals
from ...store.checkpoints import open_checkpointer
from ...store.database import Store
from ...workspace.run_input import RunInput
from ..batch import BatchListener, Planned
from .connecting import connected
from .fitting import refuse_what_stays_here, refuse_what_vanishes
from .held import Held, held
from .leading import BEGUN, SILENT, Leader
from .losses import MOST_LOSSES, OUT_OF_REACH, how_lost
from .order import Order, Outcome, written_by
from .own_store import study_of
from .tasks import cleaning_task, only_on, run_task

LOOK_EVERY = 0.3
"""Seconds between two looks at what was told."""

PATIENCE = 10.0
"""Seconds after which a person is told that a run waits for a free CPU, and that what is closed may take."""


class Cluster:
    """The runs of a study as tasks of a Ray cluster. Ray is started, or joined, when the first of them is to be done."""

    def __init__(self, store: str, account: Account, listener: BatchListener) -> None:
        """Work for the study whose store is at `store`; its account says when to stop, its listener hears all runs."""
        self._store, self._account, self._listener = path_of(store).absolute(), account, listener
        self._study = study_of(self._store)
        self._folder = os.getcwd()  # That of a job may be made anew under its feet.
        self._opening, self._pulling, self._aborted = asyncio.Lock(), asyncio.Lock(), asyncio.Event()
        self._leader: Any = None
        self._connection = ExitStack()
        self._closing = AsyncExitStack()
        self._listeners: dict[str, Listener] = {}
        self._tasks: dict[str, Any] = {}
        self._begun: set[str] = set()
        self._silent: dict[tuple[str, int], asyncio.Event] = {}
        self._nodes: set[str] = set()
        self._attempts = 0

    async def __aenter__(self) -> Self:
        """Nothing is started yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what was started; nothing is left behind on the nodes where runs were at work."""
        await self._closing.aclose()

    async def work(self, run: str, plan: Planned, problem: RunInput | None, told: Listener) -> MetaspoError | None:
        """Have a worker do a run; why it is not done, or None. Raises UserError like a run in this process."""
        refuse_what_stays_here(plan)  # What follows a search is known late.
        async with self._opening:
            if self._leader is None and self._account.stopped is None:
                await self._open()
        if self._account.stopped is not None:
            return self._account.stopped
        store, _ = await registry().ledger(self._store)
        async with held(store, run, self._account.stop) as lease, stopped_by_signals(lambda: None, self._aborted.set):
            self._listeners[run] = told
            try:
                outcome = await self._worked(run, plan)
                return await self._ended(run, outcome, lease, store)
            finally:
                self._listeners.pop(run, None)

    async def _ended(self, run: str, outcome: Outcome, lease: Held, store: Store) -> MetaspoError | None:
        reason = outcome.reason()
        lease.reason = str(reason) if reason else lease.reason
        if isinstance(reason, NoAnswersError):
            async with open_checkpointer(self._store) as checkpointer:
                await from_nothing(store, checkpointer, run, run)
        if reason is not None and outcome.raised:
            raise reason
        return reason

    async def _worked(self, run: str, plan: Planned) -> Outcome:
        """How the run ended, in as many attempts as that took."""
        losses, closed = 0, -1
        while True:
            self._attempts += 1
            attempt = self._attempts
            task = self._run_task.options(name=f"metaspo {plan.label}").remote(self._leader, self._order(run, plan, attempt))
            self._tasks[run] = task
            why, found = "", Outcome()
            try:
                found = await self._awaited(run, attempt, task)
                why = OUT_OF_REACH if found.lost else ""
            except self._ray.exceptions.RayError as error:
                why = how_lost(error)
            finally:
                self._tasks.pop(run, None)
                self._begun.discard(run)
            if self._aborted.is_set():
                return Outcome.of(Interrupted(AT_ONCE))
            await self._pull()
            node, round = await self._asked("forget", run, attempt)
            if not why:
                return found
            if self._account.stopped is not None:
                return Outcome.of(self._account.stopped)
            losses, closed = (losses + 1 if round <= closed else 1), max(round, closed)
            where = f"on node {node} " if node else ""
            if losses > MOST_LOSSES:
                said = f"its worker was lost {losses} times and came no further, the last time {where}({why})"
                return Outcome.of(MetaspoError(f"run {run}: {said}; see 'ray logs'"), raised=True)
            self._tell(run, f"its worker {where}was lost ({why}); it goes on elsewhere from what the study has of it")

    async def _awaited(self, run: str, attempt: int, task: Any) -> Outcome:
        """What a task returns, or that its worker is silent; raises what Ray says when it is lost."""
        ended, silent = asyncio.ensure_future(_result(task)), asyncio.Event()
        self._silent[run, attempt] = silent
        given_up = [asyncio.ensure_future(one.wait()) for one in (self._aborted, silent)]
        try:
            await asyncio.wait((ended, *given_up), timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done() and not self._aborted.is_set():
                await self._pull()
                if run not in self._begun:
                    cpus = self._ray.cluster_resources().get("CPU", 0)
                    self._tell(run, f"waits for a free CPU: the cluster has {cpus:g}")
                await asyncio.wait((ended, *given_up), return_when=asyncio.FIRST_COMPLETED)
            return Outcome.model_validate(await ended) if ended.done() else Outcome(lost=True)
        finally:
            del self._silent[run, attempt]
            for one in given_up:
                one.cancel()
            if not ended.done():
                ended.cancel()
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(task, force=True)

    def _order(self, run: str, plan: Planned, attempt: int) -> dict[str, Any]:
        given = plan.problem
        others = [*given.made_by, *([given.from_run.run] if given.from_run else []), *(given.parent or ())[:1]]
        return Order(
            versions=written_by(), run=run, attempt=attempt, problem=given.model_dump(mode="json"),
            context=plan.context.model_dump(mode="json", exclude_unset=True), builds_on=[str(one) for one in others],
            study=self._study, folder=self._folder,
        ).model_dump()  # fmt: skip

    async def _open(self) -> None:
        """Connect to Ray, and have an actor lead the study on this machine. Raises UserError."""
        refuse_what_vanishes(self._store)
        self._closing.push_async_callback(asyncio.to_thread, self._connection.close)
        self._ray = ray = await asyncio.to_thread(self._connection.enter_context, connected())
        here = only_on(ray, ray.get_runtime_context().get_node_id())
        actor = ray.remote(num_cpus=0, max_concurrency=100_000, max_restarts=0)(Leader)
        account = self._account
        try:
            self._leader = actor.options(name=f"metaspo {self._study}", scheduling_strategy=here).remote(
                str(self._store), account.budget, account.usage, sorted(account.doubts)
            )
        except ValueError:
            raise ConfigError(f"the study in {self._store} is at work in this namespace of Ray's; wait for it") from None
        self._run_task = run_task(ray)
        self._closing.push_async_callback(self._close)
        await self._asked("open", account.notes)
        for watching in (self._looking(), self._stopping()):
            task = asyncio.create_task(watching)
            self._closing.callback(task.cancel)

    async def _close(self) -> None:
        # Each has its own time: a node that is gone may take all of the first, and the leader has to close its store.
        for last in (self._cleaned, self._left):
            with contextlib.suppress(TimeoutError, MetaspoError, self._ray.exceptions.RayError):
                async with asyncio.timeout(PATIENCE):
                    await last()
        self._ray.kill(self._leader)

    async def _cleaned(self) -> None:
        clean = cleaning_task(self._ray)
        await asyncio.gather(*(_result(clean(node, self._leader, self._study)) for node in self._nodes), return_exceptions=True)

    async def _left(self) -> None:
        await self._asked("close")

    async def _asked(self, what: str, *args: Any) -> Any:
        """What the leader answers; raises LineLost where it is gone."""
        try:
            found = await getattr(self._leader, what).remote(*args)
        except self._ray.exceptions.RayError as error:
            raise LineLost(str(error).strip().partition("\n")[0]) from None
        if isinstance(found, Reason):
            raise found.error()
        return found

    async def _looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self._pull()
            except LineLost as lost:
                self._account.stop(lost)
                return

    async def _pull(self) -> None:
        """Tell what was told of the runs, in the order in which it was."""
        async with self._pulling:
            for run, event in await self._asked("news"):
                if event["event"] == BEGUN:
                    self._begun.add(run)
                    self._nodes.add(event["id"])
                    self._tell(run, f"works on node {event['node']}")
                elif event["event"] == SILENT:
                    if attempt := self._silent.get((run, event["attempt"])):
                        attempt.set()
                elif not run:
                    self._listener("all runs", event)
                elif listener := self._listeners.get(run):
                    listener(event)

    def _tell(self, run: str, text: str) -> None:
        if listener := self._listeners.get(run):
            listener({"event": "noted", "text": text})

    async def _stopping(self) -> None:
        """When the study is to stop, tell the leader; what no worker has begun is not begun."""
        await self._account.unless_stopped(asyncio.get_running_loop().create_future())
        with contextlib.suppress(LineLost):
            at_work = await self._asked("stop", Reason.of(self._account.reason))
            for run, task in self._tasks.items():
                if run not in at_work:
                    self._ray.cancel(task, force=True)


async def _result(task: Any) -> Any:
    return await task
