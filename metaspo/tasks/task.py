"""A task that is ready to use: its splits are drawn, its reader and metric are loaded."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from inspect import isawaitable

from ..domain.calls import Constraint
from ..domain.chains import chain
from ..domain.errors import TaskError
from ..domain.excerpts import excerpt
from ..domain.messages import Message, stored_images
from ..domain.prompts import asked, complaint_about_user_prompt, fill, with_answer_format
from ..domain.results import UNGRADED, UNSCORED, Example, Outcome, Split
from .answers import readers
from .answers.schemas import text_of
from .given import short
from .inventory import Inventory
from .own_code import code_of, load_callable, metric_of
from .scores import metrics
from .scores.constant import best_constant, best_own_constant
from .scores.own_metric import Graded, Judged, OwnMetric, graded
from .scores.structures import complaint_about_fields, scorer_of, words_of
from .spec import TaskSpec

FIRST_SETTINGS = {
    "reader": {"kind", "labels", "source", "pattern", "minimum", "maximum"},
    "metric": {"kind", "tolerance", "rubric", "model", "failing_below"},
}
"""The settings that every task's id is made of; others count where they are set."""


@dataclass(frozen=True)
class Task:
    """A task as a run uses it: examples per split, how a question is put, an answer read and scored."""

    spec: TaskSpec
    splits: Mapping[Split, tuple[Example, ...]]
    inventory: Inventory | None = field(default=None, compare=False, repr=False)
    """All of its data, of which the splits are drawn; None where that is not known."""

    @property
    def name(self) -> str:
        """The task's name, unique within a run."""
        return self.spec.name

    @cached_property
    def id(self) -> str:
        """A fingerprint of all that a score depends on beside prompts and model: data, reader, metric."""
        parts = self.spec.model_dump(mode="json", include={"name", "reader", "metric", "constrain", "max_tokens"})
        for role, first in FIRST_SETTINGS.items():
            written = getattr(self.spec, role).model_dump(mode="json", exclude_defaults=True)
            # Tasks without a newer setting have the names that they had before there was any.
            parts[role] = {key: value for key, value in parts[role].items() if key in first or key in written}
        if isinstance(self.spec.reader.json_schema, dict):
            # As text: the order of its properties is that in which a reply that is held to it is written.
            parts["reader"]["json_schema"] = text_of(self.spec.reader.json_schema)
        if self.spec.reader.rules > 1 and self.spec.reader.rules_matter:
            parts["reader"]["rules"] = self.spec.reader.rules
        else:
            parts["reader"].pop("rules", None)
        parts["examples"] = [(split, [e.id for e in examples]) for split, examples in sorted(self.splits.items())]
        parts["code"] = self._code
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def _code(self) -> list[str]:
        """What stands for the code of the task's own functions: a version that a person gave, or a fingerprint."""
        reader, metric = self.spec.reader, self.spec.metric
        own = (
            ("reader", reader.source if ":" in reader.source else None, reader.version),
            ("metric", metric.own, metric.version),
        )
        return [version or code_of(name, self.spec, role) for role, name, version in own if name]

    @cached_property
    def _extract(self) -> Callable[[str], str | None] | None:
        source = self.spec.reader.source
        return load_callable(source, self.spec, "reader") if ":" in source else None

    @cached_property
    def own_metric(self) -> OwnMetric | None:
        """The metric of a person's own, where that is what scores."""
        return metric_of(self.spec)

    def load(self) -> None:
        """Import the task's callables now, so that a wrong name is found before the first call is paid."""
        _ = self._extract, self.own_metric, self._code
        if complaint := complaint_about_fields(self.spec.metric, [example.answers for example in self.examples.values()]):
            raise TaskError(f"task '{self.name}': {complaint}")

    def messages(self, system: str, user: str, example: Example) -> tuple[Message, ...]:
        """The chat messages of one example; an empty system prompt is left out."""
        if example.messages:
            return asked(system, user, example.messages)
        content = ("user", fill(user, example.question))
        return (("system", system), content) if system else (content,)

    def complete(self, user_prompt: str) -> str:
        """A user prompt with the answer format added where it is missing."""
        return with_answer_format(user_prompt, self.spec.answer_format)

    def complaint(self, user_prompt: str) -> str | None:
        """What keeps a text from being a user prompt of this task, or None."""
        return complaint_about_user_prompt(user_prompt, self.spec.answer_format)

    @property
    def format_asked(self) -> str:
        """The answer format in the optimizer's requests."""
        return self.spec.answer_format or "(none: the form of the answer is free)"

    @property
    def constraint(self) -> Constraint | None:
        """The form of a reply, where the task asks for it."""
        labels, schema = self.spec.reader.closed, self.spec.reader.held_to
        if self.spec.constrain and schema is not None:
            return Constraint(schema=text_of(schema))
        if not self.spec.constrain or not labels:
            return None
        tagged = self.spec.reader.source == "tag"
        choices = tuple(f"<answer>{label}</answer>" if tagged else label for label in labels)
        return Constraint("root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices), choices)

    def read(self, reply: str, example: Example | None = None, *, cut_off: bool = False) -> str | None:
        """The answer in a reply, or in one that was `cut_off`; None when it is unparsed.

        A failing callable raises TaskError, naming the example.
        """
        try:
            return readers.read(self.spec.reader, reply, self._extract, cut_off=cut_off)
        except Exception as error:
            about = f", on {self.named(example)}" if example else ""
            said = f"reader {short(self.spec.reader.source)} failed: {chain(error)}"
            raise TaskError(f"task '{self.name}': {said}{about}") from error

    def unread(self, reply: str) -> str:
        """Why a reply without a readable answer has none, as far as that is told; "" elsewhere."""
        return readers.why_unparsed(self.spec.reader, reply, self._extract)

    def named(self, example: Example) -> str:
        """An example as it is named to people, with the beginning of its question."""
        return f"example {example.id} ({excerpt(example.question)!r})"

    async def graded(self, judged: Judged) -> Graded:
        """The score of a parsed answer, and words about it; not for judged tasks.

        Raises TaskError where a person's own metric fails, or returns what is no score.
        """
        own = self.own_metric
        if own is None:
            score = self._scorer(judged.answer, judged.example.answers)
            return Graded(score, self.words(judged.answer, judged.example))
        try:
            returned = await own.called(judged)
        except (Exception, SystemExit) as error:
            raise self._failed(judged.example, f"failed on {judged.answer[:60]!r}: {chain(error)}") from error
        return self._read(judged.example, returned)

    def score(self, answer: str, example: Example) -> float:
        """The score of a parsed answer in [0, 1] by what a metric can be told without a reply; not for judged tasks."""
        own = self.own_metric
        return self._scorer(answer, example.answers) if own is None else self._by_own(own, answer, example) or 0.0

    def _by_own(self, own: OwnMetric, answer: str, example: Example) -> float | None:
        try:
            returned = own.call(Judged(answer, example, "", ()))
            if isawaitable(returned):
                close = getattr(returned, "close", None)
                _ = close and close()
                raise TypeError("it has to be awaited")
        except Exception as error:
            raise self._failed(example, f"failed on {answer[:60]!r}: {chain(error)}") from error
        return self._read(example, returned).score

    def words(self, answer: str, example: Example) -> str:
        """What is wrong with an answer that has a structure, part by part; empty for others, and for what is right."""
        return words_of(self.spec.reader, self.spec.metric, answer, example.answers)

    @cached_property
    def _scorer(self) -> metrics.Scorer:
        known = scorer_of(self.spec.metric)
        if known is None:
            raise TaskError(f"task '{self.name}': a judge grades its answers, no function does")
        return known

    def _read(self, example: Example, returned: object) -> Graded:
        try:
            return graded(returned)
        except ValueError as problem:
            raise self._failed(example, str(problem)) from None

    def _failed(self, example: Example, said: str) -> TaskError:
        return TaskError(f"task '{self.name}': metric {short(self.spec.metric.own or '')} {said}, on {self.named(example)}")

    @property
    def graded_by(self) -> str | None:
        """Who may give an answer no grade: "judge", "metric" for one of a person's own, or None where nobody does."""
        return "judge" if self.spec.metric.kind == "judge" else "metric" if self.spec.metric.own else None

    def outcome(self, example: Example, call: str, answer: str | None, score: float, why: str = "") -> Outcome:
        """The record of one judged example."""
        return Outcome(example.id, call, answer, score, score < self.spec.metric.threshold, why)

    def outcome_by(self, grade: Graded, example: Example, call: str, answer: str) -> Outcome:
        """The record of an example whose answer a metric has scored, or has given no score."""
        if grade.score is None:
            return Outcome(example.id, call, answer, 0.0, False, f"{UNSCORED}: {grade.words}".removesuffix(": "))
        # Whatever a metric says, its words must not read as if there were no score.
        said = f"it says: {grade.words}" if grade.words.startswith((UNGRADED, UNSCORED)) else grade.words
        return self.outcome(example, call, answer, grade.score, said)

    def aggregate(self, outcomes: Sequence[Outcome]) -> float:
        """The score of a split from its outcomes; those that a judge gave no grade count for nothing."""
        over = metrics.macro_f1 if self.spec.metric.kind == "macro_f1" else metrics.mean
        graded = [outcome for outcome in outcomes if outcome.graded]
        return over(graded, [self.examples[outcome.example].answer for outcome in graded])

    @cached_property
    def examples(self) -> Mapping[str, Example]:
        """Every drawn example by its id."""
        return {example.id: example for examples in self.splits.values() for example in examples}

    @property
    def images(self) -> list[str]:
        """The hashes of the images that the drawn examples show and a store keeps."""
        return stored_images(message for example in self.examples.values() for message in example.messages)

    def majority(self, split: Split) -> float | None:
        """What the best constant answer scores on a split by the task's own metric; see `majority_of`."""
        return self.majority_of(self.splits[split])

    def majority_of(self, examples: Sequence[Example]) -> float | None:
        """The same on any examples; None where no answer is scored without a reply, or scoring all would take long."""
        metric, own = self.spec.metric, self.own_metric
        if not metric.needs_golds or not examples:
            return None
        if own is None:
            return best_constant([example.answers for example in examples], metric.kind, self._scorer)
        return best_own_constant(examples, own, lambda answer, example: self._by_own(own, answer, example))
