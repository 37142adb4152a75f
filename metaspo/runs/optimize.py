"""Start and resume runs from Python and from the command line."""

import asyncio
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

from langgraph.types import Command

from ..approval.answers import addressed, addressee
from ..approval.request import Request, not_asked
from ..domain.errors import AwaitsApproval, ConfigError, MetaspoError
from ..domain.twins import twin_of
from ..reports.notebook.live import listening
from ..reports.notebook.shown import Shown
from ..reports.report import Report, open_report
from ..store import runs
from ..store.answers import answered_by
from ..store.database import default_store, open_store
from ..tasks.documents import check
from ..workspace.context import Context
from ..workspace.known import as_asked
from ..workspace.serving import trusted
from .config import RunConfig, config_of, located, nested
from .pending import pending
from .placebo import placebo_problem, run_placebo
from .session import Answer, Listener, run_session


@dataclass(frozen=True, slots=True, repr=False)
class Result(Shown):
    """What a session ended with. `stopped` says why it ended early, None when the run is done."""

    drawn_in: ClassVar[str] = "runs"

    report: Report
    stopped: MetaspoError | None

    @property
    def run(self) -> str:
        """The run's id, for `resume` and the command line."""
        return self.report.run.id

    @property
    def request(self) -> Request | None:
        """What a person has to decide before the run goes on, or None; answered with `resume(run, answer=...)`."""
        return cast(Request, self.stopped.request) if isinstance(self.stopped, AwaitsApproval) else None

    @property
    def system_prompt(self) -> str:
        """The best system prompt so far."""
        return self.report.system_after

    @property
    def user_prompts(self) -> dict[str, str]:
        """Each source task's best user prompt so far, with `{question}` in place."""
        return {task: prompts[0] for task, prompts in self.report.user_after.items()}


async def aoptimize(config: RunConfig | None = None, *, listener: Listener | None = None, **settings: Any) -> Result:
    """Run an optimization to its end, to its budget, or until it is interrupted.

    Settings are the keys of `RunConfig`: `tasks` (names, paths, blocks or TaskSpec objects), `base`,
    `optimizer` and `analyst` (spec strings or LangChain chat models), `system_prompt`, `preset`, `budget`, ...
    `listener` gets every event, such as `metaspo.progress()`, which a notebook has where there is none.
    Raises UserError for anything wrong in them, before any call is paid.
    """
    config = config or config_of(**settings)
    run = str(uuid.uuid4())
    with listening(listener) as told:
        stopped = await run_session(run, config.context(), config.problem(), told)
        if stopped is None:
            await run_placebo(run, config.context(), told)
    return await asyncio.to_thread(_result, config.store, run, stopped)


async def aresume(
    run: str = "last",
    *,
    answer: Any = None,
    store: str | Path | None = None,
    listener: Listener | None = None,
    **settings: Any,
) -> Result:
    """Go on with a run where it stopped, or with its placebo; nothing that was finished is paid or done again.

    `settings` may replace what a run works with: base, optimizer, analyst, budget, approve, track. `answer` is a
    person's, to a run that waits for approval: "accept", "reject", "stop", or a mapping as
    docs/approval.md tells. Raises StoreError when there is no such run, RunHeldError when another
    process works on it, ConfigError for an answer that cannot be used; the run then still waits.
    """
    found, context = await asyncio.to_thread(_stored, Path(store or default_store()), run, settings)
    with listening(listener) as told:
        given = None if answer is None else await _to_what_waits(answer, found.id, context, told)
        stopped = None
        if given or await asyncio.to_thread(placebo_problem, context.store, found.id) is None:
            stopped = await run_session(found.id, context, given, told)
        if stopped is None:
            await run_placebo(found.id, context, told)
    if answer is not None and isinstance(stopped, AwaitsApproval) and stopped.request["problem"]:
        raise ConfigError(str(stopped.request["problem"]))
    return await asyncio.to_thread(_result, context.store, found.id, stopped)


optimize = twin_of(aoptimize)
resume = twin_of(aresume)


@trusted()
def _stored(path: Path, name: str, settings: dict[str, Any]) -> tuple[runs.Run, Context]:
    with open_store(path) as store:
        found = runs.find(store.db, name)
    before = {**as_asked(found.config["context"]), "store": str(path)}
    changed = {name for name in settings if name.partition(".")[0] not in Context.model_fields}
    if changed:
        raise ConfigError(
            f"{sorted(changed)[0]} is part of what a run optimizes; "
            "resume takes base, optimizer, analyst, budget, approve and track"
        )
    given = check(Context, located({**before, **nested(settings, before)}, Path()), ConfigError)
    return found, given.on(Context.model_validate(before))


async def _to_what_waits(answer: Any, run: str, context: Context, listener: Listener | None) -> Answer:
    """The answer as one to what the run waits for now, whatever happens until it gets there."""
    _, request = await pending(context.store, run)
    if not request["id"]:
        # An earlier version has asked.
        await run_session(run, context, None, listener)
        _, request = await pending(context.store, run)
    named = addressee(answer)
    if named and named != request["id"]:
        raise ConfigError(not_asked(named, request, await asyncio.to_thread(_answered_by, context.store, run, named)))
    return Command(resume=addressed(answer, request["id"]))


def _answered_by(path: str, run: str, request: str) -> list[str]:
    with open_store(path) as store:
        return answered_by(store.db, run, request)


def _result(path: str, run: str, stopped: MetaspoError | None) -> Result:
    return Result(open_report(path, run), stopped)
