"""What a person writes to describe a task."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from ..domain.errors import TaskError
from ..domain.prompts import complaint_about_user_prompt, with_answer_format
from .answers.reader_spec import ReaderSpec, reader_block
from .data_spec import DataSpec
from .documents import CHECKED, explained
from .form import in_order
from .scores.metric_spec import MetricSpec, metric_block
from .scores.structure_checks import complaint_about_structure

EXAMPLE: dict[str, Any] = {
    "name": "tickets",
    "examples": [
        {"question": "Where is my parcel?", "answer": "delivery"},
        {"question": "I was charged twice this month.", "answer": "billing"},
        {"question": "The courier left it at the wrong door.", "answer": "delivery"},
        {"question": "Please send the invoice to our new address.", "answer": "billing"},
    ],
    "user_prompt": "Is this message about delivery or billing?\n\n{question}",
    "reader": {"kind": "choice", "labels": ["delivery", "billing"], "from": "reply"},
}
"""A task with its rows, as forms show it; a real one has a hundred or so."""

MetricName = Annotated[
    str,
    Field(
        title="Metric by name",
        description="A metric that needs no settings.",
        examples=["accuracy", "macro_f1", "exact_match", "token_f1", "numeric"],
    ),
]
WrittenMetric = MetricName | MetricSpec


class TaskSpec(DataSpec):
    """A task: its examples, how a question is put, how an answer is read and how it is scored."""

    model_config = ConfigDict(
        title="Task block",
        json_schema_extra=in_order("name", "user_prompt", "examples", "reader", "metric", examples=(EXAMPLE,)),
    )

    user_prompt: str = Field(description="The seed user prompt, with {question} once.", json_schema_extra={"prompt": True})
    user_prompts: list[str] = Field(
        default_factory=list,
        json_schema_extra={"default": []},
        description="Further seed user prompts; the best on the selecting examples begins the search.",
    )
    answer_format: str = Field("", description="Words about the answer's form that every user prompt keeps; added if missing.")
    reader: Annotated[ReaderSpec, BeforeValidator(reader_block)] = Field(
        default_factory=lambda: ReaderSpec(),
        description="How an answer is read from a reply: a label, a number, JSON or text.",
        json_schema_extra={"default": {}},
    )
    metric: Annotated[MetricSpec, BeforeValidator(metric_block, json_schema_input_type=WrittenMetric)] = Field(
        default_factory=lambda: MetricSpec(),
        description="How an answer is scored: a name, or a block where it needs settings.",
        json_schema_extra={"default": "accuracy"},
    )
    constrain: bool = Field(False, description="Hold replies to the labels or the schema where the backend can do that.")
    max_tokens: int | None = Field(None, gt=0, description="Longest reply in tokens; the model's setting if none.")
    licence: str = Field("", description="The licence of the examples.")

    _written: str = ""

    if TYPE_CHECKING:
        # Blocks may be written as plain data, for which type checkers that don't know pydantic want its objects.
        def __init__(self, *, name: str, examples: Any, user_prompt: str, **settings: Any) -> None: ...

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, data: Any, read: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        try:
            return read(data)
        except ValidationError as problem:
            if info.context == CHECKED:
                raise
            raise explained(cls, problem, TaskError, data) from None

    @model_validator(mode="after")
    def _consistent(self) -> "TaskSpec":
        self._written = self._written or self.user_prompt
        self.user_prompt = with_answer_format(self.user_prompt, self.answer_format)
        self.user_prompts = [with_answer_format(text, self.answer_format) for text in self.user_prompts]
        for key, text in [("user_prompt", self.user_prompt), *(("user_prompts", text) for text in self.user_prompts)]:
            complaint = complaint_about_user_prompt(text, self.answer_format)
            if complaint:
                raise ValueError(f"{key} {complaint}; write one like 'Answer the question.\\n\\n{{question}}'")
        if self.metric.kind == "macro_f1" and self.reader.kind != "choice":
            raise ValueError("metric macro_f1 needs a reader of kind 'choice' with labels")
        if self.metric.kind == "numeric" and self.reader.kind not in ("integer", "number"):
            raise ValueError("metric numeric needs a reader of kind 'integer' or 'number'")
        if complaint := complaint_about_structure(self.reader, self.metric, self.constrain):
            raise ValueError(complaint)
        if self.constrain and not self.reader.holdable:
            raise ValueError(
                "constrain needs a reader of kind 'choice', or 'integer' with minimum and maximum, "
                "that reads from 'reply' or 'tag'; or one of kind 'json' with a schema"
            )
        return self

    def by_rules(self, rules: int) -> "TaskSpec":
        """The task as a run reads its answers that began by these rules."""
        return self.model_copy(update={"reader": self.reader.by_rules(rules)})

    def begun_with(self, prompts: Sequence[str]) -> "TaskSpec":
        """The task with these user prompts to begin with, which hold its answer format, in the place of its own."""
        if not prompts:
            return self
        begun = self.model_copy(update={"user_prompt": prompts[0], "user_prompts": [*prompts[1:]]})
        begun._written = prompts[0]
        return begun

    def held(self, wanted: bool) -> "TaskSpec":
        """The task with its replies held to their form where that is `wanted` of every task, and can be done with this one."""
        return self.model_copy(update={"constrain": self.constrain or (wanted and self.reader.holdable)})

    @property
    def written_prompt(self) -> str:
        """The seed user prompt as a person wrote it, before the answer format was added."""
        return self._written
