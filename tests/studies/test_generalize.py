"""Unseen generalization: user prompts induced or given, both system prompts on the same ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.cli.show_scenarios import show_generalization
from metaspo.domain.errors import ConfigError, ModelError, TaskError
from metaspo.graph.generalize import graph
from metaspo.reports.history import history
from metaspo.store.database import Store
from metaspo.studies.generalize import generalization_config, generalize, open_generalization

from ..helpers.endpoint import Endpoint, fail, say

UNEVEN = "scripted:tests.helpers.scripts:uneven"
MODELS: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN}


def test_calls_scores_and_prompts_are_what_was_asked_for(make_task: Callable[..., Task], store_path: Path) -> None:
    report = generalize(
        tasks=[make_task("a", size=80), make_task("b", size=80)], **MODELS, store=store_path,
        system_prompt="Be careful.", prompts=3, train_size=20, test_size=10,
    )  # fmt: skip
    assert report.stopped is None and report.run.status == "done"
    assert [len(texts) for texts in report.user_prompts.values()] == [3, 3]
    assert report.usage.calls == {"optimizer": 6, "base": 2 * 2 * 3 * 10}
    assert [task.examples for task in report.tasks] == [10, 10]
    assert report.overall is not None
    assert report.overall.candidate.value == pytest.approx(sum(task.candidate.mean.value for task in report.tasks) / 2)
    assert open_generalization(store_path).tasks == report.tasks


def test_given_user_prompts_need_no_optimizer_and_no_train_examples(make_task: Callable[..., Task], store_path: Path) -> None:
    given = {"a": ["Well?\n{question}", "Yes or no: {question}"]}
    report = generalize(
        tasks=[make_task("a", size=8)], **MODELS, store=store_path, system_prompt="Be careful.", user_prompts=given, test_size=8
    )
    assert report.user_prompts == given and report.usage.calls == {"base": 32}


def test_the_same_question_again_costs_nothing(
    make_task: Callable[..., Task], store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings: dict[str, Any] = {
        "tasks": [make_task("a", size=40)], "system_prompt": "Be careful.", "prompts": 2, "train_size": 10, "test_size": 5,
    }  # fmt: skip
    first = generalize(**settings, **MODELS, store=store_path)
    second = generalize(**settings, **MODELS, store=store_path)
    assert history(store_path, first.run.id) and not caplog.records
    assert second.usage.total_calls == 0 and second.tasks == first.tasks and second.run.id != first.run.id


def test_a_spent_budget_is_resumed(make_task: Callable[..., Task], store_path: Path) -> None:
    settings: dict[str, Any] = {
        "tasks": [make_task("a")], "system_prompt": "Be careful.", "prompts": 2, "train_size": 10, "test_size": 10,
    }  # fmt: skip
    stopped = generalize(**settings, **MODELS, store=store_path, budget={"calls": 15})
    assert stopped.stopped is not None and stopped.overall is None
    metaspo.resume(stopped.run.id, store=store_path, budget={"calls": 1000})
    whole = open_generalization(store_path, stopped.run.id)
    assert whole.run.status == "done" and whole.usage.calls == {"optimizer": 2, "base": 40}
    fresh = generalize(**settings, **MODELS, store=store_path.with_name("fresh.db"))
    assert whole.tasks == fresh.tasks


def test_proposals_nobody_can_use_are_dropped_and_said(make_task: Callable[..., Task], store_path: Path) -> None:
    settings: dict[str, Any] = {"system_prompt": "Be careful.", "prompts": 2, "train_size": 10, "test_size": 4, "base": UNEVEN}
    with pytest.raises(ModelError, match="wrote no user prompt that could be used"):
        generalize(tasks=[make_task("a")], **settings, optimizer="scripted:tests.helpers.scripts:talks_only", store=store_path)


def test_models_and_tasks_come_from_the_run_that_made_the_prompt(make_task: Callable[..., Task], store_path: Path) -> None:
    run = metaspo.optimize(
        tasks=[make_task("a")], targets=[make_task("b")], **MODELS, preset="quick", iterations=1, test_size=0, store=store_path
    )
    config = generalization_config(run.run[:8], {"test_size": 5}, store=store_path)
    assert config.system_prompt == run.system_prompt and str(config.base) == UNEVEN
    assert [task["name"] for task in config.tasks if isinstance(task, dict)] == ["b"]


def test_mistakes_get_clear_words(make_task: Callable[..., Task], store_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'nothing' is neither a file nor a run"):
        generalization_config("nothing", {}, store=store_path)
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        generalization_config(str(tmp_path / "empty.txt"), {}, store=store_path)
    task = make_task("a")
    with pytest.raises(ConfigError, match="user prompts for 'x', which is not among the tasks: a"):
        generalize(tasks=[task], **MODELS, user_prompts={"x": ["{question}"]}, store=store_path)
    with pytest.raises(ConfigError, match=r"must hold \{question\} exactly once"):
        generalize(tasks=[task], **MODELS, user_prompts={"a": ["no place"]}, store=store_path)
    with pytest.raises(TaskError, match="40 examples for train and the run wants 50"):
        generalize(tasks=[task], **MODELS, store=store_path)


async def test_the_graph_runs_without_a_thread(make_task: Callable[..., Task], store_path: Path) -> None:
    task = make_task("a").model_dump(mode="json", by_alias=True, exclude_defaults=True)
    given: Any = {"tasks": [task], "system_prompt": "Be careful.", "prompts": 2, "train_size": 10, "test_size": 6}
    found = await graph.ainvoke(given, context={**MODELS, "store": str(store_path)})  # type: ignore[arg-type]
    assert set(found["results"]["tasks"]) == {"a"} and found["results"]["tasks"]["a"]["examples"] == 6
    from metaspo.models.registry import registry

    await registry().close()
    store = Store(store_path)
    assert store.db.execute("SELECT method, status FROM runs").fetchall() == [("generalize", "done")]
    store.close()


def test_replies_can_be_held_to_the_labels_of_every_task(make_task: Callable[..., Task], store_path: Path) -> None:
    open_task = make_task("b", reader={"kind": "text", "from": "reply"})
    given = {"a": ["Well?\n{question}"], "b": ["Well?\n{question}"]}
    report = generalize(
        tasks=[make_task("a"), open_task], **MODELS, constrain=True, system_prompt="Be careful.", user_prompts=given,
        test_size=4, store=store_path,
    )  # fmt: skip
    assert [(task.task, task.constrained) for task in report.tasks] == [("a", True), ("b", False)]


def test_a_question_that_is_always_refused_is_named(
    make_task: Callable[..., Task], store_path: Path, endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.act = lambda request, body, number: fail(422, "not this one") if "Is 3 a" in str(body["messages"]) else say("yes")
    report = generalize(
        tasks=[make_task("a", size=8)], base=endpoint.spec(), user_prompts={"a": ["Well?\n{question}"]}, test_size=8,
        store=store_path, system_prompt="Be careful.",
    )  # fmt: skip
    assert [(one.task, one.times) for one in report.set_aside] == [("a", 2)] and report.tasks[0].examples == 8
    show_generalization(report, False)
    assert "not this one" in " ".join(capsys.readouterr().out.split())
