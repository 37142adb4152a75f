from typing import Any

import pytest

from metaspo.tasks.rows.paths import PathError, fields, follow, kind

ROW: dict[str, Any] = {
    "inputs": {"question": "why?", "a.b": 4},
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}],
    "choices": {"text": ["red", "blue"], "label": ["A", "B"]},
    "options": [{"text": "red"}, {"text": "blue"}],
    "by letter": {"A": {"text": "red"}, "B": {"text": "blue"}},
    "paragraphs": [{"qas": [{"id": 1}, {"id": 2}]}, {"qas": []}, {"qas": [{"id": 3}]}],
    "a.b": "literal",
    "a": {"b": {"c": "deep"}},
    "cell": '{"text": ["x", "y"]}',
    "python": "{'text': ['x', None, True]}",
    "broken": "{no",
    "": "empty name",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("inputs.question", "why?"),
        (" inputs.question ", "why?"),
        ("messages.1.content", "u"),
        ("messages.-1.content", "a"),
        ("messages[-1].content", "a"),
        ("$.messages[*].role", ["system", "user", "assistant"]),
        ("messages.*.content", ["s", "u", "a"]),
        ("choices.text", ["red", "blue"]),
        ("choices.*", [["red", "blue"], ["A", "B"]]),
        ("choices.*.0", ["red", "A"]),
        ("options.*.text", ["red", "blue"]),
        ("by letter.*.text", ["red", "blue"]),
        ("paragraphs.*.qas.*.id", [1, 2, 3]),
        ("paragraphs.*.qas.*", [{"id": 1}, {"id": 2}, {"id": 3}]),
        ("a.b", "literal"),
        ("a.b.c", "deep"),
        ("inputs.a.b", 4),
        ("cell.text.1", "y"),
        ("python.text.2", True),
        ("python.text.*", ["x", None, True]),
        ("cell", '{"text": ["x", "y"]}'),
        ("", "empty name"),
    ],
)
def test_what_a_path_leads_to(path: str, found: Any) -> None:
    assert follow(ROW, path) == found


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("inputs.text", "'inputs' has no 'text' (it has: question, a.b)"),
        ("messages.3.content", "'messages' is a list of 3 items, so there is no '3'"),
        ("messages.-4.content", "so there is no '-4'"),
        ("messages.content", "has no 'content'; write '*' for each of them, such as messages.*.content, or 0 for the first"),
        ("messages.0.text", "'messages.0' has no 'text' (it has: role, content)"),
        ("messages.*.text", "'messages.0' has no 'text'"),
        ("inputs.question.text", "'inputs.question' is the text 'why?', in which there is no 'text'"),
        ("inputs.a.b.c", "'inputs.a.b' is 4, in which there is no 'c'"),
        ("broken.no", "'broken' is the text '{no'"),
        ("nowhere.at.all", "it has no 'nowhere' (it has: inputs, messages,"),
        ("inputs..question", "'inputs' has no ''"),
    ],
)
def test_how_far_a_path_could_be_followed(path: str, says: str) -> None:
    with pytest.raises(PathError) as raised:
        follow(ROW, path)
    assert says in str(raised.value)


def test_the_fields_of_a_row_by_their_paths() -> None:
    row = {
        "id": 1,
        "data": {"text": "x"},
        "annotations": [{"result": [{"value": {"choices": ["A"]}}]}],
        "tags": ["a"],
        "no": {},
    }
    assert fields(row) == "id, data.text, annotations.*.result.*.value.choices, tags, no"
    assert fields({str(number): 0 for number in range(15)}).endswith(", 11 and 3 more")
    assert fields({}) == "nothing"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping of a"),
        ([1], "a list of 1 item"),
        (True, "true"),
        (1.5, "1.5"),
    ],
)
def test_what_a_value_is_in_words(value: Any, words: str) -> None:
    assert kind(value) == words
