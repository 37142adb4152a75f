from typing import Any

import pytest

from metaspo.tasks.rows.cells import opened


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, null]}', {"a": [1, None]}),
        (" ['a', 'b'] ", ["a", "b"]),
        ("{'a': None, 'b': True}", {"a": None, "b": True}),
        ("['a' 'b']", ["a", "b"]),
        ("['it is'\n 'a, b' \"c'd\"]", ["it is", "a, b", "c'd"]),
        ("[1 2 3]", [1, 2, 3]),
        ("[[1 2]\n [3 4]]", [[1, 2], [3, 4]]),
        (
            "{'text': array(['x', 'y'], dtype=object), 'start': array([1, 2], dtype=int32), 'no': array([], dtype=object)}",
            {"text": ["x", "y"], "start": [1, 2], "no": []},
        ),
        ("[{'a': 1} {'a': 2}]", [{"a": 1}, {"a": 2}]),
        ("['say \\'a\\' \\'b\\'']", ["say 'a' 'b'"]),
    ],
)
def test_a_list_or_a_mapping_that_a_text_spells(text: str, value: Any) -> None:
    assert opened(text) == value


@pytest.mark.parametrize(
    "text", ["", "plain", "[open", "{no}", "[a.b]", "[1] and more", "{question} {answer}", "[-1 -2]", "{'a': f()}"]
)
def test_a_text_that_spells_none_stays(text: str) -> None:
    assert opened(text) == text
