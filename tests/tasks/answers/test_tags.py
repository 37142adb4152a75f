"""Where the answer stands in a reply: the last tag, as models write it."""

import time

import pytest

from metaspo.tasks.answers.reader_spec import ReaderSpec
from metaspo.tasks.answers.readers import read

CHOICE = ReaderSpec(kind="choice", labels=["A", "B", "C", "D"])
NUMBER = ReaderSpec(kind="number")
TEXT = ReaderSpec()


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer>B</answer>", "B"),
        ("<ANSWER>B</ANSWER>", "B"),
        ("< answer >B</ answer >", "B"),
        ("<answer >B< /answer>", "B"),
        ('<answer type="letter">B</answer>', "B"),
        ("&lt;answer&gt;B&lt;/answer&gt;", "B"),
        ("＜answer＞B＜/answer＞", "B"),
        ("<answer>**B**</answer>", "B"),
        ("<answer>\\boxed{B}</answer>", "B"),
        ("<answer>$\\boxed{\\text{B}}$</answer>", "B"),
        ("<answer>\n```\nB\n```\n</answer>", "B"),
        ("**<answer>B</answer>**", "B"),
        ("```xml\n<answer>B</answer>\n```", "B"),
        ("<answer>The answer is B.</answer>", "B"),
        ("<answer>Ｂ</answer>", "B"),
        ("<answer>答案是B</answer>", "B"),
        ("\\<answer\\>B\\</answer\\>", "B"),
        ("<answer>B<\\/answer>", "B"),
        ("<answer>B</answer", "B"),
        ("<answer>B</answer\n>", "B"),
        ("`<answer>B</answer>`", "B"),
        ("<answer>B</answer>.\n\nLet me know if A or C is unclear.", "B"),
        # unclosed
        ("<answer>B\n\nLet me know if you have questions about A!", "B"),
        ("<answer>B\n\nLet me know if you have questions!", "B"),
        ("I think so. <answer>B", "B"),
        ("<answer>\nB\n", "B"),
        ("<answer>A</answer> No: <answer>B", "B"),
        ("<answer>B<answer>", "B"),
        ("<answer>A<answer>B", "B"),
        ("<answer>B<\\answer>", "B"),
        ("<answer>", None),
        ("B</answer>", None),
        # a repeated instruction
        ("I write <answer>your answer</answer>.\n<answer>B</answer>", "B"),
        ("<answer>B</answer> (as <answer>your answer</answer>)", "B"),
        ("<answer>B</answer>, that is <answer>...</answer>", "B"),
        ("<answer>B</answer> in the form <answer>[your answer]</answer>", "B"),
        ("<answer>B</answer> in the form <answer>{answer}</answer>", "B"),
        ("<answer>B</answer> in the form <answer>[label]</answer>", "B"),
        ("Put it between <answer> and </answer>: <answer>B</answer>", "B"),
        ("End with <answer>your answer</answer>", None),
        ("<answer>letter</answer>", None),
        ("<answer>X</answer>", None),
        ("<answer>A or B</answer>", None),
        ("<answer>A</answer> <answer></answer>", None),
        ("<answer>A</answer> <answer>I don't know</answer>", None),
        ("no tag: B", None),
        ("<answers>B</answers>", None),
        ("<answer>not B</answer>", None),
    ],
)
def test_a_label_in_a_tag(reply: str, answer: str | None) -> None:
    assert read(CHOICE, reply) == answer


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer>number</answer>, so <answer>20 000</answer>", "20000"),
        ("<answer>20 000</answer> as <answer>[number]</answer>", "20000"),
        ("<answer>x</answer>", None),
        ("<answer>6 × 7 = 42", "42"),
        ("<answer>$1,250.50</answer>", "1250.5"),
    ],
)
def test_a_number_in_a_tag(reply: str, answer: str | None) -> None:
    assert read(NUMBER, reply) == answer


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<answer> Paris </answer>", "Paris"),
        ("&lt;answer&gt;Paris&lt;/answer&gt;", "Paris"),
        ("&lt;answer&gt;Tom &amp; Jerry&lt;/answer&gt;", "Tom & Jerry"),
        ("&lt;answer&gt;don&#39;t&lt;/answer&gt;", "don't"),
        ("&lt;answer&gt;&amp;lt;&lt;/answer&gt;", "&lt;"),
        ("&lt;answer&gt;Tom &amp; Jerry", "Tom & Jerry"),
        ("<answer>Tom &amp; Jerry</answer>", "Tom &amp; Jerry"),
        ("<answer>Paris</answer>\n<answer>", "Paris"),
        ("<answer>Paris</answer> <answer>  \n", "Paris"),
        ("So: <answer>Paris, in\nFrance", "Paris, in\nFrance"),
        ("<answer>your answer</answer>", None),
        ("<answer>Your answer here</answer>", None),
        ("<answer>...</answer>", None),
        ("<answer>…</answer>", None),
        ("<answer>[answer]</answer>", None),
        ('<answer>"your answer"</answer>', None),
        ("<answer>your answer</answer> <answer>Paris</answer>", "Paris"),
        ("<answer>Paris</answer>: <answer>{your answer}</answer>", "Paris"),
        ("<answer>label</answer>", "label"),
        ("<answer>X</answer>", "X"),
        ("<answer>your answer is wrong</answer>", "your answer is wrong"),
        ("<answer>[12, 13]</answer>", "[12, 13]"),
        ("<answer>R&amp;D</answer>", "R&amp;D"),
        ("<answer>-</answer>", "-"),
    ],
)
def test_a_text_in_a_tag(reply: str, answer: str | None) -> None:
    assert read(TEXT, reply) == answer


def test_what_was_cut_off_in_a_tag_is_no_answer() -> None:
    assert read(NUMBER, "<answer>12", cut_off=True) is None
    assert read(NUMBER, "<answer>12</answer> and so", cut_off=True) == "12"
    assert read(NUMBER, "<answer>12</answer> or <answer>1", cut_off=True) is None
    assert read(NUMBER, "<answer>12") == "12"


def test_a_label_that_is_written_like_a_placeholder_is_a_label() -> None:
    spec = ReaderSpec(kind="choice", labels=["...", "[x]"])
    assert read(spec, "<answer>...</answer>") == "..."
    assert read(spec, "<answer>[x]</answer>") == "[x]"


@pytest.mark.long
@pytest.mark.parametrize("text", ["<answer>" * 20_000, "</answer>" * 20_000, "<answer " * 20_000, "<" * 100_000, "<answer>" + " " * 200_000,
                                  "&lt;answer" * 20_000, "<answer>[" * 20_000, "< " * 100_000])  # fmt: skip
def test_a_degenerate_reply_is_read_in_time_that_grows_with_its_length(text: str) -> None:
    begun = time.process_time()
    for spec in (CHOICE, NUMBER, TEXT):
        read(spec, text)
    assert time.process_time() - begun < 3
