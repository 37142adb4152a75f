"""What the nodes of one run work with: its tasks, models, store and account."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from ..domain.calls import Constraint, Reply, Request, Role
from ..domain.messages import Message
from ..domain.prompts import Prompt
from ..domain.results import Split
from ..domain.several import combined_id
from ..models.account import Account
from ..models.adaptation import SAID, Adapted
from ..models.ledger import Ledger
from ..models.model import Model
from ..models.registry import registry
from ..prompts.renderer import Template, template
from ..store import evaluations, prompts, runs
from ..store.database import Store
from ..tasks.scores import judge
from ..tasks.task import Task
from .context import Context
from .first_replies import FirstReplies
from .lease import RunLease
from .run_input import RunInput
from .settings import Settings
from .tracking.tracker import Tracker

READING = "without thoughts"
"""How replies are read, where that has changed: scores of another reading are worked out anew from the same replies."""


@dataclass
class Workspace:
    """One run's opened resources. Models are reached through its methods only, so that every call is counted.

    `bases` are all base models, `base` is the first of them. `optimizer` is opened before any call where the run is
    sure to ask it, and else only if it is asked after all; `analyst` likewise, None too where the optimizer analyses
    failures itself.
    `context` is that of the run, whatever of it a graph was given. `by_name` says that the run began before the code
    of scripted functions counted. `tracker` tells a tracking server of the run, where it is to be told.
    """

    run: str
    problem: RunInput
    context: Context
    settings: Settings
    sources: dict[str, Task]
    targets: dict[str, Task]
    store: Store
    ledger: Ledger
    base: Model
    optimizer: Model | None
    judges: dict[str, Model]
    account: Account
    lease: RunLease
    by_name: bool
    bases: tuple[Model, ...] = field(default=(), kw_only=True)
    first: FirstReplies = field(default_factory=FirstReplies, kw_only=True)
    analyst: Model | None = field(default=None, kw_only=True)
    thread: str = field(default="", kw_only=True)
    tracker: Tracker | None = field(default=None, kw_only=True)

    def fits(self, given: Context | None, problem: RunInput | None) -> bool:
        """Whether work under this context, and on this problem if there is one, is what this workspace was opened for."""
        same = problem is None or problem.model_dump() == self.problem.model_dump()
        return same and not (given and given.changes(self.context))

    @property
    def goes_on(self) -> bool:
        """Whether work can go on here: the lease is held, and the run neither done nor stopped."""
        return self.lease.open and not self.lease.finished and self.account.stopped is None

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Source and target tasks by name."""
        return {**self.sources, **self.targets}

    @property
    def selecting(self) -> Split:
        """The split whose scores select; never test."""
        return self.problem.selecting

    def template(self, name: str) -> Template:
        """The optimizer prompt of that name: the run's own, or ours."""
        return template(name, self.problem.optimizer_prompts)

    @cached_property
    def each(self) -> list[Self]:
        """This workspace with one of its base models alone, for each of several; empty where there is one."""
        several = self.bases if len(self.bases) > 1 else ()
        return [replace(self, base=base, bases=(base,), first=FirstReplies()) for base in several]

    def base_request(self, task: Task, messages: Sequence[Message]) -> Request:
        """The request that puts one question of a task to the base model."""
        temperature = self.base.temperature("base")
        longest = task.spec.max_tokens or self.base.spec.longest("base")
        sample = "" if temperature == 0 else f"seed {self.problem.seed}"
        return Request(tuple(messages), longest, temperature, sample, self.base.held(task.constraint))

    def evaluation_id(self, task: Task, pair: tuple[str, str], split: Split, only: Sequence[str] = ()) -> str:
        """The content address of an evaluation: task, split, prompts, and the models that answer and judge."""
        if self.each:
            return combined_id(self.context.bases, [one.evaluation_id(task, pair, split, only) for one in self.each])
        request = self.base_request(task, ()).content()
        parts: list[Any] = [task.id, split, *pair, self.base.identity, request]
        judges = self.judges.get(task.name)
        # What a judge is asked beside the answer shapes its grades: template, length, temperature, form.
        golds = ("",) if all(example.answers for example in task.examples.values()) else ()
        asked = self.judge_request(task, judge.judge_messages("", "", golds, "")).content() if judges else None
        parts.append([judges.identity, asked] if judges else None)
        parts += [list(only)] if only else []
        parts.append(READING)
        blob = json.dumps(parts, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:24]

    async def ask_base(self, task: Task, messages: Sequence[Message], about: str = "") -> tuple[str, Reply]:
        """The key and reply of one question put to the base model; `about` names it where something is wrong with it."""
        return await self._ask(self.base, lambda: replace(self.base_request(task, messages), about=about))

    async def ask_optimizer(self, text: str, sample: str, constraint: Constraint | None = None) -> tuple[str, Reply]:
        """The key and reply of one request to the optimizer model; each `sample` is a draw of its own."""
        if self.optimizer is None:
            self.optimizer = await registry().model(self.context.optimizer, by_name=self.by_name)
        return await self._write(self.optimizer, "optimizer", text, sample, constraint)

    async def ask_analyst(self, text: str, sample: str) -> tuple[str, Reply]:
        """The key and reply of one request to the model that analyses failures: the optimizer, where no analyst is named."""
        if self.context.analyst is None:
            return await self.ask_optimizer(text, sample)
        if self.analyst is None:
            self.analyst = await registry().model(self.context.analyst, by_name=self.by_name)
        return await self._write(self.analyst, "analyst", text, sample)

    async def _write(
        self, model: Model, role: Role, text: str, sample: str, constraint: Constraint | None = None
    ) -> tuple[str, Reply]:
        # An analyst's settings that are not set are an optimizer's.
        longest, sample = model.spec.longest("optimizer"), f"seed {self.problem.seed}, {sample}"

        def request() -> Request:
            temperature = model.temperature("optimizer")
            return Request((("user", text),), longest, temperature, sample, model.held(constraint), role)

        return await self._ask(model, request)

    def judge_request(self, task: Task, messages: Sequence[Message]) -> Request:
        """The request that has an answer of a task graded; judges work at temperature 0 unless their spec says otherwise."""
        model = self.judges[task.name]
        longest, temperature = model.spec.longest("judge"), model.temperature("judge")
        return Request(tuple(messages), longest, temperature, constraint=model.held(judge.CONSTRAINT), role="judge")

    async def ask_judge(self, task: Task, messages: Sequence[Message]) -> Reply:
        """A judge's reply."""
        return (await self._ask(self.judges[task.name], lambda: self.judge_request(task, messages)))[1]

    async def _ask(self, model: Model, request: Callable[[], Request]) -> tuple[str, Reply]:
        """The key and reply of a request as the endpoint takes it, which the first of them may find out."""
        while True:
            await self._tell_left_out(model)
            made = request()
            try:
                return await self.ledger.call(model, made, made.role, self.account)
            except Adapted:
                continue

    async def _tell_left_out(self, model: Model) -> None:
        told = [f"{model.named} {SAID[name]}" for name in model.adaptation.left_out(model.spec)]
        if {*told} - {*self.account.notes}:
            for text in told:
                self.account.note(text)
            await self.store.run(runs.save_left_out, self.run, model.named, sorted(model.adaptation.refused))

    async def stop_without_answers(self, *, at_the_end: bool = False) -> None:
        """Stop the run with the reason where none of its first replies holds an answer, or none of the answers got a grade."""
        longest = self.base.spec.longest("base")
        if self.first.trouble(self.base.spec, longest, at_the_end=at_the_end) is None:
            return
        self.first.before = await self.store.run(evaluations.has_answers, self.run)
        trouble = self.first.trouble(self.base.spec, longest, at_the_end=at_the_end)
        if trouble is not None:
            self.account.stop(trouble)
            raise self.account.reason

    async def prompt_texts(self, *ids: str) -> list[str]:
        """The texts of prompts by their ids."""
        found = await self.store.run(prompts.prompt_texts, list(ids))
        return [found[id] for id in ids]

    async def save_prompts(self, *made: Prompt) -> None:
        """Keep prompts under their ids."""
        await self.store.run(prompts.save_prompts, made)

    async def finish(self, reason: str | None = None) -> None:
        """Record that the run is done, and why if it ended early; no node follows. One without any answer is not done."""
        for one in self.each or [self]:
            await one.stop_without_answers(at_the_end=True)
        await self._mark("done", reason)
        self.lease.finished = True

    async def wait(self, reason: str, *, stopped: bool = False) -> None:
        """Record that the run waits for a person, or that a person stopped it while it did, and what for."""
        await self._mark("stopped" if stopped else "waiting", reason)

    async def go_on(self) -> None:
        """Record that the run is at work again after it has waited."""
        await self._mark("running")

    async def _mark(self, status: runs.Status, reason: str | None = None) -> None:
        await self.store.run(runs.mark, self.run, status, reason)
