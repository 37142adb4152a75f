"""The placebo: the same search with unrelated texts, after the run and apart from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import BudgetSpent
from metaspo.reports.listing import list_runs
from metaspo.runs import placebo
from metaspo.store import evaluations, prompts, runs
from metaspo.store.database import Store

SETTINGS: dict[str, Any] = {
    "base": "scripted:dice", "optimizer": "scripted:dice", "preset": "quick", "method": "metaspo", "iterations": 1,
    "test_size": 8, "placebo": True,
}  # fmt: skip


@pytest.fixture
def tasks(make_task: Callable[..., Task]) -> dict[str, Any]:
    return {"tasks": [make_task("a"), make_task("b")], "targets": [make_task("c")]}


def rows_of(path: Path, run: str) -> dict[str, Any]:
    store = Store(path)
    tested = evaluations.run_evaluations(store.db, run, "test")
    found = {
        "rounds": [(row.round, row.level) for row in prompts.rounds(store.db, run)],
        "candidates": [(r.round, r.level, r.task, r.position) for r in prompts.candidates(store.db, run) if r.status != "seed"],
        "tested": {(e.task, outcome.example) for e in tested for outcome in e.outcomes},
        "run": runs.find(store.db, run),
        "kept": prompts.kept_pairs(store.db, run),
    }
    store.close()
    return found


def test_it_is_the_same_search_with_other_texts(tasks: dict[str, Any], store_path: Path) -> None:
    result = metaspo.optimize(**tasks, **SETTINGS, store=store_path)
    found = result.report.placebo
    assert result.stopped is None and found is not None and found.status == "done"
    own, other = rows_of(store_path, result.run), rows_of(store_path, found.run)
    assert all(own[part] == other[part] for part in ("rounds", "candidates", "tested"))
    assert other["run"].method == "placebo:metaspo" and other["run"].config["problem"]["placebo"] is False
    assert found.source is not None and found.source.examples == 16 and found.target is not None and found.target.examples == 8
    assert found.over_source is not None and found.over_source.value == pytest.approx(
        result.report.source.value - found.source.value  # type: ignore[union-attr]
    )


@pytest.mark.long
def test_its_calls_are_its_own_and_no_optimizer_is_asked(tasks: dict[str, Any], store_path: Path) -> None:
    with_it = metaspo.optimize(**tasks, **SETTINGS, store=store_path).report
    without = metaspo.optimize(**tasks, **(SETTINGS | {"placebo": False}), store=store_path.with_name("without.db")).report
    assert with_it.placebo is not None and set(with_it.placebo.usage.calls) == {"base"} and without.placebo is None
    assert with_it.usage == without.usage and with_it.tasks == without.tasks


def test_the_last_run_is_the_one_that_somebody_started(tasks: dict[str, Any], store_path: Path) -> None:
    result = metaspo.optimize(**tasks, **SETTINGS, store=store_path)
    assert metaspo.open_report(store_path).run.id == result.run
    rows = {row["run"]: row["parent"] for row in list_runs(store_path)}
    assert rows == {result.run: None, runs.placebo_id(result.run): result.run}


@pytest.mark.long
def test_it_gets_what_is_left_of_the_budget_and_goes_on_with_the_run(tasks: dict[str, Any], store_path: Path) -> None:
    whole = metaspo.optimize(**tasks, **SETTINGS, store=store_path.with_name("whole.db")).report
    budget = whole.usage.total_calls + 30
    result = metaspo.optimize(**tasks, **SETTINGS, store=store_path, budget={"calls": budget})
    found = result.report.placebo
    assert result.stopped is None and result.report.run.status == "done" and result.report.tasks == whole.tasks
    assert found is not None and found.status == "stopped" and found.usage.total_calls == 30
    assert found.reason == f"the budget of {budget:,} calls is spent" and found.source is None
    again = metaspo.resume(store=store_path, budget={"calls": 10_000}).report
    assert again.placebo is not None and whole.placebo is not None and again.placebo.status == "done"
    assert again.placebo.source == whole.placebo.source and again.placebo.usage.calls == whole.placebo.usage.calls
    assert again.usage == whole.usage and again.run.reason == whole.run.reason


def test_a_crash_in_it_costs_the_run_nothing(tasks: dict[str, Any], store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(placebo, "run_session", crash)
        result = metaspo.optimize(**tasks, **SETTINGS, store=store_path)
    assert result.stopped is None and result.report.tasks and result.report.placebo is not None
    assert result.report.placebo.status == "not begun"
    assert metaspo.resume(store=store_path).report.placebo.status == "done"  # type: ignore[union-attr]


def test_a_run_that_is_not_done_has_none_yet(tasks: dict[str, Any], store_path: Path) -> None:
    result = metaspo.optimize(**tasks, **SETTINGS, store=store_path, budget={"calls": 20})
    assert isinstance(result.stopped, BudgetSpent) and len(list_runs(store_path)) == 1
    done = metaspo.resume(store=store_path, budget={"calls": 10_000})
    assert done.report.placebo is not None and done.report.placebo.status == "done"


def test_nobody_is_asked_to_approve_it(tasks: dict[str, Any], store_path: Path) -> None:
    result = metaspo.optimize(**tasks, **SETTINGS, store=store_path, approve="both")
    while result.request:
        result = metaspo.resume(store=store_path, answer="accept")
    assert result.stopped is None and result.report.placebo is not None and result.report.placebo.status == "done"


def test_a_method_that_does_not_search_has_none(tasks: dict[str, Any], store_path: Path) -> None:
    result = metaspo.optimize(**tasks, **(SETTINGS | {"method": "fixed"}), store=store_path)
    assert result.report.placebo is None and len(list_runs(store_path)) == 1
