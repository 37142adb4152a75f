"""What the nodes of one run work with: its tasks, models, store and account."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..domain.calls import Constraint, Reply, Request
from ..domain.prompts import Prompt
from ..domain.results import Split
from ..models.account import Account
from ..models.ledger import Ledger, Model
from ..models.registry import registry
from ..store import prompts
from ..store.database import Store
from ..tasks.task import Task
from .context import Context
from .generalization import Generalization
from .lease import RunLease
from .method import Settings, Step
from .problem import Problem

BASE_TOKENS, OPTIMIZER_TOKENS, JUDGE_TOKENS = 512, 1024, 256
"""Longest replies, in tokens, of models whose spec sets none."""


@dataclass
class Workspace:
    """One run's opened resources. Models are reached through its methods only, so that every call is counted.

    `optimizer` is opened before any call where the schedule asks it, and else only if it is asked after all.
    `schedule` holds the steps that are this run's own: a branch leaves out what its parent has done.
    `given` is the context as the graph got it, `context` the same with what the run already knew.
    """

    run: str
    problem: Problem | Generalization
    given: Context | None
    context: Context
    settings: Settings
    schedule: list[Step]
    sources: dict[str, Task]
    targets: dict[str, Task]
    store: Store
    ledger: Ledger
    base: Model
    optimizer: Model | None
    judges: dict[str, Model]
    account: Account
    lease: RunLease

    def fits(self, given: Context | None, problem: Problem | Generalization | None) -> bool:
        """Whether work under this context, and on this problem if there is one, can go on in this workspace."""
        same = self.given == given and problem in (None, self.problem)
        return same and self.lease.open and self.account.stopped is None

    @property
    def tasks(self) -> dict[str, Task]:
        """Source and target tasks by name."""
        return {**self.sources, **self.targets}

    @property
    def selecting(self) -> Split:
        """The split whose scores select; never test."""
        return "validation" if self.settings.validation_size else "train"

    def base_request(self, task: Task, messages: Sequence[tuple[str, str]]) -> Request:
        """The request that puts one question of a task to the base model."""
        spec = self.base.spec
        temperature = spec.temperature or 0.0
        longest = task.spec.max_tokens or spec.max_tokens or BASE_TOKENS
        sample = f"seed {self.problem.seed}" if temperature else ""
        return Request(tuple(messages), longest, temperature, sample, task.constraint)

    async def ask_base(self, task: Task, messages: Sequence[tuple[str, str]]) -> tuple[str, Reply]:
        """The key and reply of one question put to the base model."""
        return await self.ledger.call(self.base, self.base_request(task, messages), "base", self.account)

    async def ask_optimizer(self, text: str, sample: str, constraint: Constraint | None = None) -> tuple[str, Reply]:
        """The key and reply of one request to the optimizer model; each `sample` is a draw of its own."""
        if self.optimizer is None:
            self.optimizer = await registry().model(self.context.optimizer)
        spec = self.optimizer.spec
        temperature = 1.0 if spec.temperature is None else spec.temperature
        sample = f"seed {self.problem.seed}, {sample}"
        request = Request((("user", text),), spec.max_tokens or OPTIMIZER_TOKENS, temperature, sample, constraint, "optimizer")
        return await self.ledger.call(self.optimizer, request, "optimizer", self.account)

    async def ask_judge(self, task: Task, messages: Sequence[tuple[str, str]], constraint: Constraint) -> Reply:
        """A judge's reply; judges work at temperature 0 unless their spec says otherwise."""
        judge = self.judges[task.name]
        request = Request(
            tuple(messages), judge.spec.max_tokens or JUDGE_TOKENS, judge.spec.temperature or 0.0, constraint=constraint,
            role="judge",
        )  # fmt: skip
        return (await self.ledger.call(judge, request, "judge", self.account))[1]

    @property
    def first_round(self) -> int:
        """The round that the first prompts are scored in: 0, or the parent's where a branch begins."""
        return self.problem.start.round if self.problem.start else 0

    @property
    def last_round(self) -> int:
        """The last round of the search; the final test is the one after it."""
        return self.first_round + len(self.schedule)

    @property
    def seed_system(self) -> Prompt:
        """The system prompt that a person wrote, without its marks."""
        return Prompt("system", self.problem.first_system_prompt)

    def step(self, round: int) -> Step:
        """The step of the schedule that a round of the search takes."""
        return self.schedule[round - self.first_round - 1]

    def first_beam(self) -> list[Prompt]:
        """The system prompts that a branch takes over beside the one in force."""
        return [Prompt("system", text) for text in self.problem.start.beam] if self.problem.start else []

    def first_prompts(self) -> tuple[Prompt, dict[str, list[Prompt]]]:
        """The system prompt and each source task's user prompts that the search begins with: the seeds, or a parent's."""
        start = self.problem.start
        carried = start.user_prompts if start else {}
        users = {
            name: [Prompt("user", text) for text in carried.get(name) or [task.spec.user_prompt]]
            for name, task in self.sources.items()
        }
        return Prompt("system", start.system_prompt) if start else self.seed_system, users

    async def prompt_texts(self, *ids: str) -> list[str]:
        """The texts of prompts by their ids."""
        found = await self.store.run(prompts.prompt_texts, list(ids))
        return [found[id] for id in ids]

    async def save_prompts(self, *made: Prompt) -> None:
        """Keep prompts under their ids."""
        await self.store.run(prompts.save_prompts, made)
