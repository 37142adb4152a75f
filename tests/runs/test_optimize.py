"""The Python interface."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError, ModelError, TaskError

DICE: dict[str, Any] = {
    "base": "scripted:dice",
    "optimizer": "scripted:dice",
    "preset": "quick",
    "method": "metaspo",
    "test_size": 8,
}


async def test_inside_an_event_loop_and_out_of_it(make_task: Callable[..., Task], store_path: Path) -> None:
    settings = {"tasks": [make_task("a")], **DICE, "store": store_path}
    first = await metaspo.aoptimize(**settings)
    second = metaspo.optimize(**settings)  # as in a notebook, whose thread has a running loop
    assert first.system_prompt == second.system_prompt and first.run != second.run


def test_events_tell_the_story(make_task: Callable[..., Task], store_path: Path) -> None:
    events: list[Any] = []
    result = metaspo.optimize(tasks=[make_task("a"), make_task("b")], **DICE, store=store_path, listener=events.append)
    names = [event["event"] for event in events]
    assert names[0] == "round_opened" and names[-1] == "round_closed"
    closed = [event for event in events if event["event"] == "round_closed"]
    assert [event["round"] for event in closed] == [row.round for row in result.report.rounds]
    assert closed[-1]["spent"]["calls"] == result.report.usage.total_calls
    opened = [event for event in events if event["event"] == "round_opened"]
    assert names.count("proposed") == sum(event["candidates"] for event in opened)
    assert names.count("scored") == sum(event["evaluations"] for event in opened)


def test_any_langchain_chat_model_will_do(make_task: Callable[..., Task], store_path: Path) -> None:
    def replies() -> Any:
        while True:
            yield AIMessage("yes", usage_metadata={"input_tokens": 7, "output_tokens": 1, "total_tokens": 8})

    chat = GenericFakeChatModel(messages=replies())
    result = metaspo.optimize(tasks=[make_task("a")], **(DICE | {"base": chat, "method": "fixed"}), store=store_path)
    assert result.report.usage.calls == {"base": 16 + 8} and result.report.usage.input_tokens == 24 * 7
    assert result.report.tasks[0].before == pytest.approx(result.report.tasks[0].after)


def test_a_judge_scores_free_text(make_task: Callable[..., Task], store_path: Path) -> None:
    task = make_task(
        "poems", reader={"kind": "text", "from": "reply"},
        metric={"kind": "judge", "rubric": "It rhymes.", "model": "scripted:tests.helpers.scripts:grader"},
    )  # fmt: skip
    result = metaspo.optimize(tasks=[task], **DICE | {"method": "fixed"}, store=store_path)
    assert result.report.usage.calls["judge"] == 16 + 8
    assert result.report.tasks[0].before == pytest.approx(0.75)


def test_mistakes_are_found_before_any_call(make_task: Callable[..., Task], store_path: Path) -> None:
    task = make_task("a")
    with pytest.raises(TaskError, match="has 40 examples for train and the run wants 50"):
        metaspo.optimize(tasks=[task], **(DICE | {"train_size": 50}), store=store_path)
    with pytest.raises(ConfigError, match="two tasks are named 'a'"):
        metaspo.optimize(tasks=[task], targets=[task], **DICE, store=store_path)
    with pytest.raises(ConfigError, match="unknown key 'bass'"):
        metaspo.optimize(tasks=[task], bass="x")
    with pytest.raises(ModelError, match="the form is"):
        metaspo.optimize(tasks=[task], base="x", store=store_path)


def test_a_task_that_changed_since_the_run_began_is_refused(
    make_task: Callable[..., Task], store_path: Path, tmp_path: Path
) -> None:
    data = tmp_path / "a.jsonl"
    data.write_text("\n".join(f'{{"question": "{n}?", "answer": "{"yes" if n % 2 else "no"}"}}' for n in range(40)))
    task = make_task("a", examples=str(data))
    stopped = metaspo.optimize(tasks=[task], **DICE, store=store_path, budget={"calls": 20})
    assert stopped.stopped is not None
    data.write_text(data.read_text().replace('?"', ' again?"'))
    with pytest.raises(TaskError, match="task 'a' has changed since run"):
        metaspo.resume(store=store_path)


def test_resume_takes_what_a_run_works_with_only(make_task: Callable[..., Task], store_path: Path) -> None:
    metaspo.optimize(tasks=[make_task("a")], **DICE, store=store_path, budget={"calls": 20})
    with pytest.raises(ConfigError, match="iterations is part of what a run optimizes"):
        metaspo.resume(store=store_path, iterations=3)


async def test_two_runs_share_one_event_loop(make_task: Callable[..., Task], store_path: Path) -> None:
    short, long = await asyncio.gather(
        metaspo.aoptimize(tasks=[make_task("a")], **DICE | {"method": "fixed"}, store=store_path),
        metaspo.aoptimize(tasks=[make_task("a"), make_task("b")], **DICE, iterations=4, store=store_path),
    )
    assert short.report.run.status == long.report.run.status == "done"


async def test_two_runs_share_one_file_at_the_same_time(make_task: Callable[..., Task], store_path: Path) -> None:
    def run(seed: int) -> metaspo.Result:
        return metaspo.optimize(tasks=[make_task("a")], **DICE, seed=seed, store=store_path)

    results = await asyncio.gather(*(asyncio.to_thread(run, seed) for seed in range(3)))
    assert {result.report.run.status for result in results} == {"done"}
