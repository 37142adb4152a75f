"""A store that the first version wrote opens; its runs go on and end as that version would have ended them.

`stores/first.db.gz` was written by commit 5106ea5, before the rooms moved: a run that is done, a search and a beam
search stopped by their budgets in the middle of a round, a search that waits for approval, a generalization stopped
between its calls. `stores/first.json` is what that same commit made of copies of the file when it went on with each.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo.reports.generalization import open_generalization
from metaspo.reports.history import history
from metaspo.reports.listing import list_runs
from metaspo.store.database import Store

STORES = Path(__file__).parent / "stores"
ENDS: dict[str, Any] = json.loads((STORES / "first.json").read_text())
QUERIES = {
    "rounds": "SELECT round, level, system, score, accepted, dropped FROM rounds WHERE run = ? ORDER BY round",
    "candidates": "SELECT round, level, task, position, prompt, parent, status, reason, score FROM candidates WHERE run = ?"
    " ORDER BY round, level, task, position",
    "standing": 'SELECT round, task, position, system, "user", score FROM standing WHERE run = ? ORDER BY round, task, position',
    "calls": "SELECT role, count(*) FROM calls WHERE run = ? GROUP BY role ORDER BY role",
}


@pytest.fixture
def first(store_path: Path) -> Path:
    store_path.write_bytes(gzip.decompress((STORES / "first.db.gz").read_bytes()))
    return store_path


def end(path: Path, run: str) -> dict[str, Any]:
    store = Store(path)
    found: dict[str, Any] = {name: [list(row) for row in store.db.execute(query, [run])] for name, query in QUERIES.items()}
    keys = [key for (key,) in store.db.execute("SELECT key FROM calls")]
    assert len(keys) == len(set(keys))
    store.close()
    return found | {"run": run}


def test_its_runs_are_listed_as_they_were_left(first: Path) -> None:
    left = {row["run"]: (row["status"], row["method"]) for row in list_runs(first)}
    assert left == {
        ENDS["done"]["run"]: ("done", "metaspo"), ENDS["search"]["run"]: ("stopped", "metaspo"),
        ENDS["beam"]["run"]: ("stopped", "sprig"), ENDS["waiting"]["run"]: ("waiting", "metaspo"),
        ENDS["generalize"]["run"]: ("stopped", "generalize"),
    }  # fmt: skip
    assert [row["checkpoint"] is not None for row in history(first, ENDS["done"]["run"])] == [True] * 6


@pytest.mark.parametrize("name", ["search", "beam", "generalize"])
def test_what_was_stopped_goes_on(name: str, first: Path) -> None:
    run = ENDS[name]["run"]
    before = len(end(first, run)["rounds"])
    result = metaspo.resume(run, store=first, budget={"calls": 1000})
    assert result.stopped is None and before < len(ENDS[name]["rounds"])
    assert end(first, run) == ENDS[name]


def test_what_was_generalized_is_shown(first: Path) -> None:
    run = ENDS["generalize"]["run"]
    metaspo.resume(run, store=first, budget={"calls": 1000})
    report = open_generalization(first, run)
    assert report.overall is not None and [task.task for task in report.tasks] == ["a", "b"]
    assert report.overall.candidate.value == ENDS["generalize"]["rounds"][0][3]


def test_what_waited_is_answered(first: Path) -> None:
    run = ENDS["waiting"]["run"]
    result = metaspo.resume(run, store=first, answer="accept")
    while result.request:
        result = metaspo.resume(run, store=first, answer="accept")
    assert result.stopped is None and end(first, run) == ENDS["waiting"]


def test_what_was_done_is_branched_and_pays_nothing(first: Path) -> None:
    run = ENDS["done"]["run"]
    assert end(first, run) == ENDS["done"]
    child = metaspo.branch(run, at=2, store=first)
    parent = metaspo.open_report(first, run)
    assert child.report.usage.total_calls == 0 and child.system_prompt == parent.system_after
    assert [(row.round, row.score) for row in child.report.rounds[1:]] == [
        (row.round, row.score) for row in parent.rounds if row.round > 2
    ]
