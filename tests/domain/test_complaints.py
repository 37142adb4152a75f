"""Whatever a person writes into whichever field, nobody is shown the words of the library that looks at it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from metaspo.approval.answers import Answer
from metaspo.domain.complaints import complaints
from metaspo.domain.errors import ConfigError, MetaspoError, ModelError, TaskError
from metaspo.models.budget import Budget
from metaspo.models.price_list import PriceList
from metaspo.models.spec import ModelSpec
from metaspo.runs.config import RunConfig
from metaspo.studies.generalize import GeneralizationConfig
from metaspo.studies.study import Study
from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.documents import check
from metaspo.tasks.scores.metric_spec import MetricSpec
from metaspo.tasks.spec import TaskSpec

LIBRARY = re.compile(
    r"[Ii]nput should|[Vv]alid (string|integer|number|boolean|list|dict|tuple)|For further|Value error|pydantic|validation error"
    r"|Field required|Extra inputs|[Uu]nable to parse|at least \d+ (character|item)s?, not|ModelSpec\b|function-|list\[|dict\[|\bNone\b"
)
WRONG: list[Any] = [
    True, 3, -1, 2.5, float("nan"), float("inf"), 10**30, "", " ", "x", "a\0b", "3.5", None, [], [3], [True], ["x", None], [[]],
    {}, {"x": 1}, {"x": {"y": []}}, {3: 4}, (1, 2), object(), b"x", {"provider": "openai"}, {"provider": 3, "name": []},
    ["openai:x", 3], {"train": 3}, {"kind": 7}, {"calls": "many", "cost": []}, {"decision": 3}, {"test": {}, "adapt": 3},
]  # fmt: skip

ROWS = [{"question": "a", "answer": "b"}]
MODELS: list[tuple[type[BaseModel], dict[str, Any]]] = [
    (TaskSpec, {"name": "t", "examples": ROWS, "user_prompt": "Go. {question}"}),
    (ReaderSpec, {}),
    (MetricSpec, {}),
    (RunConfig, {}),
    (GeneralizationConfig, {}),
    (ModelSpec, {"provider": "openai", "name": "m"}),
    (Budget, {}),
    (Study, {"methods": ["sprig"]}),
    (Answer, {}),
    (PriceList, {"prices": {}}),
]


def fields() -> Iterator[Any]:
    for model, valid in MODELS:
        for name, field in model.model_fields.items():
            yield pytest.param(model, valid, field.alias or name, id=f"{model.__name__}.{name}")


@pytest.mark.long
@pytest.mark.parametrize(("model", "valid", "name"), list(fields()))
def test_every_field_complains_in_our_words(model: type[BaseModel], valid: dict[str, Any], name: str) -> None:
    said = []
    for value in WRONG:
        try:
            check(model, {**valid, name: value}, ConfigError)
        except MetaspoError as error:
            said.append(str(error))
    assert said, "no value was refused"
    for one in said:
        assert not LIBRARY.search(one) and one.strip() and "<" not in one.replace("<locked>", ""), one


@pytest.mark.parametrize(
    ("model", "name", "value", "words"),
    [
        (RunConfig, "train_size", True, "train_size: true is no whole number; write one such as 3"),
        (RunConfig, "train_size", 2.5, "train_size: 2.5 is no whole number; write one such as 3"),
        (RunConfig, "train_size", "many", "train_size: 'many' is no whole number; write one such as 3"),
        (RunConfig, "train_size", 0, "train_size: 0 is too small: write 1 or more"),
        (RunConfig, "target", 1.5, "target: 1.5 is too large: write 1 or less"),
        (RunConfig, "target", True, "target: true is no number; write one such as 0.5"),
        (RunConfig, "placebo", 1, "placebo: 1 is neither true nor false; write one of these"),
        (RunConfig, "placebo", "perhaps", "placebo: 'perhaps' is neither true nor false; write one of these"),
        (RunConfig, "preset", "tiny", "preset: 'tiny' is none of 'paper', 'quick', 'batch'; write one of them"),
        (RunConfig, "system_prompt", 3, "system_prompt: 3 is not text; write text"),
        (RunConfig, "system_prompt", "a\0b", "system_prompt: holds a NUL"),
        (RunConfig, "system_prompts", ["a\0b"], "system_prompts: holds a NUL"),
        (RunConfig, "base", 3, "base: 3 is no model; write one such as openai:gpt-4o-mini, or a block"),
        (RunConfig, "base", ["openai:m", 3], "base: 3 is no model"),
        (RunConfig, "optimizer", None, "optimizer: nothing is no model"),
        (RunConfig, "analyst", True, "analyst: true is no model"),
        (RunConfig, "optimizer", {"provider": "openai"}, "'optimizer.name' is missing; add it"),
        (RunConfig, "base", {"provider": "openai"}, "model without a name: name is missing; add it"),
        (RunConfig, "tasks", [3], "tasks.0: 3 is not text and not a block; write text"),
        (RunConfig, "targets", 3, "targets: 3 is not a list; write [one, another]"),
        (RunConfig, "budget", {"calls": True}, "budget.calls: true is no whole number"),
        (RunConfig, "budget", 3, "budget: 3 is not a block; write 'key: value' lines"),
        (
            RunConfig,
            "optimizer",
            {"provider": "openai", "name": "m", "max_tokens": True},
            "max_tokens: true is no whole number",
        ),
        (RunConfig, "store", "a\0b", "store: holds a NUL"),
        (Study, "seeds", [True], "seeds: true is no whole number"),
        (Study, "seeds", ["x"], "seeds.0: 'x' is no whole number"),
        (ReaderSpec, "kind", "choise", "kind: 'choise' is none of 'choice', 'labels'"),
        (TaskSpec, "max_tokens", True, "max_tokens: true is no whole number"),
        (TaskSpec, "user_prompt", "Go\0. {question}", "user_prompt: holds a NUL"),
        (MetricSpec, "failing_below", False, "failing_below: false is no number"),
    ],
)
def test_what_is_said_of_one(model: type[BaseModel], name: str, value: Any, words: str) -> None:
    valid = next(valid for one, valid in MODELS if one is model)
    with pytest.raises(MetaspoError) as raised:
        check(model, {**valid, name: value}, ConfigError)
    assert words in str(raised.value)


def test_a_spec_and_a_task_made_in_python_complain_alike() -> None:
    with pytest.raises(ModelError, match="temperature: a number from 0 to 2") as spec:
        ModelSpec(provider="openai", name="m", temperature=9)
    with pytest.raises(TaskError, match=r"reader\.kind: 'x' is none of") as task:
        TaskSpec(name="t", examples=ROWS, user_prompt="Go. {question}", reader={"kind": "x"})
    with pytest.raises(TaskError, match="'user_prompt' is missing; add it"):
        TaskSpec.model_validate({"name": "t", "examples": ROWS})
    assert not LIBRARY.search(f"{spec.value} {task.value}")


def test_of_a_value_with_several_forms_the_one_that_was_meant_is_told() -> None:
    forms = TypeAdapter(int | list[dict[str, int]])
    for data, told in (([{"a": "x"}], [((0, "a"), "'x' is no whole number; write one such as 3")]), ("x", [((), None)])):
        try:
            forms.validate_python(data)
        except ValidationError as error:
            found = [(where, said) for where, _, said in complaints(error.errors(), data)]
        assert [where for where, _ in found] == [where for where, _ in told]
        assert (told[0][1] in (None, found[0][1]) and "is no whole number and not a list" in found[0][1]) or told[0][1]
