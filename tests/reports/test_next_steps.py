"""What to do next, by how a run stands: real runs, stopped, done, without a test, and under a time's id."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo.domain.significance import Change
from metaspo.reports.confirmation import Confirmation
from metaspo.reports.gained import gained_says
from metaspo.reports.next_steps import next_steps
from metaspo.reports.report import Report
from metaspo.store import leases
from metaspo.store.database import open_store

NOVICE: dict[str, Any] = {"base": "scripted:novice", "optimizer": "scripted:novice", "method": "metaspo", "preset": "quick"}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A small run of a method that keeps nothing back, without a final test."""
    store = tmp_path_factory.mktemp("steps") / "a store.db"
    return metaspo.optimize(**NOVICE, iterations=1, test_size=0, store=store, tasks=["app_reviews"]).report


def told(report: Report, **changes: Any) -> str:
    return " ".join(f"{step.says} {step.command}" for step in next_steps(replace(report, **changes)))


def standing(report: Report, status: str, **run: Any) -> str:
    return told(report, run=replace(report.run, status=status, **run))


def test_what_is_not_done_goes_on(done: Report) -> None:
    short = done.run.id[:8]
    assert f"metaspo approve {short} --store '{done.store}'" in standing(done, "waiting")
    assert f"metaspo resume {short}" in standing(done, "stopped") and "--set" not in standing(done, "stopped")
    config = {**done.run.config, "context": {**done.run.config["context"], "budget": {"calls": 20, "base": None}}}
    assert "--set budget.calls=40" in standing(done, "stopped", reason="the budget of 20 calls is spent", config=config)
    assert f"metaspo resume {short}" in standing(done, "running")
    with open_store(done.store) as store:
        held = leases.acquire(store.db, done.run.id, "2026-01-01T00:00:00+00:00")
        assert f"metaspo watch {short}" in standing(done, "running")
        leases.release(store.db, held)


def test_what_no_test_finds_better_is_not_recommended(done: Report) -> None:
    said = told(done)
    assert "metaspo export" not in said and "metaspo push" not in said
    assert "test_size" in said and "metaspo init" in said
    assert "metaspo init" not in told(done, builtin=False)
    assert "Keep the prompts that you have" in told(done, system_after=done.system_before, user_after={})


def test_what_is_confirmed_is_used_kept_and_shown(done: Report) -> None:
    said = told(done, verdict="confirmed", builtin=False)
    assert all(f"metaspo {name} {done.run.id[:8]}" in said for name in ("export", "push", "report", "optimize --from-run"))
    assert "rely" not in said and "Keep the prompts that you have" not in said


def test_an_id_that_begins_with_the_time_is_told_whole(done: Report) -> None:
    timed = "1f1e97c5-83e9-6a52-8002-94ffd2d8767c"
    assert f"metaspo resume {timed} --store" in standing(done, "stopped", id=timed)
    assert standing(done, "done", method="placebo:metaspo") == ""


def test_a_store_that_is_taken_anyway_is_not_named(done: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASPO_STORE", str(Path(done.store)))
    assert "--store" not in standing(done, "stopped")


def test_what_did_worse_is_recommended_nowhere(done: Report) -> None:
    loss, gain = (Change(value, value - 0.1, value + 0.1, 0.01, 80, 20) for value in (-0.2, 0.2))
    said = told(done, source=gain, target=loss, builtin=False)
    assert "Use the prompts on the tasks that they were made on; on others they did worse." in said
    lost = told(done, source=loss, verdict="unconfirmed", builtin=False)
    assert "Keep the prompts that you have" in lost and "confirm" not in lost and "metaspo export" not in lost


@pytest.mark.parametrize(("needed", "says"), [(70, "here were 40."), (30, "here were 40, so the gain is hardly that large.")])
def test_what_is_unconfirmed_suggests_no_gain(done: Report, needed: int, says: str) -> None:
    found = Confirmation(Change(0.0, -0.1, 0.1, 1.0, 40, 20), "unconfirmed", 0.15, needed, False, "")
    said = told(done, confirmation=found, builtin=False, system_after="Take care.")
    assert "as much as on the selecting examples (+15.0 points)" in said and says in said and "nother seed" not in said


def test_what_searches_nothing_says_so(tmp_path: Path) -> None:
    store = tmp_path / "m.db"
    report = metaspo.optimize(**{**NOVICE, "method": "fixed"}, test_size=8, store=store, tasks=["app_reviews"]).report
    assert gained_says(report).startswith("Nothing was searched: the run scored the prompts that it was given. They score ")
    assert "metaspo methods" in told(report) and "another optimizer" not in told(report)


def test_rows_that_were_given_in_memory_are_not_read_again(done: Report) -> None:
    config = {**done.run.config, "problem": {**done.run.config["problem"], "tasks": [{"name": "a", "examples": []}]}}
    said = told(done, verdict="confirmed", builtin=False, run=replace(done.run, config=config))
    assert "metaspo optimize --from-run" not in said and f"optimize(from_run='{done.run.id[:8]}', tasks=...)" in said
