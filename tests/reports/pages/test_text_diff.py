"""Two texts as one: nothing is lost of either, and a text that was rewritten is no confetti of single words."""

import random
import time

import pytest

from metaspo.reports.pages.prompts import marked
from metaspo.reports.pages.text_diff import text_diff


def told(before: str, after: str) -> list[tuple[str, str]]:
    parts = text_diff(before, after)
    assert "".join(part.text for part in parts if part.kind != "added") == before
    assert "".join(part.text for part in parts if part.kind != "removed") == after
    return [(part.kind, part.text) for part in parts]


def test_a_word_that_was_changed_is_told_alone() -> None:
    assert told("Sort the tickets by label. Be brief.", "Sort the mails by label. Be brief.") == [
        ("same", "Sort the "), ("removed", "tickets"), ("added", "mails"), ("same", " by label. Be brief."),
    ]  # fmt: skip
    assert told("Answer.", "Answer. Think first.") == [("same", "Answer."), ("added", " Think first.")]


def test_a_prompt_that_was_rewritten_is_told_as_two() -> None:
    before = "You are a helpful assistant."
    after = "You are an analyst who sorts what people write, quickly and with care.\nConsider every answer."
    assert told(before, after) == [("removed", before), ("added", after)]
    assert len(told("a b c d e f g h", "a x c y e z g w")) == 2


def test_lines_that_stayed_stay() -> None:
    before, after = "Rules:\n- be kind\n- be brief\n\nAnswer.", "Rules:\n- be kind\n- name the source of each fact\n\nAnswer."
    parts = told(before, after)
    assert parts[0] == ("same", "Rules:\n- be kind\n") and parts[-1][0] == "same" and parts[-1][1].endswith("\n\nAnswer.")


@pytest.mark.parametrize(("before", "after"), [("", ""), ("", "new"), ("old", ""), ("x", "x"), (" ", "\n"), ("\r\n", "\n")])
def test_texts_of_nothing(before: str, after: str) -> None:
    assert len(told(before, after)) <= 2


def test_scripts_without_spaces_are_told_by_character() -> None:
    kinds = [kind for kind, _ in told("你是一个有帮助的助手请回答问题", "你是一个有帮助的老师请回答问题")]
    assert kinds == ["same", "removed", "added", "same"]


def test_of_any_two_texts_nothing_is_lost() -> None:
    draw = random.Random(0)
    for _ in range(300):
        told(*("".join(draw.choices("ab .\n\t{}é中", k=draw.randrange(40))) for _ in range(2)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a. " * 30_000, "a. " * 15_000 + "b. " * 3 + "a. " * 14_000),
        ("a " * 50_000, "b a " * 25_000),
        ("a b c d " * 12_000, "b a d c " * 12_000),
        (" ".join(map(str, range(20_000))), " ".join(map(str, range(20_000, 0, -1)))),
    ],
)
def test_texts_of_100_kilobytes_take_no_time(before: str, after: str) -> None:
    begun = time.process_time()
    told(before, after)
    assert time.process_time() - begun < 5


def test_one_change_in_a_long_text_is_told_alone() -> None:
    words = [f"word{number % 700}" for number in range(15_000)]
    before, words[7_000] = " ".join(words), "other"
    assert [part for part in told(before, " ".join(words)) if part[0] != "same"] == [("removed", "word0"), ("added", "other")]


def test_marked_texts_stand_alone_the_longer_one_first() -> None:
    spans = marked("Keep {a} and keep {a} b.", {"{a}": "placeholder", "keep {a} b": "locked"})
    assert [(one.text, one.mark) for one in spans] == [
        ("Keep ", ""), ("{a}", "placeholder"), (" and ", ""), ("keep {a} b", "locked"), (".", ""),
    ]  # fmt: skip
