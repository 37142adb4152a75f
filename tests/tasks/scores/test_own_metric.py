"""A metric of one's own takes what it names, and returns a score, with words or without."""

import asyncio
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy
import pytest

from metaspo.domain.errors import TaskError
from metaspo.domain.results import Example
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.scores.own_metric import KNOWN, Graded, Judged, graded, own_metric
from metaspo.tasks.spec import TaskSpec
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task

EXAMPLE = Example("e1", "Where is it?", ("Oslo", "oslo"), '{"place":"Oslo","tags":["a"]}')
MESSAGES = [{"role": "user", "content": "Where is it?"}, {"role": "assistant", "content": "In Oslo."}]
JUDGED = Judged("Oslo", EXAMPLE, "In Oslo.", MESSAGES)


class Scores:
    """An object that can be called."""

    def __init__(self, score: float) -> None:
        self.score = score

    def __call__(self, answer: str, question: str) -> tuple[float, str]:
        return self.score, f"{answer} {question}"

    def method(self, reply: str) -> float:
        return self.score


def with_default(answers: list[str], row: Any = None, strict: bool = False) -> Any:
    return answers, row, strict


def bound(limit: float, answer: str) -> Any:
    return limit, answer


def keywords(answer: str, *, messages: Any) -> Any:
    return answer, len(messages)


def everything(**given: Any) -> Any:
    return sorted(given)


@pytest.mark.parametrize(
    ("function", "gets"),
    [
        (lambda answer, answers: (answer, answers), ("Oslo", ["Oslo", "oslo"])),
        (lambda answers, answer: (answers, answer), (["Oslo", "oslo"], "Oslo")),
        (lambda prediction, references: (prediction, references), ("Oslo", ["Oslo", "oslo"])),
        (lambda answer, gold: (answer, gold), ("Oslo", ["Oslo", "oslo"])),
        (lambda prediction, references, weight=2: (prediction, weight), ("Oslo", 2)),
        (lambda prediction, references, row=None: (prediction, row["place"]), ("Oslo", "Oslo")),
        (lambda *both: both, ("Oslo", ["Oslo", "oslo"])),
        (lambda a, b, /: (a, b), ("Oslo", ["Oslo", "oslo"])),
        (lambda question: question, "Where is it?"),
        (lambda reply, row: (reply, row), ("In Oslo.", {"place": "Oslo", "tags": ["a"]})),
        (lambda messages: messages, MESSAGES),
        (with_default, (["Oslo", "oslo"], {"place": "Oslo", "tags": ["a"]}, False)),
        (keywords, ("Oslo", 2)),
        (everything, sorted(KNOWN)),
        (functools.partial(bound, 0.5), (0.5, "Oslo")),
        (functools.partial(bound, limit=0.5), (0.5, "Oslo")),
        (Scores(0.25), (0.25, "Oslo Where is it?")),
        (Scores(0.25).method, 0.25),
    ],
)
def test_it_is_given_what_it_names(function: Callable[..., Any], gets: Any) -> None:
    assert own_metric(function).call(JUDGED) == gets


@pytest.mark.parametrize(
    ("function", "unknown"),
    [
        (lambda answer, answers, context: 1, "context"),
        (lambda text: 1, "text"),
        (lambda question, gold: 1, "gold"),
        (lambda gold, answer: 1, "gold"),
        (lambda reply, *, client: 1, "client"),
        (lambda: 1, "takes nothing"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(function: Callable[..., Any], unknown: str) -> None:
    with pytest.raises(ValueError, match=f"{unknown}.*answer, answers, question, reply, row, messages"):
        own_metric(function)


def test_what_it_is_given_is_its_own() -> None:
    def spoils(answers: list[str], row: dict[str, Any], messages: list[dict[str, Any]]) -> int:
        answers.clear()
        row["tags"].append("b")
        messages[0]["content"] = ""
        return 1

    metric = own_metric(spoils)
    assert metric.call(JUDGED) == 1 and metric.call(JUDGED) == 1
    assert JUDGED.named("row") == {"place": "Oslo", "tags": ["a"]} and JUDGED.named("messages") == MESSAGES


@dataclass
class Verdict:
    score: float
    reasoning: str


@pytest.mark.parametrize(
    ("returned", "score", "words"),
    [
        (0.5, 0.5, ""),
        (True, 1, ""),
        (numpy.float32(0.25), 0.25, ""),
        (numpy.bool_(True), 1, ""),
        (Decimal("0.75"), 0.75, ""),
        ((0.5, "Too short."), 0.5, "Too short."),
        ((0, None), 0, ""),
        ({"score": 1, "explanation": "Right."}, 1, "Right."),
        ({"score": 0.5, "feedback": "Say where."}, 0.5, "Say where."),
        (Verdict(0.5, "Half of it."), 0.5, "Half of it."),
        (SimpleNamespace(score=0.5, comment="Half."), 0.5, "Half."),
        (None, None, ""),
        ((None, "No reference."), None, "No reference."),
        ((0.5, "NUL \0 and half \ud800 of a sign"), 0.5, "NUL  and half ? of a sign"),
    ],
)
def test_what_it_may_return(returned: Any, score: float | None, words: str) -> None:
    found = graded(returned)
    assert found == Graded(score, words) and (found.score is None or type(found.score) is float)


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("good", "returned str 'good'; return a score from 0 to 1, .score, words., or None"),
        ([0.5, "words"], "returned list"),
        ((0.5, "a", "b"), "returned 3 values"),
        ((0.5, 3), "words that are int"),
        ({"value": 1}, "a mapping without 'score' .it has: value."),
        (1.5, "returned 1.5; a score is between 0 and 1"),
        (float("nan"), "returned nan"),
        (-1, "between 0 and 1"),
        (object(), "returned object"),
    ],
)
def test_anything_else_is_told_in_words(returned: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        graded(returned)


async def test_async_ones_run_together_and_others_in_turn_off_the_loop() -> None:
    at_once = most = 0

    async def later(answer: str) -> float:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return 1.0

    assert await asyncio.gather(*(own_metric(later).called(JUDGED) for _ in range(20))) == [1.0] * 20 and most == 20
    seen: list[tuple[int, str]] = []

    def direct(answer: str) -> int:
        seen.append((len(seen), threading.current_thread().name))
        return len(seen)

    assert await asyncio.gather(*(own_metric(direct).called(JUDGED) for _ in range(20))) == list(range(1, 21))
    assert len({name for _, name in seen}) == 1 and seen[0][1] != threading.current_thread().name
    assert await own_metric(lambda answer: later(answer)).called(JUDGED) == 1.0


def open_(make_task: Callable[..., TaskSpec], metric: Any, **settings: Any) -> Task:
    rows = [{"question": f"{at}?", "answer": str(at), "level": at} for at in range(12)]
    return open_task(make_task("t", examples=rows, reader={"from": "reply"}, metric=metric, **settings), Sizes(4, 0, 4), 0)


async def test_a_failure_is_told_with_its_chain_and_its_example(make_task: Callable[..., TaskSpec]) -> None:
    def looks_up(answer: str, answers: list[str]) -> float:
        try:
            return {"known": 1.0}[answer]
        except KeyError as missing:
            raise RuntimeError("no such entry") from missing

    task = open_(make_task, looks_up)
    example = task.splits["test"][0]
    with pytest.raises(TaskError) as raised:
        await task.graded(Judged("x", example, "x", ()))
    said = str(raised.value)
    assert said.startswith("task 't': metric looks_up failed on 'x': RuntimeError: no such entry, because KeyError: 'x'")
    assert example.id in said and repr(example.question) in said


def test_a_metric_that_wants_more_is_refused_when_the_task_is_loaded(make_task: Callable[..., TaskSpec]) -> None:
    with pytest.raises(TaskError, match=r"task 't': metric lambda wants to know context, which there is not"):
        open_(make_task, lambda answer, answers, context: 1)


def test_rows_are_part_of_an_example_where_the_metric_looks_at_them(make_task: Callable[..., TaskSpec]) -> None:
    def by_level(answer: str, row: dict[str, Any]) -> float:
        return row["level"] / 12

    plain, looks = open_(make_task, lambda answer, answers: 1.0), open_(make_task, by_level)
    assert not any(example.row for example in plain.examples.values())
    one = next(iter(looks.examples.values()))
    assert one.row == f'{{"answer":"{one.answer}","level":{one.answer},"question":"{one.question}"}}'
    assert not plain.examples.keys() & looks.examples.keys()
    assert looks.score("x", one) == int(one.answer) / 12


def test_words_that_read_like_no_score_are_no_such_thing(make_task: Callable[..., TaskSpec]) -> None:
    task = open_(make_task, lambda answer: (0.5, "the judge gave no grade"))
    example = task.splits["test"][0]
    outcome = task.outcome_by(graded((0.5, "the judge gave no grade")), example, "call", "x")
    assert outcome.graded and outcome.score == 0.5
    without = task.outcome_by(graded((None, "no reference")), example, "call", "x")
    assert not without.graded and not without.failed and "no reference" in without.explanation
    assert task.aggregate([outcome, without]) == 0.5


def ends(answer: str) -> float:
    raise SystemExit(3)


def empty(answer: str) -> float:
    return float(next(iter([])))


@pytest.mark.parametrize(("metric", "says"), [(ends, "SystemExit: 3"), (empty, "there was no next one, because StopIteration")])
async def test_nothing_that_it_raises_ends_the_process_or_hangs(
    metric: Any, says: str, make_task: Callable[..., TaskSpec]
) -> None:
    task = open_(make_task, metric)
    with pytest.raises(TaskError, match=says):
        await asyncio.wait_for(task.graded(Judged("x", task.splits["test"][0], "x", ())), 5)
