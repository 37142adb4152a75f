import re
from typing import Any

import pytest

from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.answers.readers import canonical, read


def reader(kind: str = "text", source: str = "tag", **settings: Any) -> ReaderSpec:
    return ReaderSpec.model_validate({"kind": kind, "from": source, **settings})


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer>yes</answer>", "yes"),
        ("I think\n<answer>\nyes\n</answer> so.", "yes"),
        ("<ANSWER>Yes</Answer>", "yes"),
        ("<answer>yes</answer> wait <answer>no</answer>", "no"),
        ("between <answer> and </answer>: <answer>no</answer>", "no"),
        ("<answer><answer>yes</answer></answer>", "yes"),
        ("<answer>no <answer>yes</answer>", "yes"),
        ("**<answer>yes</answer>**", "yes"),
        ("yes", None),
        ("<answer>yes", "yes"),
        ("yes</answer>", None),
        ("<answer></answer>", None),
        ("<answer>  \n</answer>", None),
        ("<answer>yes</answer><answer></answer>", None),
        ("<answer>perhaps</answer>", None),
        ("", None),
    ],
)
def test_the_last_tag(reply: str, answer: str | None) -> None:
    assert read(reader("choice", labels=["yes", "no"]), reply) == answer


def test_text_is_trimmed_and_else_left_alone() -> None:
    assert read(reader(), "<answer>  **New\nYork** </answer>") == "**New\nYork**"
    assert read(reader(source="reply"), " The <b> Paris \n") == "The <b> Paris"
    assert read(reader(source="reply"), " \n") is None


@pytest.mark.parametrize(
    ("pattern", "reply", "answer"),
    [
        (r"####\s*(.+)", "#### 3\nno: #### 4", "4"),
        (r"(?i)result = (\d+)", "RESULT = 7", "7"),
        (r"= (\d+)(?: (km))?", "= 7 km", "7"),
        (r"x(y)?", "x", None),
        (r"#### (.*)", "nothing", None),
        (r"#### (.*)", "#### \n", None),
    ],
)
def test_a_pattern_reads_group_one_of_its_last_match(pattern: str, reply: str, answer: str | None) -> None:
    assert read(reader(pattern=pattern), reply) == answer


def test_a_pattern_s_text_still_has_to_be_an_answer() -> None:
    spec = reader("choice", labels=["yes", "no"], pattern=r"-> (.*)")
    assert read(spec, "-> YES!") == "yes"
    assert read(spec, "-> maybe") is None


def test_a_callable_s_text_still_has_to_be_an_answer() -> None:
    spec = reader("integer", "m:f")
    assert read(spec, "x", lambda reply: "about 1,200") == "1200"
    assert read(spec, "x", lambda reply: 7) == "7"  # type: ignore[arg-type, return-value]
    assert read(spec, "x", lambda reply: None) is None
    assert read(spec, "x", lambda reply: "") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        ("The answer is 42.", "42"),
        ("**42**", "42"),
        ("$\\boxed{42}$", "42"),
        ("1,234", "1234"),
        ("1,234,567.5", "1234567.5"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("+3", "3"),
        ("$5.00", "5"),
        ("-$5", "-5"),
        ("€7", "7"),
        ("50%", "50"),
        ("5-star", "5"),
        ("2.50", "2.5"),
        (".5", "0.5"),
        ("007", "7"),
        ("-0.0", "0"),
        ("1e-3", "0.001"),
        ("1.5e3", "1500"),
        ("٤٢", "42"),
        ("- 5", "5"),
        ("7, that is 7", "7"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
        ("6 times 7: the answer is 42", "42"),
        ("Answer: 5. No, wait. Answer: 7", "7"),
        ("Of 10 apples 4 are left. **Answer:** 4", "4"),
        ("3 or 4", None),
        ("The answer is 3 or 4", None),
        ("3-4", None),
        ("between 3 and 4", None),
        ("Answer: 3 to 4", None),
        ("Answer: 3–4", None),
        ("3/4", None),
        ("1,23", None),
        ("1.234,5", None),
        ("1.2.3", None),
        ("COVID-19", None),
        ("B12", None),
        ("forty-two", None),
        ("", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    assert canonical(reader("number"), text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", "2"),
        ("2.0", "2"),
        ("2.5", None),
        ("The answer is 2.5", None),
        ("4 stars", "4"),
        ("4/5", "4"),
        ("Rating: 4 out of 5 stars", "4"),
        ("3/4", None),
        ("0", None),
        ("6", None),
        ("-4", None),
        ("1e9", None),
    ],
)
def test_integers_in_a_range(text: str, number: str | None) -> None:
    assert canonical(reader("integer", minimum=1, maximum=5), text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("seven", "7"), (" Seven. ", "7"), ("**zero**", "0"), ("twenty", "20"), ("seventh", None), ("no one", None)],
)
def test_a_number_word_alone_is_a_number(text: str, number: str | None) -> None:
    assert canonical(reader("integer"), text) == number == canonical(reader("number"), text)


def test_a_fraction_of_the_maximum_is_a_rating_for_integers_only() -> None:
    assert canonical(reader("number", maximum=5), "4/5") is None


def test_every_parsed_number_reads_itself() -> None:
    # The gold answers go through the same reader, so its output must be stable.
    for text in ("1,234", "$5.00", "-0", "1e-3", ".5", "1.5e3"):
        once = canonical(reader("number"), text)
        assert once and re.fullmatch(r"-?\d+(\.\d+)?", once)
        assert canonical(reader("number"), once) == once


@pytest.mark.parametrize(
    ("source", "labels", "reply", "answer"),
    [
        ("reply", ["yes", "no"], "<think>... the answer is no?</think>\n\nyes", "yes"),
        ("tag", ["A", "B"], "<think><answer>A</answer></think> So the answer is B", None),
        ("reply", ["A", "B"], "<think><answer>A</answer></think> So the answer is B", "B"),
        ("reply", ["yes", "no"], "<think>never closed: yes", None),
    ],
)
def test_thoughts_are_no_answer(source: str, labels: list[str], reply: str, answer: str | None) -> None:
    assert read(reader("choice", source, labels=labels), reply) == answer
