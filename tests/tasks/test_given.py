"""Functions given in Python: named where they can be imported, told apart by what they are made of where not."""

import difflib
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from metaspo import Task
from metaspo.domain.errors import TaskError
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.given import name_of, short
from metaspo.tasks.splits import Sizes
from metaspo.tasks.task import Task as Opened

from ..helpers import forked

WEIGHTS = {"short": 0.5}


def short_is_better(answer: str, answers: list[str]) -> float:
    return WEIGHTS["short"] if len(answer) < 3 else 0.0


def weighted(weight: float) -> Callable[[str], float]:
    return lambda answer: weight


class Weighs:
    def __init__(self, weight: float) -> None:
        self.weight = weight

    def __call__(self, answer: str) -> float:
        return self.weight


def test_a_function_of_a_module_is_named_by_it() -> None:
    assert name_of(short_is_better) == f"{__name__}:short_is_better"
    assert name_of(difflib.get_close_matches) == "difflib:get_close_matches"
    assert name_of("accuracy") == "accuracy" and name_of(3) == 3


def test_what_cannot_be_imported_is_told_apart_by_what_it_is_made_of() -> None:
    half, same, all_of_it = (name_of(weighted(weight)) for weight in (0.5, 0.5, 1.0))
    assert half == same != all_of_it and half.startswith("object:lambda-") and short(half) == "lambda"
    assert name_of(Weighs(0.5)) == name_of(Weighs(0.5)) != name_of(Weighs(1.0))
    assert name_of(Weighs(0.5).__call__) != name_of(Weighs(1.0).__call__)
    first, second = (name_of(functools.partial(lambda weight, answer: weight, weight)) for weight in (0.5, 1.0))
    assert first != second


class Opaque:
    pass


def test_what_nobody_can_tell_apart_needs_a_version(make_task: Callable[..., Task]) -> None:
    from aiohttp import ClientTimeout
    from rich.console import Console

    def asks(answer: str) -> float:
        return float(bool(Console) and bool(ClientTimeout) and console is not None)

    console = Console()
    with pytest.raises(
        (ValidationError, TaskError), match=r"it uses console, a Console, of which nobody can tell.*give a version"
    ):
        make_task("t", metric=asks)
    task = make_task("t", metric={"kind": asks, "version": 1})
    assert task.metric.kind == "object:asks" and task.metric.version == "1"
    assert open_task(task, Sizes(4, 0, 4), 0).score("yes", open_task(task, Sizes(4, 0, 4), 0).splits["test"][0]) == 1
    with pytest.raises((ValidationError, TaskError), match="Opaque is a class"):
        make_task("t", metric=Opaque)


def opened(make_task: Callable[..., Task], metric: Any) -> Opened:
    return open_task(make_task("t", metric=metric), Sizes(4, 0, 4), 0)


def test_another_function_is_another_task(make_task: Callable[..., Task]) -> None:
    assert opened(make_task, weighted(0.5)).id == opened(make_task, weighted(0.5)).id != opened(make_task, weighted(1.0)).id
    by_name = opened(make_task, f"{__name__}:short_is_better")
    assert by_name.id == opened(make_task, short_is_better).id


@pytest.mark.parametrize("metric", [{"reward": weighted(0.5)}, {"kind": "reward:" + "metaspo.tasks.scores.metrics:accuracy"}])
def test_a_reward_has_one_form(metric: Any, make_task: Callable[..., Task]) -> None:
    task = make_task("t", metric=metric)
    assert task.metric.kind.startswith("reward:") and task.metric.own == task.metric.kind.removeprefix("reward:")
    assert not task.metric.needs_golds
    with pytest.raises((ValidationError, TaskError), match="'reward' and 'kind' exclude each other"):
        make_task("t", metric={"reward": "a.b:c", "kind": "accuracy"})


def test_a_reader_may_be_a_function(make_task: Callable[..., Task]) -> None:
    def last_word(reply: str) -> str:
        return reply.split()[-1]

    for reader in (last_word, {"from": last_word, "kind": "choice", "labels": ["yes", "no"]}):
        assert open_task(make_task("t", reader=reader), Sizes(4, 0, 4), 0).read("I say yes") == "yes"


def test_another_process_says_that_it_has_no_such_function(make_task: Callable[..., Task]) -> None:
    with pytest.raises(TaskError, match=r"metric mine was given in Python, as a function that cannot be imported; .*module"):
        opened(make_task, "object:mine-0123456789ab")


SCRIPT = """
import re
import helper
from metaspo import Task
WORDS = {words}
WORD = re.compile("a")
class Own:
    def word(self, answer): return WORDS.get(answer)
def inner(answer): return Own().word(answer)
def mine(answer, answers): return float(bool(inner(answer)) and helper.value() and bool(WORD))
task = Task(name="t", examples=[{{"question": "q", "answer": "a"}}], user_prompt="Say it. {{question}}", metric=mine)
print(task.metric.kind)
"""


def test_a_script_s_function_is_the_same_after_a_restart_until_what_it_uses_changes(tmp_path: Path) -> None:
    def kind(words: dict[str, int], value: int, more: str = "") -> str:
        (tmp_path / "helper.py").write_text(f"def value(): return {value}\n")
        (tmp_path / "script.py").write_text(SCRIPT.format(words=words) + more)
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        done = forked.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    first = kind({"a": 1}, 1)
    assert first.startswith("object:mine-")
    assert kind({"a": 1}, 1, "print()\n").strip() == first, "what it does not use is no other metric"
    assert kind({"a": 2}, 1) != first and kind({"a": 1}, 2) != first
