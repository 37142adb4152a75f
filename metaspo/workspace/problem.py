"""What the graph is given: what to optimize and how."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..domain.locks import Locks, without_marks
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..tasks.catalogue import TaskSource, builtin_tasks, read_task
from ..tasks.documents import Block
from .method import FILE, Step, find_method, fixed_prompt, known_methods, needs_optimizer
from .run_input import SystemPrompt
from .settings import PRESETS, Settings

ADAPT = "adapt"
"""The method of test-time adaptation, whose tasks are target tasks."""


def _size(what: str, least: int = 1) -> Any:
    return Field(None, description=f"{what}; the preset's if empty.", ge=least)


class Start(BaseModel):
    """Prompts to start from instead of the seeds: what stood after a round of a parent run.

    They are scored first, which costs nothing where the same pair has been scored before.
    """

    model_config = ConfigDict(extra="forbid")

    run: str = Field(description="The parent run.")
    round: int = Field(ge=0, description="The round after which the parent is continued.")
    steps: int = Field(ge=0, description="How many steps of the method's schedule the parent has done; 0 for another method.")
    system_prompt: str = Field(min_length=1, description="The system prompt in force.")
    user_prompts: dict[str, list[str]] = Field(description="Each task's kept user prompts, best first.")
    beam: list[str] = Field(
        default_factory=list,
        description="Further system prompts that the parent kept, best first, where its method keeps several.",
    )


class Problem(Block):
    """What to optimize and how: the graph's input. The defaults are the built-in demo."""

    tasks: list[str | dict[str, Any]] = Field(
        default_factory=list,
        description="Source tasks: built-in names, task files or task blocks. All built-in ones if empty.",
        json_schema_extra={"default": []},
    )
    targets: list[str | dict[str, Any]] | None = Field(
        None, description="Tasks that the search never sees, scored at the end. The built-in ones if tasks is empty too."
    )
    system_prompt: SystemPrompt = Field(
        DEFAULT_SYSTEM_PROMPT,
        description="The system prompt to start from. What stands between <locked> and </locked> stays word for word.",
        json_schema_extra={"langgraph_nodes": ["evaluate", "propose_system_prompts"], "langgraph_type": "prompt"},
    )
    system_length: int | None = Field(
        None, ge=1, description="The most characters that a system prompt may have, locked parts included; no limit if empty."
    )
    method: str = Field(
        "metaspo",
        description="How to search; 'metaspo methods' lists the ways.",
        json_schema_extra=lambda schema: schema.update(enum=[method.name for method in known_methods()]),
    )
    preset: Literal["paper", "quick"] | None = Field(
        None, description="Sizes that are not set: the paper's, or quick ones. quick for the built-in tasks, else paper."
    )
    seed: int = Field(0, ge=0, description="Of every random choice.")
    constrain: bool = Field(
        False, description="Hold replies to the labels in every task that has some, not only where the task asks for it."
    )
    curve: bool | None = Field(
        None, description="Test the best prompts of every round at the end too, for a curve; none of it selects. So does adapt."
    )
    start: Start | None = Field(None, description="Prompts to start from instead of the seeds, as 'metaspo branch' sets it.")
    iterations: int | None = _size("Times that the method goes through its levels", 0)
    user_candidates: int | None = _size("User prompts proposed per task and round")
    keep: int | None = _size("User prompts kept per task")
    system_candidates: int | None = _size("System prompts proposed per round")
    user_failures: int | None = _size("Failing examples shown for a user prompt")
    system_failures: int | None = _size("Failing examples of each task shown for a system prompt")
    train_size: int | None = _size("Examples that a task trains on")
    validation_size: int | None = _size("Examples of their own that candidates are selected on, 0 for the training ones", 0)
    test_size: int | None = _size("Examples of the final test, at most", 0)
    tested_pairs: int | None = _size("Kept user prompts that a task brings to the final test")
    proposal_attempts: int | None = _size("Times that a bad proposal is asked for")
    prompt_length: int | None = _size("Characters that the optimizer may write, 0 for no limit", 0)
    rephrasings: int | None = _size("Edited candidates of a parent that the optimizer rephrases (sprig)", 0)

    @model_validator(mode="after")
    def _built_in_by_default(self) -> "Problem":
        builtin = not self.tasks
        adapts = self.method == ADAPT
        if builtin:
            roles = {name: read_task(name).role for name in builtin_tasks()}
            self.tasks = [name for name, role in roles.items() if role == ("target" if adapts else "source")]
            if self.targets is None and not adapts:
                self.targets = [name for name, role in roles.items() if role == "target"]
        self.curve = adapts if self.curve is None else self.curve
        self.targets = self.targets or []
        self.preset = self.preset or ("quick" if builtin else "paper")
        return self

    @model_validator(mode="after")
    def _fixed_by_method(self) -> "Problem":
        text = fixed_prompt(self.method)
        if text is not None:
            self.system_prompt = text
        if self.method.startswith(FILE):
            # The file is read once: a run that is resumed scores the prompt that it began with.
            self.method = "fixed"
        return self

    @model_validator(mode="after")
    def _keeps_what_is_locked(self) -> "Problem":
        locks = self.locks
        if self.start:
            self.start.system_prompt = locks.edited(self.start.system_prompt)
            self.start.beam = [locks.edited(text) for text in self.start.beam]
        return self

    @property
    def unseen_tasks(self) -> list[TaskSource]:
        """The targets."""
        return [*(self.targets or [])]

    @property
    def parent(self) -> tuple[str, int] | None:
        """The run and the round that a branch starts from."""
        return (self.start.run, self.start.round) if self.start else None

    @property
    def locks(self) -> Locks:
        """What every system prompt must keep."""
        return Locks.of(self.system_prompt, self.system_length)

    @property
    def first_system_prompt(self) -> str:
        """The system prompt to start from, without the marks of its locked parts."""
        return without_marks(self.system_prompt)

    def settings(self) -> Settings:
        """The sizes: the preset's, with those that are set."""
        given = {name: getattr(self, name) for name in Settings.__dataclass_fields__}
        return replace(PRESETS[self.preset or "paper"], **{name: size for name, size in given.items() if size is not None})

    def schedule(self) -> list[Step]:
        """The method's steps, less those that a branch's parent has done."""
        return find_method(self.method).schedule(self.settings())[self.start.steps if self.start else 0 :]

    def asks_optimizer(self) -> bool:
        """Whether any step of the method has something to ask of the optimizer model."""
        return needs_optimizer(self.schedule(), self.settings())

    def check(self) -> "Problem":
        """Raise ConfigError for a method that does not exist."""
        find_method(self.method)
        return self
