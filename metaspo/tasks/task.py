"""A task that is ready to use: its splits are drawn, its reader and metric are loaded."""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..domain.calls import Constraint
from ..domain.errors import TaskError
from ..domain.importing import import_attribute
from ..domain.messages import Message, stored_images
from ..domain.prompts import asked, complaint_about_user_prompt, fill, with_answer_format
from ..domain.results import Example, Outcome, Split
from ..domain.source import fingerprint, installed_version
from . import metrics, readers
from .spec import TaskSpec
from .structures import complaint_about_fields, scorer_of, words_of

HINTS: Mapping[type[BaseException], str] = {
    ModuleNotFoundError: "put its module beside the task file, in the working directory or on PYTHONPATH",
    AttributeError: "name a function that the module has",
}

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
        parts["examples"] = [(split, [e.id for e in examples]) for split, examples in sorted(self.splits.items())]
        parts["code"] = self._code
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def _code(self) -> list[str]:
        """What stands for the code of the task's own functions: a version that a person gave, or a fingerprint."""
        reader, metric = (self.spec.reader.source, self.spec.reader.version), (self.spec.metric.kind, self.spec.metric.version)
        return [version or code_of(name, self.spec, role) for (name, version), role in ((reader, "reader"), (metric, "metric"))
                if ":" in name]  # fmt: skip

    @cached_property
    def _extract(self) -> Callable[[str], str | None] | None:
        source = self.spec.reader.source
        return load_callable(source, self.spec, "reader") if ":" in source else None

    @cached_property
    def _custom_metric(self) -> Callable[[str, Sequence[str]], float] | None:
        return load_callable(self.spec.metric.kind, self.spec, "metric") if ":" in self.spec.metric.kind else None

    def load(self) -> None:
        """Import the task's callables now, so that a wrong name is found before the first call is paid."""
        _ = self._extract, self._custom_metric, self._code
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
        """The closed form of a reply, where the task asks for it."""
        labels = self.spec.reader.closed
        if not self.spec.constrain or not labels:
            return None
        tagged = self.spec.reader.source == "tag"
        choices = tuple(f"<answer>{label}</answer>" if tagged else label for label in labels)
        return Constraint("root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices), choices)

    def read(self, reply: str) -> str | None:
        """The answer in a reply, or None when it is unparsed. A failing callable raises TaskError."""
        try:
            return readers.read(self.spec.reader, reply, self._extract)
        except Exception as error:
            raise TaskError(f"task '{self.name}': reader {self.spec.reader.source} failed: {error!r}") from error

    def score(self, answer: str, example: Example) -> float:
        """The score of a parsed answer in [0, 1]; not for judged tasks."""
        return self._scorer(answer, example.answers)

    def words(self, answer: str, example: Example) -> str:
        """What is wrong with an answer that has a structure, part by part; empty for others, and for what is right."""
        return words_of(self.spec.reader, self.spec.metric, answer, example.answers)

    @cached_property
    def _scorer(self) -> metrics.Scorer:
        metric, own = self.spec.metric, self._custom_metric
        known = scorer_of(metric)
        if own is not None:
            return lambda answer, golds: self._custom_score(own, answer, golds)
        if known is None:
            raise TaskError(f"task '{self.name}': a judge grades its answers, no function does")
        return known

    def _custom_score(self, function: Callable[..., Any], answer: str, golds: Sequence[str]) -> float:
        name = self.spec.metric.kind
        try:
            value = float(function(answer, list(golds)))
        except Exception as error:
            raise TaskError(f"task '{self.name}': metric {name} failed on {answer!r}: {error!r}") from error
        if not 0 <= value <= 1:
            raise TaskError(f"task '{self.name}': metric {name} returned {value}; a score is between 0 and 1")
        return value

    def outcome(self, example: Example, call: str, answer: str | None, score: float, why: str = "") -> Outcome:
        """The record of one judged example."""
        return Outcome(example.id, call, answer, score, score < self.spec.metric.threshold, why)

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
        """The score of always giving the split's commonest answer, by the task's own metric; None where a judge grades."""
        if self.spec.metric.kind == "judge":
            return None
        return self.majority_of([example.answers for example in self.splits[split]])

    def majority_of(self, accepted: Sequence[Sequence[str]]) -> float:
        """The same, given the accepted answers of each example; not for judged tasks."""
        return metrics.majority(accepted, self.spec.metric.kind, self._scorer)


def load_callable(name: str, spec: TaskSpec, role: str) -> Callable[..., Any]:
    """Import `package.module:function`; the working directory and the task's folder count as import paths."""
    module = name.partition(":")[0]
    try:
        found: object = import_attribute(name, spec._folder)
    except (Exception, SystemExit) as error:
        hint = HINTS.get(type(error), "mend the module")
        raise TaskError(f"task '{spec.name}': {role} {name} cannot be imported: {error!r}; {hint}") from error
    own = spec._folder and spec._folder.joinpath(*module.split(".")).with_suffix(".py")
    loaded = getattr(sys.modules[module], "__file__", None)
    if own and own.is_file() and loaded and not own.samefile(loaded):
        raise TaskError(f"task '{spec.name}': {role} {name} was found in {loaded}, not in {own}; rename one of the two files")
    if not callable(found):
        raise TaskError(f"task '{spec.name}': {role} {name} is {type(found).__name__}, not a function; name a function")
    return found


def code_of(name: str, spec: TaskSpec, role: str) -> str:
    """The fingerprint of the code behind `package.module:function`, which has been imported; see metaspo/domain/source.py.

    Raises TaskError where the code is no text that could be read and no installed package either, which has a version.
    """
    module = name.partition(":")[0]
    found = fingerprint(module, spec._folder) or installed_version(module)
    if found is None:
        raise TaskError(
            f"task '{spec.name}': the code of {role} {name} cannot be read, so that a change of it would go unseen; "
            f"give the {role} a version, such as version: 1, and another one whenever it changes"
        )
    return found
