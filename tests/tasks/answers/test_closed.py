"""Which answers a reply can be held to."""

from typing import Any

import pytest

from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.spec import TaskSpec


@pytest.mark.parametrize(
    ("reader", "answers"),
    [
        ({"kind": "choice", "labels": ["yes", "no"]}, ["yes", "no"]),
        ({"kind": "integer", "minimum": 1, "maximum": 5}, ["1", "2", "3", "4", "5"]),
        ({"kind": "integer", "minimum": 0.5, "maximum": 2.5}, ["1", "2"]),
        ({"kind": "integer", "minimum": 0, "maximum": 1000}, []),
        ({"kind": "integer", "minimum": 0}, []),
        ({"kind": "text"}, []),
        ({"kind": "choice", "labels": ["a", "b"], "pattern": "(a|b)"}, []),
        ({"kind": "choice", "labels": ["a", "b"], "from": "my.module:read"}, []),
    ],
)
def test_short_lists_only(reader: dict[str, Any], answers: list[str]) -> None:
    assert ReaderSpec.model_validate(reader).closed == answers


def test_an_open_task_cannot_be_constrained() -> None:
    with pytest.raises(ValueError, match="constrain needs a reader of kind 'choice', or 'integer' with minimum and maximum"):
        TaskSpec.model_validate(
            {
                "name": "t",
                "examples": "t.jsonl",
                "user_prompt": "Say it. {question}",
                "reader": {"kind": "text"},
                "constrain": True,
            }
        )
