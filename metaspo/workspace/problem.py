"""What the graph is given: what to optimize and how."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, PrivateAttr, field_validator, model_validator

from ..domain.errors import ConfigError
from ..domain.locks import Locks, without_marks
from ..domain.results import Split
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..tasks.catalogue import TaskSource, WrittenTask, builtin_tasks, read_task
from ..tasks.form import in_order
from ..tasks.spec import EXAMPLE
from ..tasks.written import Exact, text_keys
from .bounds import refuse_wide
from .method import FILE, Judging, Step, find_method, fixed_prompt, known_methods, needs_optimizer
from .run_input import Aside, BegunFrom, MadeBy, OptimizerPrompts, OwnPrompts, SystemPrompt
from .serving import strict
from .settings import PRESETS, Settings
from .sizes import Beside, Sizes, beside, block, spread

COMMON_FIRST = "common_first"
"""The method that a search takes where none is named."""

ADAPT = "adapt"
"""The method of test-time adaptation, whose tasks are target tasks."""


class Start(Exact):
    """Prompts to start from instead of the seeds: what stood after a round of a parent run.

    They are scored first, which costs nothing where the same pair has been scored before.
    """

    model_config = ConfigDict(extra="forbid")

    run: str = Field(description="The parent run.")
    round: int = Field(ge=0, description="The round after which the parent is continued.")
    steps: int = Field(ge=0, description="How many steps of the method's schedule the parent has done; 0 for another method.")
    idle: int = Field(0, ge=0, description="How many of its last steps in a row have changed nothing.")
    system_prompt: str = Field(min_length=1, description="The system prompt in force.")
    user_prompts: dict[str, list[str]] = Field(description="Each task's kept user prompts, best first.")
    beam: list[str] = Field(
        default_factory=list,
        json_schema_extra={"default": []},
        description="Further system prompts that the parent kept, best first, where its method keeps several.",
    )


def _names() -> list[Any]:
    return [method.name for method in known_methods() if not method.name.startswith(FILE)]


class Problem(OwnPrompts):
    """What to optimize and how: the graph's input. The defaults are the built-in demo."""

    if TYPE_CHECKING:
        # For type checkers that don't know pydantic.
        def __init__(self, **settings: Any) -> None: ...

    model_config = ConfigDict(
        json_schema_extra=in_order(
            "tasks", "system_prompt", "method", "preset", "sizes", "targets", "seed",
            last=("optimizer_prompts", "start", "made_by", "aside"),
        ),
    )  # fmt: skip
    _began: dict[str, int] = PrivateAttr(default_factory=dict)

    tasks: list[WrittenTask] = Field(
        default_factory=list,
        description="Source tasks: each a name, or a block with rows of your own as in the example; all built-in ones if none.",
        json_schema_extra={"default": [], "examples": [[EXAMPLE], ["app_reviews"]]},
    )
    targets: list[WrittenTask] | None = Field(
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
    system_prompts: list[SystemPrompt] = Field(
        default_factory=list,
        description="Further system prompts to start from; the best of all on the selecting examples begins the search.",
        json_schema_extra={"default": []},
    )
    user_length: int | None = Field(
        None,
        ge=1,
        description="The most characters that a user prompt may have, the answer format included; no limit if empty.",
    )
    judging: Judging | None = Field(
        None,
        description="How candidates are judged: exhaustive, each on all selecting examples; or staged, most of them on few. "
        "The method's own way if empty, with preset batch exhaustive.",
    )
    target: float | None = Field(
        None, gt=0, le=1, description="A mean score on the selecting examples, from 0 to 1, at which the search stops."
    )
    worst_drop: float | None = Field(
        None, ge=0, le=1, description="The most that any task may lose on the selecting examples, whatever the mean gains."
    )
    keep_unconfirmed: bool = Field(
        False, description="Return the prompts found even if they do worse than the seeds on validation."
    )
    placebo: bool = Field(
        False, description="Search once more with as many unrelated texts, chosen in the same way, as a control for the report."
    )
    method: str = Field(
        COMMON_FIRST,
        description="How to search; 'metaspo methods' lists the ways.",
        json_schema_extra=lambda schema: schema.update(enum=_names()),
    )
    preset: Literal["paper", "quick", "batch"] | None = Field(
        None,
        description="Sizes that are not set: the paper's, quick ones, or few wide rounds for models that are asked in batches. "
        "quick for the built-in tasks, else paper.",
    )
    seed: int = Field(0, ge=0, description="Of every random choice.")
    constrain: bool = Field(
        False, description="Hold replies to the labels in every task that has some, not only where the task asks for it."
    )
    curve: bool | None = Field(
        None, description="Test the best prompts of every round at the end too, for a curve; none of it selects. So does adapt."
    )
    start: Start | None = Field(None, description="Prompts to start from instead of the seeds, as 'metaspo branch' sets it.")
    from_run: BegunFrom = None
    optimizer_prompts: OptimizerPrompts = Field(default_factory=dict)
    made_by: MadeBy = Field(default_factory=list)
    aside: Aside = None
    sizes: Sizes | None = block()
    iterations: Beside = beside(Sizes, "iterations")
    user_candidates: Beside = beside(Sizes, "user_candidates")
    keep: Beside = beside(Sizes, "keep")
    system_candidates: Beside = beside(Sizes, "system_candidates")
    user_failures: Beside = beside(Sizes, "user_failures")
    system_failures: Beside = beside(Sizes, "system_failures")
    train_size: Beside = beside(Sizes, "train_size")
    validation_size: Beside = beside(Sizes, "validation_size")
    test_size: Beside = beside(Sizes, "test_size")
    tested_pairs: Beside = beside(Sizes, "tested_pairs")
    proposal_attempts: Beside = beside(Sizes, "proposal_attempts")
    prompt_length: Beside = beside(Sizes, "prompt_length")
    rephrasings: Beside = beside(Sizes, "rephrasings")
    system_steps: Beside = beside(Sizes, "system_steps")
    user_steps: Beside = beside(Sizes, "user_steps")
    taper: Beside = beside(Sizes, "taper")
    patience: Beside = beside(Sizes, "patience")
    most_failures: Beside = beside(Sizes, "most_failures")
    compositions: Beside = beside(Sizes, "compositions")
    exchanges: Beside = beside(Sizes, "exchanges")
    demonstrations: Beside = beside(Sizes, "demonstrations")

    @field_validator("tasks", "targets", mode="before")
    @classmethod
    def _as_stored(cls, value: Any) -> Any:
        return text_keys(value)

    @model_validator(mode="after")
    def _in_their_places(self) -> "Problem":
        spread(self)
        return self

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
        self.system_prompts = [locks.edited(text) for text in self.system_prompts]
        if self.start:
            self.start.system_prompt = locks.edited(self.start.system_prompt)
            self.start.beam = [locks.edited(text) for text in self.start.beam]
        return self

    @model_validator(mode="after")
    def _no_wider_than_a_server_works(self) -> "Problem":
        if strict():
            refuse_wide(*self._widest())
        return self

    def _widest(self) -> tuple[int, int]:
        """How many evaluations a superstep has at most, about, and on how many examples, as far as the input tells."""
        sizes, tasks = self.settings(), [*self.tasks, *(self.targets or [])]
        blocks = [task for task in tasks if isinstance(task, dict)]
        users = sum(1 + len(task.get("user_prompts") or []) if isinstance(task, dict) else 1 for task in tasks)
        users += sum(map(len, self.start.user_prompts.values())) if self.start else 0
        systems = 1 + len(self.system_prompts) + sizes.compositions + (len(self.start.beam) if self.start else 0)
        tested = min(sizes.keep, sizes.tested_pairs) * (1 + sizes.iterations * bool(self.curve))
        each = max(max(sizes.user_candidates, sizes.system_candidates) * sizes.keep, tested)
        written = [task["examples"] for task in blocks]
        rows = max((sum(map(len, some.values())) if isinstance(some, dict) else len(some) for some in written), default=0)
        size = max(sizes.train_size, sizes.validation_size)
        return max(systems * users, each * len(tasks)), min(size, rows) if rows else 0

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
        """The sizes: the preset's, the method's own under it, those that the run began with, and those that are set."""
        given = {name: getattr(self, name) for name in Settings.__dataclass_fields__}
        given = {name: size for name, size in given.items() if size is not None}
        method, preset = find_method(self.method), self.preset or "paper"
        own = method.fitted(method.sizes.get(preset, {}), len(self.tasks))
        sizes = replace(PRESETS[preset], **{**own, **self._began, **given})
        if method.confirms and self.validation_size is None:
            return replace(sizes, validation_size=sizes.train_size)
        return sizes

    @property
    def most(self) -> frozenset[Split]:
        """The splits whose sizes are the most they may be: those that nobody set, where a method follows the data."""
        if not find_method(self.method).confirms:
            return frozenset()
        sizes: dict[Split, int | None] = {"train": self.train_size, "validation": self.validation_size}
        return frozenset(split for split, size in sizes.items() if size is None)

    @property
    def confirms(self) -> bool:
        """Whether the prompts found meet the seeds on validation at the end."""
        return find_method(self.method).confirms and self.validation_size != 0

    @property
    def selecting(self) -> Split:
        """The split whose scores select; never test, nor what confirms."""
        return "validation" if self.settings().validation_size and not find_method(self.method).confirms else "train"

    @property
    def judged(self) -> Judging:
        """How candidates are judged. Every stage is a batch of its own: the preset for batches judges all on everything."""
        return self.judging or ("exhaustive" if self.preset == "batch" else find_method(self.method).judging)

    def schedule(self) -> list[Step]:
        """The method's steps, less those that a branch's parent has done."""
        return find_method(self.method).schedule(self.settings())[self.start.steps if self.start else 0 :]

    def asks_optimizer(self) -> bool:
        """Whether any step of the method has something to ask of the optimizer model."""
        return needs_optimizer(self.schedule(), self.settings())

    def asks_analyst(self) -> bool:
        """Whether any step of the method has failures analysed."""
        return any(step.proposer.analyses for step in self.schedule())

    def check(self) -> "Problem":
        """Raise ConfigError for a method that does not exist, and for a first prompt that is longer than one may be."""
        find_method(self.method)
        if self.from_run:
            self.from_run.insist_on(self.made_by)
        for spec in map(read_task, self.tasks if self.user_length else []):
            carried = self.start.user_prompts.get(spec.name, []) if self.start else []
            spec = spec.begun_with(self.from_run.user_prompts.get(spec.name, []) if self.from_run else [])
            if max(map(len, [spec.user_prompt, *spec.user_prompts, *carried])) > (self.user_length or 0):
                raise ConfigError(
                    f"task '{spec.name}' begins with a user prompt that is longer than user_length {self.user_length}; "
                    "shorten it or raise user_length"
                )
        return self
