"""Stores of two machines that asked the same endpoint and were told different things: each run keeps what it saw."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ormsgpack
import pytest

from metaspo import Task, merge, move, open_report, optimize, resume, verify
from metaspo.domain.errors import StoreError
from metaspo.reports.export import as_data
from metaspo.reports.history import history
from metaspo.store.database import open_store
from metaspo.store.runs import all_runs

DRIFTING = "scripted:tests.helpers.scripts:drifting"
TABLES = (
    "prompts", "tasks", "examples", "runs", "rounds", "candidates", "standing", "run_evaluations", "run_tasks", "dealt",
    "events", "evaluations", "outcomes", "calls", "checkpoints", "writes",
)  # fmt: skip
Search = Callable[..., Path]


@pytest.fixture
def search(make_task: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Search]:
    """Makes a search on a machine, in a store of its own, and gives the store."""
    sizes = {"iterations": 1, "train_size": 4, "validation_size": 4, "test_size": 4, "method": "metaspo"}
    few = {"user_candidates": 1, "system_candidates": 1, "base": DRIFTING, "optimizer": DRIFTING}

    def made(machine: int, **settings: Any) -> Path:
        monkeypatch.setenv("METASPO_TEST_MACHINE", str(machine))
        path = tmp_path / f"{machine}.db"
        metric = settings.pop("metric", {"kind": "accuracy"})
        tasks = [make_task(name, 12, metric=metric) for name in ("odd", "late")]
        optimize(tasks=tasks, store=str(path), seed=1, **{**sizes, **few, **settings})
        return path

    yield made


def says(path: Path) -> dict[str, Any]:
    """All that is said of each run of a store."""
    with open_store(path) as store:
        every = [run.id for run in all_runs(store.db)]
    told = {}
    for run in every:
        checked = verify(run, store=path)
        assert checked.well, checked.findings
        text = json.dumps([as_data(open_report(path, run)), history(path, run)], default=str)
        told[run] = json.loads(text.replace(str(path), "STORE"))
    return told


def change(path: Path, sql: str, value: bytes) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(sql, [value])
    db.close()


def rows(path: Path) -> dict[str, int]:
    with open_store(path) as store:
        return {table: store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def in_every_order(tmp_path: Path, first: Path, second: Path) -> None:
    """Two stores joined in either order, again and in a circle, say of every run what they said before."""
    before = says(first) | says(second)
    one, other = (shutil.copy(path, tmp_path / f"joined-{path.name}") for path in (first, second))
    merge(one, second)
    merge(other, first)
    there = rows(one)
    assert rows(other) == there
    assert there["calls"] == rows(first)["calls"] + rows(second)["calls"]
    for into, origin in ((one, other), (other, one), (one, first), (other, second)):
        assert (came := merge(into, origin).joined).calls == came.evaluations == 0 == len(came.runs)
    assert rows(one) == rows(other) == there
    assert says(one) == says(other) == before and verify(store=one).well


def test_each_run_keeps_what_it_saw_in_whatever_order(search: Search, tmp_path: Path) -> None:
    in_every_order(tmp_path, search(0), search(3))


def test_a_checkpoint_calls_nothing_that_it_names_and_a_damaged_one_is_refused(search: Search, tmp_path: Path) -> None:
    first, second, owned = search(0), search(3), tmp_path / "owned"
    names_system = ormsgpack.packb(ormsgpack.Ext(0, ormsgpack.packb(("os", "system", f"touch {owned}"))))
    both, damaged = tmp_path / "both.db", tmp_path / "damaged.db"
    for path in (both, damaged):
        shutil.copy(first, path)
    change(second, "UPDATE writes SET value = ? WHERE rowid = (SELECT max(rowid) FROM writes)", names_system)
    merge(both, second)
    [run] = [run for run in says(both) if run not in says(first)]
    resume(run, store=both)
    assert not owned.exists()
    change(second, "UPDATE checkpoints SET checkpoint = ? WHERE rowid = 3", b"\xc1")
    with pytest.raises(StoreError, match=f"{second.name}: a checkpoint of thread {run} can't be read"):
        merge(damaged, second)
    assert rows(damaged) == rows(first)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"base": [DRIFTING, "scripted:tests.helpers.scripts:uneven"]},
        {"base": [DRIFTING, "scripted:tests.helpers.scripts:uneven"], "bases": "worst"},
        {"metric": {"kind": "judge", "rubric": "Right?", "model": "scripted:tests.helpers.scripts:drifting_grader"}},
        {"method": "common_first", "preset": "quick", "demonstrations": 2, "train_size": 6, "validation_size": 0},
        {"placebo": True},
    ],
    ids=["mean", "worst", "judge", "staged", "placebo"],
)
def test_so_do_runs_of_every_kind(settings: dict[str, Any], search: Search, tmp_path: Path) -> None:
    in_every_order(tmp_path, search(0, **settings), search(3, **settings))


@pytest.mark.slow
@pytest.mark.parametrize("calls", [10, 25, 40, 60])
def test_a_run_that_was_stopped_goes_on_after_it_came(calls: int, search: Search, tmp_path: Path) -> None:
    first, second = search(0), search(3, budget={"calls": calls})
    [run] = says(second)
    merge(first, second)
    assert resume(run, store=first, **{"budget.calls": 10_000}).stopped is None
    assert verify(store=first).well
    merge(second, first, further=True)
    assert says(second) == says(first)
    # What it goes on with is all there, so that nothing is asked again.
    third = search(5, budget={"calls": calls})
    [other] = says(third)
    move(other, to=tmp_path / "moved.db", store=third, copy=True)
    for path in (third, tmp_path / "moved.db"):
        assert resume(other, store=path, **{"budget.calls": 10_000}).stopped is None
    alone, moved = (open_report(path, other) for path in (third, tmp_path / "moved.db"))
    assert (alone.system_after, alone.usage.total_calls) == (moved.system_after, moved.usage.total_calls)
