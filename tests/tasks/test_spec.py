from collections.abc import Callable
from typing import Any

import pytest

from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.scores.metric_spec import MetricSpec
from metaspo.tasks.spec import TaskSpec


def test_labels_are_text_whatever_they_are_written_as() -> None:
    assert ReaderSpec(kind="choice", labels=[1, 2.5, True, " no "]).labels == ["1", "2.5", "true", "no"]  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("metric", "threshold"),
    [
        ("accuracy", 1.0),
        ("token_f1", 0.5),
        ({"kind": "judge", "rubric": "r"}, 0.75),
        ({"kind": "token_f1", "failing_below": 0.9}, 0.9),
        ("my.module:function", 1.0),
    ],
)
def test_a_metric_is_a_name_or_a_block(make_task: Callable[..., TaskSpec], metric: Any, threshold: float) -> None:
    assert make_task("t", metric=metric).metric.threshold == threshold


def test_the_answer_format_is_added_where_it_is_missing(make_task: Callable[..., TaskSpec]) -> None:
    added = make_task("t", user_prompt="Say.\n{question}\n", answer_format="Answer yes or no.")
    assert added.user_prompt == "Say.\n\nAnswer yes or no.\n\n{question}"
    there = make_task("t", user_prompt="Is it? Answer yes or no.\n{question}", answer_format="Answer yes or no.")
    assert there.user_prompt == "Is it? Answer yes or no.\n{question}"


def test_a_spec_survives_being_written_and_read(make_task: Callable[..., TaskSpec]) -> None:
    spec = make_task("t", metric={"kind": "numeric", "tolerance": 0.5}, reader={"kind": "integer", "from": "reply"})
    assert TaskSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec
    assert MetricSpec.model_validate(spec.metric.model_dump()) == spec.metric
