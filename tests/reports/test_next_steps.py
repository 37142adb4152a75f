"""What to do next, by how a run stands: real runs, stopped, done, without a test, and under a time's id."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import metaspo
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
