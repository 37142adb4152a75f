from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.rows.questions import chat, question
from metaspo.tasks.rows.row import Row
from metaspo.tasks.spec import TaskSpec

MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


def asked(template: str, **values: Any) -> str:
    spec = TaskSpec.model_validate({"name": "t", "examples": "x", "user_prompt": "Go.\n{question}", "question": template})
    return question(spec, Row("x.json, item 1", "", values))


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("inputs.question", {"inputs": {"question": "why?"}}, "why?"),
        ("messages.-1.content", {"messages": MESSAGES}, "u"),
        ("{a.b}: {inputs.n}", {"a.b": "literal", "inputs": {"n": 1.5}}, "literal: 1.5"),
        ("lines", {"lines": ["one", 2, True]}, "one\n2\ntrue"),
        ("Q:\n{lines}", {"lines": ["one", "{two}"]}, "Q:\none\n{two}"),
        ("{messages.*.content}", {"messages": MESSAGES}, "s\nu"),
        ("{record} of {all}", {"record": {"é": 1}, "all": [{"a": 1}, [2]]}, '{"é": 1} of [{"a": 1}, [2]]'),
        ("{o:A.}", {"o": ["red", 2]}, "A. red\nB. 2"),
        ("{o:(a)}", {"o": ["red", "blue"]}, "(a) red\n(b) blue"),
        ("{o:1)}", {"o": ["red"] * 30}, "\n".join(f"{n}) red" for n in range(1, 31))),
        ("{o:A}", {"o": {"x": "red", "y": "blue"}}, "x red\ny blue"),
        ("{o:A.}", {"o": {"text": ["red", "blue"], "label": ["1", "2"]}}, "1. red\n2. blue"),
        ("{o:A.}", {"o": {"text": ["red", "blue"]}}, "A. red\nB. blue"),
        ("{o:A.}", {"o": [{"text": "red", "label": "C"}, {"text": "blue", "label": "D"}]}, "C. red\nD. blue"),
        ("{o.text:A.}", {"o": {"text": ["red", "blue"], "label": ["1", "2"]}}, "A. red\nB. blue"),
        ("{o:A.}", {"o": "['red' 'blue']"}, "A. red\nB. blue"),
        ("{o:A.}", {"o": {"text": ["red", "blue"], "label": [0, 1]}}, "0. red\n1. blue"),
        ("{o:A.}", {"o:A.": "a column of that name", "o": ["red"]}, "a column of that name"),
    ],
)
def test_a_question_put_together(template: str, values: dict[str, Any], text: str) -> None:
    assert asked(template, **values) == text


@pytest.mark.parametrize(
    ("template", "values", "says"),
    [
        ("{text}", {"data": {"text": "x"}}, r"item 1: no field 'text' \(it has: data.text\); set 'question' of task 't' to a field"
                                            r" it has, such as question: data.text"),
        ("qestion", {"question": "x"}, "such as question: question"),
        ("inputs.text", {"inputs": {"question": "x"}}, r"no field 'inputs.text' \(it has: inputs.question\): 'inputs' has no 'text'"),
        ("messages.2.content", {"messages": MESSAGES}, r"'messages' is a list of 2 items, so there is no '2'"),
        ("messages", {"messages": MESSAGES}, r"field 'messages' is a list of 2 items, not text or a number; .* messages.\*.content"),
        ("{messages}", {"messages": MESSAGES}, r"field 'messages' is a list of 2 items, not text"),
        ("record", {"record": {"a": 1}}, "field 'record' is a mapping of a, not text or a number; .* such as record.a"),
        ("list", {"list": ["a", None]}, "field 'list.1' is null"),
        ("{list}", {"list": [1.0, float("nan")]}, "field 'list.1' is nan; fill it in"),
        ("{o:A.}", {"o": "red"}, "field 'o' is the text 'red', no list of options; name one"),
        ("{o:A.}", {"o": ["x"] * 27}, "field 'o' has 27 options, more than letters; write {o:1.}"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_is_told_with_place_field_and_what_to_write(
    template: str, values: dict[str, Any], says: str
) -> None:
    with pytest.raises(TaskError, match=says):
        asked(template, **values)


def test_a_conversation_is_known_by_its_roles() -> None:
    assert chat(MESSAGES)
    assert not any(chat(value) for value in ([], "role", [{"content": "x"}], ["role"], {"role": "user"}))
