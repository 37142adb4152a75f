"""What the nodes of a search work with: its rounds, and the prompts that it begins with."""

from dataclasses import dataclass
from functools import cached_property

from ..domain.prompts import Prompt
from .method import Step
from .problem import Problem
from .resources import Workspace


@dataclass
class SearchWorkspace(Workspace):
    """A workspace whose run is a search.

    A round is counted from 0, the first prompts; a branch goes on counting from its parent's round.
    """

    problem: Problem

    @cached_property
    def schedule(self) -> list[Step]:
        """The steps that are this run's own: a branch leaves out what its parent has done."""
        return self.problem.schedule()

    @property
    def first_round(self) -> int:
        """The round that the first prompts are scored in: 0, or the parent's where a branch begins."""
        return self.problem.start.round if self.problem.start else 0

    @property
    def last_round(self) -> int:
        """The last round of the search; the final test comes after it, and before that what confirms."""
        return self.first_round + len(self.schedule)

    @property
    def test_round(self) -> int:
        """The round of the final test."""
        return self.last_round + 1 + self.problem.confirms

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

    def first_prompts(self) -> tuple[list[Prompt], dict[str, list[Prompt]]]:
        """The system prompts and each source task's user prompts that the search begins with: the seeds, or a parent's."""
        start = self.problem.start
        carried = start.user_prompts if start else {}
        users = {
            name: [Prompt("user", text) for text in carried.get(name) or [task.spec.user_prompt, *task.spec.user_prompts]]
            for name, task in self.sources.items()
        }
        systems = [start.system_prompt] if start else [self.problem.first_system_prompt, *self.problem.system_prompts]
        return [Prompt("system", text) for text in dict.fromkeys(systems)], users

    def written_user(self, task: str) -> Prompt:
        """The seed user prompt of a task before the answer format was added to it."""
        return Prompt("user", self.tasks[task].spec.written_prompt)

    def seed_user(self, task: str) -> Prompt:
        """The user prompt that a person wrote first for a task."""
        return Prompt("user", self.tasks[task].spec.user_prompt)
