from typing import Any

import pytest

from metaspo.domain.errors import TaskError
from metaspo.tasks.golds import golds
from metaspo.tasks.rows.row import Row
from metaspo.tasks.spec import TaskSpec

LETTERS: Any = {"kind": "choice", "labels": ["A", "B", "C", "D"]}
WORDS: Any = {"kind": "choice", "labels": ["negative", "positive"]}
NUMBER: Any = {"kind": "number"}


def gold(value: Any, reader: Any, row: dict[str, Any] | None = None, **settings: Any) -> tuple[str, ...]:
    block = {"name": "t", "examples": "x", "user_prompt": "Go.\n{question}", "answer": "label", "reader": reader, **settings}
    return golds(TaskSpec.model_validate(block), Row("x.csv:7", "", {"label": value, **(row or {})}))


@pytest.mark.parametrize("value", [0, 0.0, "0", " 0 ", "0.0", False, "False", "Negativ", ["0", "neg"]])
@pytest.mark.parametrize("zero", [0, "0", 0.0])
def test_a_map_says_what_stands_for_what_however_either_is_written(value: Any, zero: Any) -> None:
    told = {zero: "negative", 1: "positive", "Negativ": "negative", "neg": "negative"}
    assert gold(value, WORDS, answer_map=told) == ("negative",)


@pytest.mark.parametrize(
    ("value", "label"), [(True, "yes"), ("true", "yes"), ("FALSE", "no"), (1, "yes"), ("0", "no"), ("no", "no")]
)
def test_a_map_of_truth_values(value: Any, label: str) -> None:
    told = {True: "yes", False: "no"}
    assert gold(value, {"kind": "choice", "labels": ["yes", "no"]}, answer_map=told) == (label,)


def test_a_map_gives_labels_to_text_and_to_what_a_pattern_finds() -> None:
    assert gold("(A)", {"kind": "text"}, answer_map={"(A)": "Paris", "(B)": "Rome"}) == ("Paris",)
    assert gold("label=1;", WORDS, answer_map={1: "positive"}, answer_pattern=r"=(\d)") == ("positive",)


def test_a_map_and_a_pattern_are_for_each_of_a_set_of_labels() -> None:
    reader = {"kind": "labels", "labels": ["rude", "spam", "toxic"]}
    told: Any = {"answer_map": {0: "rude", 1: "spam", 2: "toxic"}}
    assert gold([2, 0], reader, metric="set_f1", **told) == gold(["rude", "toxic"], reader, metric="set_f1")
    assert gold(["#2", "#0"], reader, metric="set_f1", answer_pattern=r"#(\d)", **told) == gold(
        [0, 2], reader, metric="set_f1", **told
    )
    with pytest.raises(TaskError, match=r"x.csv:7: field 'label': the answer '4' is not in answer_map"):
        gold([0, 4], reader, metric="set_f1", **told)


@pytest.mark.parametrize(
    ("value", "options", "text", "mark"),
    [
        (1, ["red", "blue"], "blue", "B"),
        ("1.0", ["red", "blue"], "blue", "B"),
        ("b", ["red", "blue"], "blue", "B"),
        ("Blue", ["red", "blue"], "blue", "B"),
        ("A", {"A": "red", "B": "blue"}, "red", "A"),
        ("blue", {"A": "red", "B": "blue"}, "blue", "B"),
        ("2", {"text": ["red", "blue"], "label": ["1", "2"]}, "blue", "2"),
        ("D", [{"label": "C", "text": "red"}, {"label": "D", "text": "blue"}], "blue", "D"),
        (0, "['red' 'blue']", "red", "A"),
    ],
)
def test_a_map_may_be_the_row_s_own_options(value: Any, options: Any, text: str, mark: str) -> None:
    row = {"given": {"choices": options}}
    assert gold(value, {"kind": "text"}, row, answer_map="given.choices") == (text,)
    assert gold(value, {"kind": "text"}, row, answer_map="given.choices:A.") == (mark,)


@pytest.mark.parametrize(
    ("value", "options", "says"),
    [
        (
            4,
            ["red", "blue"],
            r"x.csv:7: answer_map: choices has options \(0: red, 1: blue\), and the answer '4' is none of them",
        ),
        (1, ["1", "0"], "the answer '1' may be 1 or 0; fix the row, or write which"),
        (1, {"A": "red", "B": "blue"}, "the answer '1' is none of them"),
        (1, "red, blue", "field 'choices' is the text 'red, blue', no list of options; name one under 'answer_map'"),
        (1, [], "field 'choices' is a list of 0 items, no list of options"),
    ],
)
def test_an_option_that_cannot_be_told_is_an_error(value: Any, options: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says):
        gold(value, {"kind": "text"}, {"choices": options}, answer_map="choices")


@pytest.mark.parametrize(
    ("value", "pattern", "found"),
    [
        ("She has 3. So 3 + 1,039.\n#### 1,042", "#### (.+)", "1042"),
        ("#### 1\n#### 2", "####\\s*(.+)", "2"),
        ("so $\\boxed{7}$ it is", r"\\boxed\{(.+?)\}", "7"),
    ],
)
def test_the_last_match_of_a_pattern_is_the_gold(value: str, pattern: str, found: str) -> None:
    assert gold(value, NUMBER, answer_pattern=pattern) == (found,)


@pytest.mark.parametrize(
    ("value", "reader", "found"),
    [
        *(
            (value, LETTERS, "A")
            for value in ("a", "(A)", "A.", "A) Paris", "A: Paris", "The answer is A", "<answer>A</answer>")
        ),
        *(
            (value, WORDS, "positive")
            for value in (
                "Positive",
                "positive.",
                "Answer: positive",
                "The correct label is positive",
                "**positive**",
                "<answer> Positive</answer>",
            )
        ),
        *((value, NUMBER, "1250") for value in ("$1,250", "1250.0", "#### 1,250", "The answer is 1,250", 1250)),
        ("Die richtige Antwort ist gut.", {"kind": "choice", "labels": ["gut", "schlecht"]}, "gut"),
        ("+", WORDS | {"synonyms": {"positive": ["+", "good"]}}, "positive"),
        (1.5, NUMBER | {"decimal": "comma"}, "1.5"),
        ("1.250,5", NUMBER | {"decimal": "comma"}, "1250.5"),
        ("Result: (c)", LETTERS | {"pattern": r"Result: (\S+)"}, "C"),
        ("<answer>Paris</answer>", {"kind": "text"}, "Paris"),
        ("<answer>Paris</answer>", {"kind": "text", "from": "reply"}, "<answer>Paris</answer>"),
        ("In <answer>Paris</answer>", {"kind": "text"}, "In <answer>Paris</answer>"),
        ("The answer is B", {"kind": "text"}, "The answer is B"),
    ],
)
def test_golds_are_read_as_replies_are(value: Any, reader: Any, found: str) -> None:
    assert gold(value, reader) == (found,)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"positive": 1, "negative": 0}, ("positive",)),
        ({"positive": 0.5, "negative": 0.5}, ("positive", "negative")),
        ({"positive": 0.1, "negative": 0.9}, ("negative",)),
    ],
)
def test_answers_with_scores_are_those_with_the_highest(value: Any, found: tuple[str, ...]) -> None:
    assert gold(value, WORDS) == found


@pytest.mark.parametrize(
    ("value", "reader", "settings", "says"),
    [
        (2, LETTERS, {}, r"'2' is not one of the labels A, B, C, D; write answer_map: \{0: A, 1: B, 2: C, 3: D\}"),
        (4, LETTERS, {}, r"write answer_map: \{1: A, 2: B, 3: C, 4: D\} if it counts the labels from 1"),
        (["A", None], LETTERS, {}, "field 'label.1' is null"),
        (["A", "E"], LETTERS, {}, "field 'label.1': the answer 'E' is not one of"),
        (True, WORDS, {}, r"'true' is not .*; write answer_map: \{true: negative, false: positive\}"),
        ("very positive", WORDS, {}, r"'very positive' is not .*; write answer_map: \{'very positive': negative, \.\.\.\}"),
        ("3,5", NUMBER, {}, "'3,5' is not one number; set decimal: comma in the reader, or fix"),
        ("not positive", WORDS, {}, "'not positive' is not one of"),
        ("A or B", LETTERS, {}, "'A or B' is not one of"),
        ("The answer is 3 dogs, so.\n#### 12", NUMBER, {}, "is not one number; write answer_pattern: '#### "),
        ("of 3 and 4, $\\boxed{x}$", NUMBER, {}, r"write answer_pattern: '\\\\boxed"),
        ("3 or 4 of them", NUMBER, {}, "is not one number; write answer_pattern"),
        ("so it is", NUMBER, {"answer_pattern": "#### (.+)"}, r"field 'label': answer_pattern '#### \(\.\+\)' finds nothing in 'so it"),
        (2, WORDS, {"answer_map": {0: "negative", 1: "positive"}},
         r"field 'label': the answer '2' is not in answer_map \(0: negative, 1: positive\); add it"),
        ({"text": ["a"], "start": [1]}, {"kind": "text"}, {}, "field 'label' is a mapping of text, start.*such as label.text"),
        ([{"text": "a"}], {"kind": "text"}, {}, r"field 'label' is a list of 1 item.*such as label.\*.text"),
        ([["a"]], {"kind": "text"}, {}, r"field 'label' is a list of 1 item.*such as label.0 or label.\*.\*"),
        ({"start": 3, "end": 5}, {"kind": "text"}, {}, "field 'label' is a mapping of start, end"),
        ([], WORDS, {}, "the list of accepted answers 'label' is empty"),
        (None, WORDS, {}, "field 'label' is null"),
    ],
)  # fmt: skip
def test_a_gold_that_cannot_be_read_says_where_and_what_to_write(value: Any, reader: Any, settings: Any, says: str) -> None:
    with pytest.raises(TaskError, match=says) as raised:
        gold(value, reader, **settings)
    assert str(raised.value).startswith("x.csv:7: ")
