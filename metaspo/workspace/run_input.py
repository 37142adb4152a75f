"""What every run is given, whichever graph works on it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic.json_schema import SkipJsonSchema

from ..domain.results import Split
from ..prompts.own import checked_prompts
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..tasks.catalogue import TaskSource
from .admission import Admitted
from .from_run import FromRun
from .settings import Settings


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError(f"the system prompt is empty; write one, such as {DEFAULT_SYSTEM_PROMPT!r}")
    return value


SystemPrompt = Annotated[str, AfterValidator(_not_empty)]
"""A system prompt as a person gives one."""


MadeBy = Annotated[
    list[str],
    Field(
        json_schema_extra={"default": []},
        description="The runs that made the system prompts: what those selected on is not tested here.",
    ),
]
"""Runs that a run builds on by their prompts."""

Aside = Annotated[
    int | None,
    Field(ge=1, description="Examples kept from testing, at least, so that runs of several sizes test the same ones."),
]
"""How many examples are left to training, at least, whatever a run uses of them."""


BegunFrom = Annotated[
    SkipJsonSchema[FromRun | None],
    Field(description="The run whose prompts it begins with, as 'metaspo optimize --from-run' sets it."),
]
"""Another run that a search begins from; no form asks for it."""


class OwnPrompts(Admitted):
    """A block that may bring optimizer prompts of its own, or begin from another run; else it is written without such keys.

    So runs without them keep the ids that are made from what they are given.
    """

    @model_serializer(mode="wrap")
    def _only_where_some(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = write(self)
        return {key: value for key, value in data.items() if value or key not in ONLY_WHERE_SOME}


OPTIMIZER_PROMPTS = "optimizer_prompts"
ONLY_WHERE_SOME = (OPTIMIZER_PROMPTS, "from_run")
OptimizerPrompts = Annotated[
    dict[str, str],
    BeforeValidator(checked_prompts),
    Field(
        json_schema_extra={"default": {}},
        description="Optimizer prompts in the place of ours, texts by name; in a config file, a folder of them.",
    ),
]
"""Prompts that the optimizer is asked with, by the names of ours; their texts are part of what a run is given."""


class RunInput(Protocol):
    """As much of a search's `Problem` or of a `Generalization` as opening its workspace takes."""

    @property
    def method(self) -> str:
        """How the run works; it decides which graph that is."""

    @property
    def tasks(self) -> Sequence[TaskSource]:
        """The tasks that prompts are made for."""

    @property
    def unseen_tasks(self) -> Sequence[TaskSource]:
        """The tasks that are only scored at the end."""

    @property
    def seed(self) -> int:
        """Of every random choice."""

    @property
    def constrain(self) -> bool:
        """Whether replies are held to the labels in every task that has some."""

    @property
    def most(self) -> frozenset[Split]:
        """The splits whose sizes are the most they may be; the others' are exact, but for test."""

    @property
    def selecting(self) -> Split:
        """The split whose scores select; never test."""

    @property
    def parent(self) -> tuple[str, int] | None:
        """The run and the round that this one branched off from."""

    @property
    def made_by(self) -> Sequence[str]:
        """The runs that made the system prompts, where these are other runs' results."""

    @property
    def from_run(self) -> FromRun | None:
        """The run whose prompts this one begins with, and what it is told of that."""

    @property
    def optimizer_prompts(self) -> Mapping[str, str]:
        """Optimizer prompts in the place of ours, by name."""

    @property
    def aside(self) -> int | None:
        """How many examples are kept from testing, at least."""

    def settings(self) -> Settings:
        """The sizes."""

    def asks_optimizer(self) -> bool:
        """Whether anything is asked of the optimizer model."""

    def asks_analyst(self) -> bool:
        """Whether failures are analysed."""

    def check(self) -> object:
        """Raise ConfigError or TaskError for what cannot be worked on."""

    def model_dump(self, *, mode: str = ..., exclude: Any = ...) -> dict[str, Any]:
        """Plain data."""

    def model_dump_json(self) -> str:
        """Plain data as JSON."""
