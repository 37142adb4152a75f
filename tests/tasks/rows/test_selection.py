from typing import Any

import pytest

from metaspo.tasks.catalogue import read_task
from metaspo.tasks.examples import load_pools

ROWS = [
    {"question": "a", "answer": "x", "status": 1, "by": {"name": "Ann"}},
    {"question": "b", "answer": "x", "status": "2", "by": {"name": "Bo"}},
    {"question": "c", "answer": "x", "status": None, "by": {"name": "Bo"}},
    {"question": "d", "answer": None, "status": 1.0, "by": {}},
]


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"where": {"status": 1}, "drop": {"answer": None}}, "a"),
        ({"where": {"status": ["1", 2]}, "drop": {"answer": None}}, "ab"),
        ({"drop": {"answer": [None]}}, "abc"),
        ({"drop": {"answer": ""}}, "abc"),
        ({"drop": {"by.name": None}}, "abc"),
        ({"drop": {"by.name": ["Bo", None]}}, "a"),
        ({"where": {"by.name": "Bo", "status": None}}, "c"),
    ],
)
def test_rows_are_chosen_by_what_their_fields_say(settings: dict[str, Any], left: str) -> None:
    task = {"name": "t", "examples": ROWS, "user_prompt": "Go.\n{question}", **settings}
    assert "".join(example.question for example in load_pools(read_task(task))[""]) == left
