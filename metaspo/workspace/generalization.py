"""What the generalization graph is given and carries: system prompts on tasks that they were not made for."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from langgraph.channels import EphemeralValue
from langgraph.types import Overwrite
from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from sqlite_utils import Database

# pydantic makes no schema of typing's own before Python 3.12.
from typing_extensions import TypedDict

from ..domain.errors import ConfigError
from ..domain.prompts import QUESTION, Prompt
from ..domain.results import Split
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..store import evaluations, prompts
from ..tasks.catalogue import TaskSource, WrittenTask, builtin_tasks, read_task
from ..tasks.documents import check
from ..tasks.form import in_order
from ..tasks.scores.paired import Paired, read_paired
from ..tasks.spec import EXAMPLE
from .bounds import refuse_wide
from .output import Compared, RunId
from .output import GeneralizationOutput as GeneralizationOutput
from .resources import Workspace
from .run_input import Aside, MadeBy, OptimizerPrompts, OwnPrompts, SystemPrompt
from .serving import strict
from .settings import PRESETS, Settings
from .sizes import Beside, TransferSizes, beside, block, spread
from .state import Score, newest

GENERALIZE: Final = "generalize"
"""The method that runs of this kind have in the place of a search's."""


class Generalization(OwnPrompts):
    """Which system prompts to score, on which tasks, under which user prompts (paper, section 4: unseen generalization)."""

    model_config = ConfigDict(
        json_schema_extra=in_order(
            "tasks", "system_prompt", "against", "user_prompts", "preset", "sizes", "seed", "constrain",
            last=("optimizer_prompts", "made_by", "aside", "method"),
        ),
    )  # fmt: skip

    method: Literal["generalize"] = Field(
        GENERALIZE,
        description="Tells these runs apart from searches.",
        json_schema_extra={"enum": [GENERALIZE]},
    )
    tasks: list[WrittenTask] = Field(
        default_factory=list,
        json_schema_extra={"default": [], "examples": [["hotel_comments"], [EXAMPLE]]},
        description="Each a name or a block with rows of your own, as in the example; the built-in target tasks if empty.",
    )
    system_prompt: SystemPrompt = Field(
        "You judge what a text says as a careful reader would, and answer with exactly one of the given words.",
        description="The system prompt in question.",
        json_schema_extra={"langgraph_nodes": ["evaluate"], "langgraph_type": "prompt"},
    )
    against: SystemPrompt = Field(
        DEFAULT_SYSTEM_PROMPT,
        description="The system prompt that it is compared with, on the same user prompts and examples.",
        json_schema_extra={"langgraph_nodes": ["evaluate"], "langgraph_type": "prompt"},
    )
    user_prompts: dict[str, list[str]] = Field(
        default_factory=dict,
        json_schema_extra={"default": {}},
        description="User prompts by task; for other tasks the optimizer model induces them.",
    )
    prompts: Beside = beside(TransferSizes, "prompts")
    pairs: SkipJsonSchema[int] = beside(TransferSizes, "pairs")
    preset: Literal["paper", "quick"] | None = Field(None, description="Sizes that are not set; quick for the built-in tasks.")
    train_size: Beside = beside(TransferSizes, "train_size")
    test_size: Beside = beside(TransferSizes, "test_size")
    prompt_length: Beside = beside(TransferSizes, "prompt_length")
    seed: int = Field(0, ge=0, description="Of every random choice.")
    optimizer_prompts: OptimizerPrompts = Field(default_factory=dict)
    made_by: MadeBy = Field(default_factory=list)
    aside: Aside = None
    constrain: bool = Field(
        False, description="Hold replies to the labels in every task that has some, not only where the task asks for it."
    )

    sizes: TransferSizes | None = block()

    @model_validator(mode="after")
    def _in_their_places(self) -> "Generalization":
        spread(self)
        return self

    @model_validator(mode="after")
    def _built_in_by_default(self) -> "Generalization":
        builtin = not self.tasks
        if builtin:
            self.tasks = [name for name in builtin_tasks() if read_task(name).role == "target"]
        self.preset = self.preset or ("quick" if builtin else "paper")
        self.prompts = self.prompts or (4 if self.preset == "quick" else 10)
        if strict():
            refuse_wide(2 * len(self.tasks) * max([self.prompts, *map(len, self.user_prompts.values())]), 0)
        return self

    @property
    def unseen_tasks(self) -> list[TaskSource]:
        """None beside `tasks`: their train examples are what user prompts are induced from."""
        return []

    @property
    def most(self) -> frozenset[Split]:
        """None: sizes are exact."""
        return frozenset()

    @property
    def selecting(self) -> Split:
        """Train, which user prompts are induced from; nothing selects."""
        return "train"

    @property
    def parent(self) -> tuple[str, int] | None:
        """None: it has no rounds to branch off from."""
        return None

    @property
    def from_run(self) -> None:
        """None: it searches nothing, so nothing is to begin with."""
        return None

    @property
    def system_prompts(self) -> tuple[Prompt, Prompt]:
        """The system prompt in question, and the baseline that it is compared with."""
        return Prompt("system", self.system_prompt), Prompt("system", self.against)

    def settings(self) -> Settings:
        """The sizes; those of a search are left as they are, for there is none."""
        sizes = PRESETS[self.preset or "paper"]
        names = {name for name in map(self._name_of, self.tasks) if name not in self.user_prompts}
        return Settings(
            iterations=0,
            proposal_attempts=sizes.proposal_attempts,
            # Nothing is induced, so nothing has to be set aside for it.
            train_size=(self.train_size or sizes.train_size) if names else 0,
            test_size=self.test_size or sizes.test_size,
            prompt_length=sizes.prompt_length if self.prompt_length is None else self.prompt_length,
        )

    def asks_optimizer(self) -> bool:
        """Whether any task's user prompts are to be induced."""
        return self.settings().train_size > 0

    def asks_analyst(self) -> bool:
        """Never: user prompts are induced from labelled examples."""
        return False

    def check(self) -> "Generalization":
        """Raise ConfigError for user prompts that no task takes, or that lost their question."""
        tasks = {spec.name: spec for spec in map(read_task, self.tasks)}
        for name, texts in self.user_prompts.items():
            if name not in tasks:
                raise ConfigError(f"user prompts for {name!r}, which is not among the tasks: {', '.join(tasks)}")
            if not texts:
                raise ConfigError(f"user_prompts of {name!r} is empty; give at least one, or leave the task out")
            for text in texts:
                if text.count(QUESTION) != 1:
                    raise ConfigError(f"a user prompt of {name!r} must hold {QUESTION} exactly once: {text!r}")
        return self

    @staticmethod
    def _name_of(task: TaskSource) -> str:
        return read_task(task).name


class Induced(TypedDict):
    """A user prompt of a task: given, induced, or None where the optimizer wrote none that could be used."""

    task: str
    position: int
    id: str | None
    reason: str | None


class GeneralizationState(TypedDict, total=False):
    """The graph's state: the question as given, and what has been found. Ids and scores, never replies."""

    method: str
    """The question's own fields; see `Generalization`."""
    tasks: list[TaskSource]
    system_prompt: str
    against: str
    user_prompts: dict[str, list[str]]
    prompts: int | None
    pairs: int
    sizes: Annotated[dict[str, int] | None, EphemeralValue]
    preset: str | None
    train_size: int | None
    test_size: int | None
    prompt_length: int | None
    seed: int
    optimizer_prompts: dict[str, str]
    made_by: list[str]
    aside: int | None
    constrain: bool

    run: Annotated[RunId, newest]
    """The run that works here. A thread's first one has the thread's id."""
    induced: Annotated[list[Induced], operator.add]
    """The user prompts that both system prompts are scored with."""
    scores: Annotated[list[Score], operator.add]
    """Each (system prompt, user prompt) pair's score on the test split."""
    results: Compared
    fork_of: str
    """The run that an edit begins a fork of; it lends its models and its budget. Empty for other runs."""


NOT_BEGUN: dict[str, Any] = {"induced": Overwrite([]), "scores": Overwrite([]), "results": {}, "fork_of": ""}
"""What the channels beside the question's hold before a user prompt is come by."""


def generalization_of(state: GeneralizationState) -> Generalization:
    """What a state says was given, checked; raises ConfigError or TaskError when it is wrong."""
    given = {name: state[name] for name in Generalization.model_fields if name in state}  # type: ignore[literal-required]
    return check(Generalization, given, ConfigError).check()


def by_task(made: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """Prompts by task, in their order, from pairs of both; without those that there are none of."""
    found: dict[str, list[str]] = {}
    for task, prompt in made:
        if prompt is not None:
            found.setdefault(task, []).append(prompt)
    return found


def user_prompts(db: Database, run: str) -> dict[str, list[str]]:
    """The ids of the user prompts that a run scored both system prompts with, by task, in the order of their positions."""
    return by_task((row.task, row.prompt) for row in prompts.candidates(db, run) if row.level == "user")


def read_scores(db: Database, run: str, given: Generalization, users: Mapping[str, Sequence[str]]) -> list[Paired]:
    """Both system prompts on every task of a run that has `users`, the ids of its user prompts; from the store."""
    scored = {(e.task, e.system, e.user): e for e in evaluations.run_evaluations(db, run, "test")}
    every = []
    for task in evaluations.run_tasks(db, run):
        candidate, baseline = (
            [scored[task.task, system.id, user] for user in users.get(task.name, []) if (task.task, system.id, user) in scored]
            for system in given.system_prompts
        )
        if candidate and len(candidate) == len(baseline):
            every.append(read_paired(db, task, candidate, baseline))
    return every


@dataclass
class GeneralizationWorkspace(Workspace):
    """A workspace whose run is a generalization."""

    problem: Generalization
