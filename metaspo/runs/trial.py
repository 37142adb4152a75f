"""A task tried before a run pays for it: some of its examples put to the base model, read and scored as a run would."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any, cast

from ..domain.calls import Reply, Role, Usage
from ..domain.errors import Interrupted, RunStopped
from ..domain.messages import Message
from ..domain.messages import as_data as message_data
from ..domain.results import Example, Outcome, Split
from ..domain.twins import twin_of
from ..models.account import Account
from ..models.registry import registry
from ..models.spec import ModelSpec
from ..store import calls, images
from ..tasks.catalogue import read_task
from ..tasks.examples import load_pools
from ..tasks.splits import Sizes, draw
from ..tasks.task import Task
from ..workspace.opening import open_judges
from ..workspace.resources import Workspace
from ..workspace.scoring import score_one
from .config import RunConfig
from .signals import stopped_by_signals

EVERY = 10**9
"""As many examples as there are."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One example and what became of it: the messages as they were sent, the reply, and the outcome of it."""

    base: str
    split: Split
    example: Example
    messages: Sequence[Message]
    reply: Reply
    outcome: Outcome


@dataclass
class Trial:
    """What a trial of a task came to.

    `usage` is what was paid now, its `cached` what the store had;
    `seconds` is how long it took. `stopped` says why some examples are missing, `notes` what to know of the figures.
    """

    task: str
    tried: list[Tried] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    stopped: RunStopped | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Replies that held an answer."""
        return sum(one.outcome.answer is not None for one in self.tried)

    @property
    def right(self) -> int:
        """Answers that are no failures; one without a grade is not counted."""
        return sum(one.outcome.graded and not one.outcome.failed for one in self.tried)


async def atry_task(config: RunConfig, size: int = 5) -> Trial:
    """Put some examples of the first task of a configuration to its base model, or to each of several.

    The examples are spread over the answers, and are none that a run would test, unless the task has no others. Calls
    are recorded in the configuration's store, where a run with the same prompts finds them, and are asked within its
    budget. Raises UserError for anything wrong with the task, the models or the store.
    """
    task = await asyncio.to_thread(_opened, config)
    trial, examples = Trial(task.name), spread(_to_try(task), size)
    async with registry().used(), _workspace(config, task) as workspace:
        await workspace.store.run(images.keep, Task(task.spec, {"train": tuple(examples)}).images, task.spec._images.of)
        account, trial.notes = workspace.account, workspace.account.notes
        pair = config.first_system_prompt, task.spec.user_prompt
        every = [(one, example) for one in workspace.each or [workspace] for example in examples]
        work = [asyncio.ensure_future(_tried(one, task, pair, example)) for one, example in every]
        try:
            await asyncio.wait(work)
            await workspace.ledger.settle(account)
        except asyncio.CancelledError:
            if not account.abandoned:
                raise
            cast("asyncio.Task[Any]", asyncio.current_task()).uncancel()
        trial.usage, trial.seconds = account.usage, account.session_seconds
    # What an interruption cut short has no outcome, and no exception either.
    ended = [one for one in work if one.done() and not one.cancelled()]
    trial.tried = [one.result() for one in ended if one.exception() is None]
    trial.stopped = _why([error for one in ended if (error := one.exception())])
    if trial.stopped is None and len(ended) < len(work):
        trial.stopped = Interrupted("interrupted, at once")
    return trial


try_task = twin_of(atry_task)


def as_data(trial: Trial) -> dict[str, Any]:
    """A trial as plain data, for scripts; scores are in [0, 1], and None where a judge gave none."""
    return {
        "task": trial.task,
        "examples": [_as_data(one) for one in trial.tried],
        "read": trial.read,
        "right": trial.right,
        "calls": trial.usage.total_calls,
        "known_calls": trial.usage.cached,
        "input_tokens": trial.usage.input_tokens,
        "output_tokens": trial.usage.output_tokens,
        "estimated": bool(trial.usage.estimated),
        "cost": trial.usage.cost,
        "seconds": round(trial.seconds, 3),
        "notes": trial.notes,
        "stopped": str(trial.stopped) if trial.stopped else None,
    }


def _as_data(one: Tried) -> dict[str, Any]:
    outcome, reply = one.outcome, one.reply
    return {
        "example": one.example.id,
        "split": one.split,
        "base": one.base,
        "messages": [message_data(message) for message in one.messages],
        "reply": reply.text,
        "finish": reply.finish,
        "steps": reply.steps,
        "answer": outcome.answer,
        "expected": list(one.example.answers),
        "score": outcome.score if outcome.graded else None,
        "failed": outcome.failed,
        "explanation": outcome.explanation,
    }


def spread(examples: Sequence[Example], size: int) -> list[Example]:
    """The first so many examples with answers taking turns, so that as many different ones as there can be are among them."""
    alike: dict[str, list[Example]] = {}
    for example in examples:
        alike.setdefault(example.answer, []).append(example)
    return [example for example in chain.from_iterable(zip_longest(*alike.values())) if example][:size]


def _opened(config: RunConfig) -> Task:
    """The task with all of its examples, dealt as a run deals them."""
    spec = read_task(config.tasks[0]).held(config.constrain)
    pools = load_pools(spec)
    sizes = Sizes(EVERY if pools.keys() & {"", "train"} else 0, EVERY, EVERY, frozenset(("train", "validation")))
    # Of a target task without splits, every example is tested.
    task = Task(spec, draw(spec.name, pools, sizes, config.seed, target=spec.role == "target" and "" in pools))
    task.load()
    return task


def _to_try(task: Task) -> Sequence[Example]:
    """The examples that select, training ones first; those that are tested where there are no others."""
    return [*task.splits["train"], *task.splits["validation"]] or task.splits["test"]


def _split_of(task: Task, example: Example) -> Split:
    return next(split for split, examples in task.splits.items() if example in examples)


@asynccontextmanager
async def _workspace(config: RunConfig, task: Task) -> AsyncIterator[Workspace]:
    """What a run on the task would work with, but that there is no run: nothing is recorded except calls."""
    context, nothing = config.context(), cast(Any, None)
    run = f"try-{uuid.uuid4()}"
    store, ledger = await registry().ledger(context.store)
    bases = tuple([await registry().model(spec) for spec in context.base_models])
    judges = await open_judges([task], context)
    account = Account(run, context.budget)
    asked: list[tuple[Role, ModelSpec]] = [("base", model.spec) for model in bases]
    await asyncio.to_thread(account.check, asked + [("judge", judge.spec) for judge in judges.values()])
    workspace = Workspace(
        run=run, problem=config.problem(), context=context, settings=config.settings(), sources={task.name: task},
        targets={}, store=store, ledger=ledger, base=bases[0], bases=bases, optimizer=None, judges=judges, account=account,
        lease=nothing, by_name=False,
    )  # fmt: skip
    work = asyncio.current_task()

    def abort() -> None:
        account.stop()
        account.abandoned = True
        ledger.abandon()
        if work is not None:
            work.cancel()

    async with stopped_by_signals(account.stop, abort):
        yield workspace


async def _tried(workspace: Workspace, task: Task, pair: tuple[str, str], example: Example) -> Tried:
    outcome = await score_one(workspace, task, pair, example)
    messages = (await workspace.store.run(calls.requests, [outcome.call]))[outcome.call]
    reply = await workspace.store.find_call(outcome.call)
    assert reply is not None  # It has been recorded before it was read.
    return Tried(workspace.base.spec.label, _split_of(task, example), example, messages, reply, outcome)


def _why(errors: Sequence[BaseException]) -> RunStopped | None:
    """Why examples are missing; raises what is nobody's wish."""
    other = next((error for error in errors if not isinstance(error, RunStopped)), None)
    if other is not None:
        raise other
    return cast(RunStopped, errors[0]) if errors else None
