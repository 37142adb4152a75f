"""Rows as the field's tools write them."""

from typing import Any

import pytest

from metaspo.tasks.rows.row import Row
from metaspo.tasks.sources.tools import filled


def added(values: dict[str, Any]) -> dict[str, Any]:
    found = filled(Row("x", "", values)).values
    return {name: value for name, value in found.items() if name not in values}


USER, SYSTEM = {"role": "user", "content": "hi"}, {"role": "system", "content": "Be kind."}
ASSISTANT = {"role": "assistant", "content": "ho"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"inputs": {"q": "a"}, "outputs": {"x": "b"}}, {"question": "a", "answer": "b"}),
        ({"inputs": '{"q": "a"}', "outputs": '{"x": 1}', "id": "1"}, {"question": "a", "answer": 1}),
        ({"input_q": "a", "output_x": "b", "id": "1"}, {"question": "a", "answer": "b"}),
        ({"inputs.q": "a", "outputs.x": "b"}, {"question": "a", "answer": "b"}),
        ({"inputs": {"q": "a"}, "outputs": {"x": {"y": 1}}}, {"question": "a", "answer": {"y": 1}}),
        ({"inputs": {"q": "a", "r": "b"}, "outputs": {"x": None}}, {}),
        ({"inputs": {"q": "a"}, "outputs": {"x": "b"}, "answer": "own"}, {"question": "a"}),
        ({"input": [USER], "ideal": "b"}, {"question": "hi", "answer": "b"}),
        ({"input": [SYSTEM, USER], "ideal": ["b", "c"]}, {"question": [SYSTEM, USER], "answers": ["b", "c"]}),
        (
            {"input": [{**SYSTEM, "name": "example_user"}, USER], "ideal": "b"},
            {"question": [{**SYSTEM, "name": "example_user"}, USER], "answer": "b"},
        ),
        ({"input": "hi", "ideal": 3}, {"question": "hi", "answer": 3}),
        ({"messages": [USER, ASSISTANT]}, {"question": "hi", "answer": "ho"}),
        ({"messages": [SYSTEM, USER, ASSISTANT]}, {"question": [SYSTEM, USER], "answer": "ho"}),
        ({"messages": [SYSTEM, USER]}, {}),
        ({"messages": []}, {}),
        ({"messages": ["a"]}, {}),
        ({"question": "a", "answer": "b"}, {}),
        ({"input": "a", "output": "b"}, {}),
        ({"inputs": "text", "outputs": "text"}, {}),
    ],
    ids=str,
)
def test_what_is_clear_is_added(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert added(values) == expected


def test_what_is_not_clear_says_what_to_write() -> None:
    row = filled(Row("x", "", {"input_a": "1", "input_b": "2", "output_c": "3"}, lambda field: f"look at {field}"))
    assert row.hint("question") == 'write question: "{input_a} {input_b}" in the task: it may be any of input_a, input_b'
    assert row.hint("else") == "look at else" and row.values["answer"] == "3"


def expected(*cells: str, **columns: str) -> dict[str, Any]:
    named = {f"__expected{number or ''}": cell for number, cell in enumerate(cells)}
    return added({"text": "a", **columns, **named, "__description": "x"})


@pytest.mark.parametrize(
    ("cells", "gold"),
    [
        (["Paris"], {"answer": "Paris"}),
        (["equals: 4"], {"answer": "4"}),
        (["contains:Hello"], {"answer": "Hello"}),
        (["icontains: a: b"], {"answer": "a: b"}),
        (["similar(0.8): about this"], {"answer": "about this"}),
        (["Note: this is no kind"], {"answer": "Note: this is no kind"}),
        (["contains"], {"answer": "contains"}),
        (["contains-any: a, b"], {"answers": ["a", "b"]}),
        (["contains-all: a"], {"answers": ["a"]}),
        (["javascript: output.length < 10", "contains: four", "equals: 4"], {"answer": "4"}),
        (["equals: {{text}}"], {"answer": "a"}),
        (["contains: is {{ text }}!"], {"answer": "is a!"}),
    ],
    ids=str,
)
def test_golds_of_a_table_of_tests(cells: list[str], gold: dict[str, Any]) -> None:
    found = expected(*cells)
    assert {name: found[name] for name in found if name.startswith("answer")} == gold
    assert found["question"] == "a" and found["vars"] == {"text": "a"}


@pytest.mark.parametrize(
    ("cells", "kinds"),
    [
        (["is-json"], "is-json"),
        (["llm-rubric: is polite"], "llm-rubric"),
        (["not-contains: a"], "not-contains"),
        (["contains: a", "contains: b"], "contains"),
        (["contains-all: a, b"], "contains-all"),
        (["equals: {{ text | upper }}"], "equals"),
        (["equals: {{ other }}"], "equals"),
        ([""], "no assert"),
    ],
    ids=str,
)
def test_tests_without_one_gold_say_what_to_write(cells: list[str], kinds: str) -> None:
    row = filled(Row("x", "", {"text": "a", **{f"__expected{n}": cell for n, cell in enumerate(cells, 1)}}))
    assert not {"answer", "answers"} & set(row.values)
    assert row.hint("answer") == f"write an assert of type equals or contains, or vars.expected: the test has {kinds}"


def test_the_variable_that_is_expected_is_no_part_of_the_question() -> None:
    found = expected("llm-rubric: fits", expected="yes")
    assert (found["question"], found["answer"]) == ("a", "yes")
