import pytest

from metaspo.domain.prompts import Prompt, asked, complaint_about_user_prompt, fill


@pytest.mark.parametrize(
    ("prompt", "question", "filled"),
    [
        ("Q: {question}!", "why", "Q: why!"),
        ("{question}", "{question}", "{question}"),
        ("{a} {{question}} {}", "{0} %s \\1 {b}", "{a} {{0} %s \\1 {b}} {}"),
        ("no place", "why", "no placewhy"),
    ],
)
def test_fill_is_single_pass(prompt: str, question: str, filled: str) -> None:
    assert fill(prompt, question) == filled


def test_ids() -> None:
    assert Prompt("user", "x").id == Prompt("user", "x").id
    assert len({Prompt("user", "x").id, Prompt("system", "x").id, Prompt("user", "x ").id}) == 3
    assert len(Prompt("system", "").id) == 16


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Say. {question}\nOne word.", None),
        ("{x} {question} {} One word.", None),
        ("Say. One word.", "{question} 0 times"),
        ("Say. {question} {question} One word.", "{question} 2 times"),
        ("Say. {question}", "answer format 'One word.'"),
        ("Say. {question} one word.", "answer format 'One word.'"),
        ("{question}\n\nOne word.", "no instruction"),
        ("", "{question} 0 times"),
    ],
)
def test_complaints(text: str, complaint: str | None) -> None:
    said = complaint_about_user_prompt(text, "One word.")
    assert said is None if complaint is None else complaint in (said or "")


def test_without_an_answer_format() -> None:
    assert complaint_about_user_prompt("Say. {question}", "") is None
    assert "no instruction" in (complaint_about_user_prompt(" {question}\n", "") or "")


def test_a_conversation_is_filled_in_a_single_pass_around_the_last_user_turn() -> None:
    turns = [("user", "{question} one"), ("system", "{question} s"), ("user", "{question} two"), ("assistant", "three")]
    assert asked("S", "A {question} {B}", turns) == (
        ("system", "S\n\n{question} s"), ("user", "{question} one"), ("user", "A {question} two {B}"), ("assistant", "three"),
    )  # fmt: skip
    assert asked("", "{question}", [("user", "hi")]) == (("user", "hi"),)
