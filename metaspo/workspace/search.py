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
