import pytest

from metaspo.domain.results import Outcome
from metaspo.tasks.scores import metrics


def outcomes(*answers: str | None) -> list[Outcome]:
    return [Outcome(str(i), "", answer, 0.0, True) for i, answer in enumerate(answers)]


@pytest.mark.parametrize(
    ("answer", "golds", "score"),
    [("Yes", ["yes"], 1), (" yes ", ["yes"], 1), ("no", ["yes"], 0), ("no", ["yes", "no"], 1), ("yes.", ["yes"], 0)],
)
def test_accuracy(answer: str, golds: list[str], score: float) -> None:
    assert metrics.accuracy(answer, golds) == score


@pytest.mark.parametrize(
    ("answer", "golds", "score"),
    [
        ("The Eiffel Tower.", ["eiffel tower"], 1),
        ("“Eiffel  Tower”", ["eiffel tower"], 1),
        ("Tower", ["Eiffel Tower", "the tower"], 1),
        ("Eiffel", ["Eiffel Tower"], 0),
        # Texts of articles or signs alone do not all equal each other.
        ("the", ["A"], 0),
        ("a", ["A"], 1),
        ("-", ["+"], 0),
        ("", ["A"], 0),
    ],
)
def test_exact_match(answer: str, golds: list[str], score: float) -> None:
    assert metrics.exact_match(answer, golds) == score


@pytest.mark.parametrize(
    ("answer", "golds", "score"),
    [
        ("the cat sat", ["a cat sat down"], 0.8),  # 2 of 2 words, 2 of 3
        ("cat", ["cat"], 1),
        ("cat cat", ["cat"], 2 / 3),
        ("dog", ["cat"], 0),
        ("Paris France", ["London", "Paris"], 2 / 3),
        ("", ["cat"], 0),
    ],
)
def test_token_f1(answer: str, golds: list[str], score: float) -> None:
    assert metrics.token_f1(answer, golds) == pytest.approx(score)


@pytest.mark.parametrize(
    ("answer", "golds", "score"),
    [
        ("It is the New York one", ["new york"], 1),
        ("It is York", ["New York", "york"], 1),
        ("Yorkshire", ["york"], 0),
        ("", ["york"], 0),
        ("anything", ["+"], 0),
    ],
)
def test_contains(answer: str, golds: list[str], score: float) -> None:
    assert metrics.contains(answer, golds) == score


@pytest.mark.parametrize(
    ("answer", "golds", "tolerance", "score"),
    [
        ("5", ["5"], 0, 1),
        ("5", ["5.0"], 0, 1),
        ("1.1", ["1"], 0.1, 1),  # in binary floating point 1.1 - 1 > 0.1
        ("1.11", ["1"], 0.1, 0),
        ("9", ["1", "8.5"], 0.5, 1),
        ("five", ["5"], 1, 0),
    ],
)
def test_numeric(answer: str, golds: list[str], tolerance: float, score: float) -> None:
    assert metrics.numeric(answer, golds, tolerance) == score


@pytest.mark.parametrize(
    ("answers", "golds", "score"),
    [
        (["y", "n", "y", "n"], ["y", "n", "y", "n"], 1),
        # y: 2 hits, 3 named, 2 there: 0.8; n: 1 hit, 1 named, 2 there: 2/3
        (["y", "y", "y", "n"], ["y", "y", "n", "n"], (0.8 + 2 / 3) / 2),
        (["y", "y", "y", "y"], ["y", "y", "y", "n"], (6 / 7 + 0) / 2),
        # An unparsed answer is a miss of its label: y: 1 hit, 1 named, 2 there: 2/3; n: 1
        (["y", None, "n"], ["y", "y", "n"], (2 / 3 + 1) / 2),
        ([None, None], ["y", "n"], 0),
        # A label that no gold has is no class: a: 1 hit, 1 named, 2 there: 2/3; b: 1
        (["a", "z", "b"], ["a", "a", "b"], (2 / 3 + 1) / 2),
        ([], [], 0),
    ],
)
def test_macro_f1(answers: list[str | None], golds: list[str], score: float) -> None:
    assert metrics.macro_f1(outcomes(*answers), golds) == pytest.approx(score)


def test_judges_and_own_code_are_no_scorers() -> None:
    assert metrics.scorer("judge", 0) is None and metrics.scorer("my.module:metric", 0) is None


def test_mean() -> None:
    assert metrics.mean([Outcome("1", "", "x", 1.0, False), Outcome("2", "", None, 0.0, True)], ["x", "y"]) == 0.5
    assert metrics.mean([], []) == 0
