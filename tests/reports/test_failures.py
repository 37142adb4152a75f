"""What a run still gets wrong: every example of it, with its reply, and nothing that is right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from metaspo import optimize
from metaspo.cli.main import main
from metaspo.reports.failures import open_failures

from ..helpers.endpoint import Endpoint, fail, say

EVIL = "Maybe \x1b[2J" + "so " * 3000 + "the END"


def answers(request: Any, body: Any, number: int) -> Any:
    """Right for numbers that end in 0 to 5, else wrong, unreadable, or no reply at all."""
    number = int(body["messages"][-1]["content"].split("Is ")[1].split()[0])
    gold = "yes" if number % 2 else "no"
    if number % 10 == 7:
        return say(EVIL)
    if number % 10 == 9:
        return fail(400, "no such question", "content_filter")
    return say(gold if number % 10 < 6 else {"yes": "no", "no": "yes"}[gold])


@pytest.fixture
def run(make_task: Callable[..., Any], store_path: Path, endpoint: Endpoint) -> str:
    endpoint.act = answers
    tasks = [make_task("one", 80), make_task("two", 80)]
    return optimize(tasks=tasks, base=endpoint.spec(), method="fixed", store=str(store_path), train_size=8, test_size=30).run


def shown(store: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["show", *words, "--errors", "--store", str(store)])


def test_every_example_that_is_not_right_is_there_with_its_reply(run: str, store_path: Path) -> None:
    found = open_failures(store_path, run, most=0)
    assert [task.task for task in found.tasks] == ["one", "two"] and not found.without
    for task in found.tasks:
        assert (task.split, task.examples, len(task.failures)) == ("test", 30, task.wrong + task.unparsed)
        for one in task.failures:
            number = int(one.question.split("Is ")[1].split()[0])
            assert one.kind == {6: "wrong", 8: "wrong", 7: "unparsed", 9: "unparsed"}[number % 10]
            assert list(one.expected) == ["yes" if number % 2 else "no"] and one.score == 0
            assert (one.answer is None) == (one.kind == "unparsed") == bool(one.explanation)
            assert one.reply == EVIL if number % 10 == 7 else "no such question" in one.error or one.reply == one.answer
        assert {one.kind for one in task.failures} == {"wrong", "unparsed"}


def test_it_is_shown_task_by_task_shortened_and_harmless(run: str, store_path: Path) -> None:
    result = shown(store_path, run, "--limit", "0")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output and "\\x1b[2J" in result.output and "the END" in result.output
    assert result.output.count("so so so") < 5000 and "characters ...]" in result.output
    assert "one: " in result.output and "of 30 test examples" in result.output and "expected: yes" in result.output
    one = shown(store_path, run, "--task", "two", "--limit", "1")
    assert "one: " not in one.output and "more of two; --limit 0 shows all" in one.output


def test_as_json(run: str, store_path: Path) -> None:
    data = json.loads(shown(store_path, "--json", "--limit", "2").stdout)
    assert data["run"] == run and [len(task["failures"]) for task in data["tasks"]] == [2, 2]
    assert data["tasks"][0]["wrong"] + data["tasks"][0]["unparsed"] > 2


def test_where_nothing_was_tested_it_is_what_selects(make_task: Callable[..., Any], store_path: Path) -> None:
    base = "scripted:tests.helpers.scripts:always_yes"
    optimize(tasks=[make_task("one")], base=base, optimizer=base, method="outer_only", iterations=1, store=str(store_path),
             train_size=10, test_size=0)  # fmt: skip
    result = shown(store_path)
    assert "10 train examples, which selected: there was no test" in result.output


def test_mistakes(run: str, store_path: Path) -> None:
    result = shown(store_path, run, "--task", "three")
    assert result.exit_code == 2 and "has no task 'three'; it has one, two" in result.output
    result = CliRunner().invoke(main, ["show", run, "--limit", "3", "--store", str(store_path)])
    assert result.exit_code == 2 and "--limit belongs to --errors" in result.output


def test_an_answer_that_a_judge_gave_no_grade_is_ungraded(make_task: Callable[..., Any], store_path: Path) -> None:
    metric = {"kind": "judge", "rubric": "Polite.", "model": "scripted:tests.helpers.scripts:half_grader"}
    task = make_task("judged", reader={"from": "reply"}, metric=metric)
    base = "scripted:tests.helpers.scripts:uneven"
    optimize(tasks=[task], base=base, method="fixed", store=str(store_path), train_size=4, test_size=12)
    [found] = open_failures(store_path).tasks
    assert found.ungraded == len(found.failures) > 0 == found.wrong
    assert all(one.kind == "ungraded" and one.score is None and one.answer for one in found.failures)
    assert "ungraded: the judge gave no grade" in shown(store_path).output
