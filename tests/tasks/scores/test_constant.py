"""The best constant answer: of all gold answers the one that scores most where it is always given."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from metaspo.domain.results import Example, Outcome
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.scores import metrics
from metaspo.tasks.scores.constant import best_constant
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.splits import Sizes

TITLES = ["red", "red", "red", "blue big car", "blue big van", "blue big bus", "blue big", "blue big tram"]
"""The commonest answer shares no word with most others; "blue big" shares two with each of them."""


def constant(accepted: list[list[str]], kind: str, tolerance: float = 1e-6) -> float | None:
    score = metrics.scorer(kind, tolerance)
    assert score is not None
    return best_constant(accepted, kind, score)


def test_the_commonest_answer_is_not_always_the_best_constant_one() -> None:
    # "red" three times of eight: 37.5; "blue big": 4 x 4/5 and once 1: 4.2 of 8.
    assert sum(metrics.token_f1("red", [gold]) for gold in TITLES) / 8 == 0.375
    assert constant([[gold] for gold in TITLES], "token_f1") == pytest.approx((4 * 0.8 + 1) / 8)


def test_it_may_be_an_answer_that_is_never_the_best_one() -> None:
    # Of 24 examples 9 are best answered with "NYC", and 19 accept "New York" as well.
    first = ["NYC"] * 9 + [f"city {at}" for at in "abcdefghijklmno"]
    accepted = [[best, "New York"] if at < 19 else [best] for at, best in enumerate(first)]
    found = [sum(metrics.token_f1(one, golds) for golds in accepted) / 24 for one in ("NYC", "New York")]
    assert [round(100 * one, 1) for one in found] == [37.5, 79.2]
    assert constant(accepted, "token_f1") == pytest.approx(19 / 24) == constant(accepted, "exact_match")


def test_a_sentence_may_be_worth_twice_the_commonest_word() -> None:
    golds = ["no", "no", "no", *(f"no because of the {what}" for what in ("rain", "snow", "wind", "heat", "frost"))]
    commonest = sum(metrics.token_f1("no", [gold]) for gold in golds) / 8
    best = max(sum(metrics.token_f1(one, [gold]) for gold in golds) / 8 for one in golds)
    assert commonest < best and constant([[gold] for gold in golds], "token_f1") == pytest.approx(best)


@pytest.mark.parametrize(
    ("accepted", "metric", "score"),
    [
        ([["5"], ["5"], ["5"], ["1"]], "accuracy", 0.75),
        ([["y"], ["y"], ["y"], ["n"]], "macro_f1", (6 / 7) / 2),
        ([["y"]], "macro_f1", 1),
        ([["Paris"], ["Paris"], ["the paris"], ["Rome"]], "exact_match", 0.75),
        ([["Rome", "Paris"], ["Paris"], ["Paris"]], "accuracy", 1),  # accepted beside the best one
        ([["Rome", "Paris"], ["Oslo", "Paris"], ["Bern", "paris!"], ["Oslo"]], "exact_match", 0.75),  # never the best one
        ([["red"], ["red"], ["red car"]], "token_f1", (1 + 1 + 2 / 3) / 3),
        ([["red"], ["red"], ["big red car"]], "contains", 1),  # the longest one holds all others
        ([["3"], ["3"], ["3.0"], ["4"]], "numeric", 0.75),
    ],
)
def test_it_is_scored_by_the_metric_itself(accepted: list[list[str]], metric: str, score: float) -> None:
    assert constant(accepted, metric) == pytest.approx(score)


def test_a_number_in_the_middle_is_the_best_within_a_tolerance() -> None:
    assert constant([["1"], ["1"], ["3"], ["4"], ["5"]], "numeric", 1) == pytest.approx(3 / 5)


def test_macro_f1_is_that_of_the_answer() -> None:
    golds = ["a"] * 5 + ["b"] * 3 + ["c"] * 2
    given = metrics.macro_f1([Outcome(str(at), "", "a", 0, False) for at in range(10)], golds)
    assert constant([[gold] for gold in golds], "macro_f1") == pytest.approx(given)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "token_f1", "contains"])
def test_there_is_none_without_examples_or_gold_answers(metric: str) -> None:
    assert constant([], metric) is None and constant([["a"], []], metric) is None


@pytest.mark.parametrize("kind", ["token_f1", "exact_match", "contains"])
def test_the_quick_way_finds_what_trying_all_finds(kind: str) -> None:
    draw = random.Random(0)
    words = ["red", "blue", "the", "car", "red-blue", "C++", "!", "two"]
    accepted = [[" ".join(draw.choices(words, k=draw.randint(1, 4))) for _ in range(draw.randint(1, 3))] for _ in range(60)]
    score = metrics.scorer(kind, 0)
    assert score is not None
    slow = max(sum(score(one, golds) for golds in accepted) for golds in accepted for one in golds) / 60
    assert constant(accepted, kind) == pytest.approx(slow)


def test_a_large_split_takes_no_long() -> None:
    draw = random.Random(0)
    golds = [[" ".join(f"w{draw.randint(0, 3000)}" for _ in range(6))] for _ in range(2000)]
    started = time.thread_time()
    assert constant(golds, "token_f1") is not None
    assert constant(golds, "contains") is None  # Four million comparisons: none rather than a wrong one.
    assert time.thread_time() - started < 10


def open_(make_task: Callable[..., TaskSpec], metric: Any, **settings: Any) -> Any:
    rows = [{"question": f"{at}?", "answer": str(at % 5)} for at in range(20)]
    task = make_task("t", examples=rows, reader={"from": "reply", **settings}, metric=metric)
    return open_task(task, Sizes(4, 0, 10), 0)


def near(answer: str, answers: list[str]) -> float:
    """A metric by which the middle is the best constant answer."""
    return 1 - abs(int(answer) - int(answers[0])) / 4


def by_question(answer: str, question: str) -> float:
    return float(question.startswith(answer))


def by_reply(answer: str, answers: list[str], reply: str) -> float:
    return float(answer in reply)


async def later(answer: str, answers: list[str]) -> float:
    return 1.0


def failing(answer: str, answers: list[str]) -> float:
    raise ValueError("not this one")


def slow(answer: str, answers: list[str]) -> float:
    time.sleep(0.2)
    return 1.0


def unscored(answer: str, answers: list[str]) -> None:
    return None


def handed_on(answer: str, answers: list[str]) -> Any:
    return later(answer, answers)


def test_a_metric_of_one_s_own_scores_every_gold_answer(make_task: Callable[..., TaskSpec]) -> None:
    task = open_(make_task, near)
    examples = task.splits["test"]
    best = max(sum(near(str(one), list(e.answers)) for e in examples) / len(examples) for one in range(5))
    assert task.majority("test") == pytest.approx(best)
    assert open_(make_task, by_question).majority("test") is not None


@pytest.mark.long
@pytest.mark.parametrize("metric", [by_reply, later, failing, slow, unscored, handed_on, {"reward": near}])
def test_there_is_none_where_no_answer_is_scored_without_a_reply(metric: Any, make_task: Callable[..., TaskSpec]) -> None:
    if isinstance(metric, dict):
        rows = [{"question": f"{at}?"} for at in range(20)]
        task = open_task(make_task("t", examples=rows, reader={"from": "reply"}, metric=metric), Sizes(4, 0, 10), 0)
        assert task.splits["test"][0] == Example(task.splits["test"][0].id, task.splits["test"][0].question, ())
        assert task.majority("test") is None
    else:
        assert open_(make_task, metric).majority("test") is None


@pytest.mark.filterwarnings("error")
def test_a_coroutine_is_closed(make_task: Callable[..., TaskSpec]) -> None:
    assert open_(make_task, handed_on).majority("test") is None


def test_a_reward_has_none_also_where_there_are_gold_answers(make_task: Callable[..., TaskSpec]) -> None:
    assert open_(make_task, {"reward": near}).majority("test") is None
