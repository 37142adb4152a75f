"""Metrics of one's own in whole runs: what they see, what they say, and that their scores are found again."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.calls import Request
from metaspo.domain.errors import NoAnswersError, TaskError
from metaspo.reports.export import export
from metaspo.tasks.catalogue import open_task
from metaspo.tasks.splits import Sizes

from ..helpers import scripts
from ..helpers.endpoint import Endpoint, say

ASKED: list[str] = []
"""What optimizers were asked."""


def writes(request: Request) -> str:
    """An optimizer that keeps what it is asked."""
    ASKED.append(request.messages[-1][1])
    return scripts.uneven(request)


def answers(request: Request) -> str:
    """A base model that says the last number of its question, twice the system prompt's share of the time."""
    number = re.findall(r"\d+", request.messages[-1][1])[-1]
    return f"<think>{number}</think>It is {number}."


def near(answer: str, row: dict[str, Any], reply: str, messages: list[dict[str, Any]], question: str) -> tuple[float, str]:
    """Half right for everything, with a reason that names what it saw."""
    assert messages[0]["role"] == "system" and messages[-1] == {"role": "assistant", "content": reply}
    assert question in messages[1]["content"] and "<think>" in reply and "<think>" not in answer
    return 0.5, f"level {row['level']} of {question!r} is missing"


async def later(answer: str, answers: list[str]) -> dict[str, Any]:
    return {"score": answer.endswith(f"{answers[0]}."), "explanation": "It does not end well."}


def short(reply: str) -> float:
    """A reward: the shorter the better."""
    return max(0.0, 1 - len(reply) / 100)


def ungraded(answer: str, answers: list[str]) -> float | None:
    return None if int(answers[0]) % 3 else 1.0


def nothing(answer: str) -> None:
    return None


def breaks(answer: str, answers: list[str]) -> float:
    raise LookupError("no such entry") from ConnectionError("refused")


def task(name: str, metric: Any, gold: bool = True, **settings: Any) -> Task:
    rows = [{"question": f"Which is number {at}?", "level": at % 3} | ({"answer": str(at)} if gold else {}) for at in range(40)]
    block = {"name": name, "examples": rows, "user_prompt": "Say it. {question}", "reader": {"from": "reply"}}
    return Task.model_validate(block | settings | {"metric": metric})


def search(tasks: list[Task], store: Path, **settings: Any) -> metaspo.Result:
    common = {"base": f"scripted:{__name__}:answers", "optimizer": f"scripted:{__name__}:writes", "preset": "paper"}
    sizes = {"train_size": 20, "validation_size": 4, "test_size": 6, "iterations": 1}
    if settings.get("method", "common_first") == "common_first":
        sizes |= {"system_steps": 2, "user_steps": 1}
    elif settings["method"] == "metaspo":
        sizes |= {"user_candidates": 1, "system_candidates": 1}
    return metaspo.optimize(tasks=tasks, store=store, **(common | sizes | settings))


def asked_of(store: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(store)) as db, db:
        return db.execute(query).fetchall()


@pytest.mark.parametrize("method", ["common_first", "metaspo"])
def test_its_words_reach_the_optimizer_and_the_report(method: str, store_path: Path) -> None:
    ASKED.clear()
    done = search([task("t", near)], store_path, method=method)
    explained = asked_of(store_path, "SELECT DISTINCT explanation FROM outcomes")
    assert explained and all(re.fullmatch(r"level \d of 'Which is number \d+\?' is missing", why) for (why,) in explained)
    shown = [text for text in ASKED if '"explanation": "level' in text]
    # The paper's methods show what the paper shows.
    assert bool(shown) == (method == "common_first") and ASKED
    [report] = done.report.tasks
    assert report.said and report.said[0].startswith("level ") and len(report.said) == 3
    assert "is missing" in export(done.report, "json")
    assert metaspo.verify(store=store_path).well
    assert all(json.loads(row)["level"] in (0, 1, 2) for (row,) in asked_of(store_path, "SELECT row FROM examples"))


def test_an_async_one_is_awaited_and_found_again(store_path: Path) -> None:
    done = search([task("t", later)], store_path, method="fixed")
    assert done.report.tasks[0].after == 1.0 and done.report.tasks[0].majority is None
    found = metaspo.verify(store=store_path)
    assert found.well and not found.findings.unchecked and found.findings.checked["outcome"]


def test_a_reward_needs_no_gold_answers(store_path: Path) -> None:
    ASKED.clear()
    done = search([task("t", {"reward": short}, gold=False)], store_path)
    assert 0.5 < done.report.tasks[0].after < 1 and done.report.tasks[0].majority is None
    shown = [line for text in ASKED for line in text.splitlines() if line.startswith('{"question"')]
    assert shown and all("expected" not in json.loads(line) for line in shown)
    assert metaspo.verify(store=store_path).well
    assert asked_of(store_path, "SELECT DISTINCT answers, row FROM examples") == [("[]", None)]


@pytest.mark.parametrize("metric", ["accuracy", "token_f1", short])
def test_other_metrics_need_gold_answers(metric: Any, store_path: Path) -> None:
    with pytest.raises(TaskError, match="no field 'answer'"):
        search([task("t", metric, gold=False)], store_path)


def test_an_answer_that_is_named_must_be_there(store_path: Path) -> None:
    with pytest.raises(TaskError, match="no field 'gold'"):
        search([task("t", {"reward": short}, gold=False, answer="gold")], store_path)
    block = {"name": "t", "examples": [{"question": f"{at}?"} for at in range(9)], "user_prompt": "Say it. {question}"}
    own = block | {"metric": {"reward": f"{__name__}:short"}, "answer": "answer"}
    with pytest.raises(TaskError, match="no field 'answer'"):
        open_task(own, Sizes(2, 0, 2), 0)
    del own["answer"]
    assert open_task(own, Sizes(2, 0, 2), 0).splits["test"][0].answers == ()


def test_methods_that_show_gold_answers_say_that_they_need_them(store_path: Path) -> None:
    without = task("t", {"reward": short}, gold=False)
    for tasks in ([without], [without, task("u", "token_f1")]):
        with pytest.raises(TaskError, match="task 't' has no gold answers to induce a prompt from, as method metaspo_ape does"):
            search(tasks, store_path, method="metaspo_ape")
        assert not asked_of(store_path, "SELECT * FROM calls"), "it is found out before anything is paid"
    with pytest.raises(TaskError, match="task 't' has no gold answers to induce a prompt from"):
        metaspo.generalize(
            tasks=[without], base=f"scripted:{__name__}:answers", optimizer=f"scripted:{__name__}:writes", store=store_path,
            system_prompt="Be careful.", prompts=1, train_size=8, test_size=4,
        )  # fmt: skip


@pytest.mark.long
def test_a_judge_does_without_a_reference(store_path: Path, endpoint: Endpoint) -> None:
    seen: list[str] = []

    def act(request: Any, body: Any, number: int) -> Any:
        text = str(body["messages"][-1]["content"])
        if "<grade>" not in text:
            return say("Number one.")
        seen.append(text)
        return say("It is polite, but wrong. <grade>3</grade>")

    endpoint.act = act
    judge = {"kind": "judge", "rubric": "Be right.", "model": f"server:m,base_url={endpoint.url}"}
    ASKED.clear()
    base = f"server:m,base_url={endpoint.url}"
    done = search([task("t", judge, gold=False)], store_path, base=base)
    assert done.report.tasks[0].after == 0.5 and done.report.tasks[0].majority is None
    assert seen and not any("eference" in text for text in seen)
    # What it said reaches the optimizer and the report without the grade's tag.
    assert any('"explanation": "It is polite, but wrong."' in text for text in ASKED)
    assert done.report.tasks[0].said == ["It is polite, but wrong."]
    assert metaspo.verify(store=store_path).well
    seen.clear()
    search([task("u", judge)], store_path, base=base, method="fixed")
    assert seen and all("Reference answers (the first is the best; others are as good):" in text for text in seen)


def test_an_answer_without_a_score_counts_for_nothing(store_path: Path) -> None:
    done = search([task("t", ungraded)], store_path, method="fixed", train_size=4, test_size=20)
    [report] = done.report.tasks
    assert report.after == 1.0 and 0 < report.replies_after.ungraded < 1
    assert metaspo.verify(store=store_path).well


def test_a_metric_that_never_gives_a_score_stops_the_run(store_path: Path) -> None:
    with pytest.raises(NoAnswersError, match=r"the metric gave none of the first .. answers a score"):
        search([task("t", nothing)], store_path, test_size=20)


def test_a_metric_that_fails_names_example_and_run(store_path: Path) -> None:
    with pytest.raises(TaskError) as raised:
        search([task("t", breaks)], store_path, method="fixed")
    [(run,)] = asked_of(store_path, "SELECT id FROM runs")
    said = str(raised.value)
    assert "LookupError: no such entry, because ConnectionError: refused" in said
    assert f"in run {run}" in said and "'Which is number" in said


def test_a_run_goes_on_where_the_same_function_is_given_again(store_path: Path) -> None:
    def own(weight: float) -> Callable[[str], float]:
        return lambda answer: weight

    first = search([task("t", own(0.5))], store_path, method="fixed")
    assert first.report.tasks[0].after == 0.5
    again = search([task("t", own(0.5))], store_path, method="fixed")
    other = search([task("t", own(0.25))], store_path, method="fixed")
    assert (again.report.tasks[0].after, other.report.tasks[0].after) == (0.5, 0.25)
    assert metaspo.verify(store=store_path).well
    resumed = metaspo.resume(first.run, store=store_path)
    assert resumed.report.tasks[0].after == 0.5


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: {"reward": f}, lambda f: {"kind": f, "version": 2}])
def test_a_block_in_python_may_hold_functions(wrap: Callable[[Any], Any], store_path: Path) -> None:
    rows = [{"question": f"Which is number {at}?", "answer": str(at)} for at in range(40)]
    block: dict[str, Any] = {"name": "t", "examples": rows, "user_prompt": "Say it. {question}"}
    block |= {"reader": {"from": lambda reply: reply[-3:]}, "metric": wrap(lambda answer: len(answer) / 10)}
    done = metaspo.optimize(
        tasks=[block], base=f"scripted:{__name__}:answers", method="fixed", store=store_path, train_size=4, test_size=6
    )
    assert 0.2 <= done.report.tasks[0].after <= 0.3
    found = metaspo.verify(store=store_path)
    assert found.well and not found.findings.unchecked
