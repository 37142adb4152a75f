"""What a run takes of a store does not grow with the other runs there: SQLite's own steps are counted, not seconds."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo import open_report, optimize, resume, verify
from metaspo.models.budget import Budget
from metaspo.reports.costs import cost_notes
from metaspo.reports.history import history
from metaspo.store import calls, runs
from metaspo.store.database import Store
from metaspo.studies.batch import account_of

UNEVEN = "scripted:tests.helpers.scripts:uneven"
TASKS = [
    {
        "name": name, "user_prompt": "Say yes or no.\n{question}",
        "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
        "examples": [{"question": f"Is {i} what {name} likes?", "answer": "yes" if i % 2 else "no"} for i in range(30)],
    }
    for name in "ab"
]  # fmt: skip
OTHERS = 6


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A run, in a store of its own and among others on the same tasks."""
    folder = tmp_path_factory.mktemp("stores")
    sizes = {"preset": "quick", "method": "metaspo", "iterations": 1, "train_size": 8, "test_size": 8}

    def search(store: Path, seed: int) -> str:
        return optimize(tasks=TASKS, base=UNEVEN, optimizer=UNEVEN, seed=seed, store=store, **sizes).run

    run = search(folder / "alone.db", 0)
    shutil.copy(folder / "alone.db", folder / "among.db")
    for seed in range(1, 1 + OTHERS):
        search(folder / "among.db", seed)
    return run, folder / "alone.db", folder / "among.db"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], int]:
    """How many tens of steps SQLite's machine takes for a piece of work, over all connections."""
    taken = [0]
    connect = sqlite3.connect

    def step() -> None:
        taken[0] += 1

    def counted(*arguments: Any, **settings: Any) -> sqlite3.Connection:
        made = connect(*arguments, **settings)
        made.set_progress_handler(step, 10)
        return made

    monkeypatch.setattr(sqlite3, "connect", counted)

    def count(work: Callable[[], Any]) -> int:
        taken[0] = 0
        work()
        return taken[0]

    return count


WORK: dict[str, Callable[[str, Path], Any]] = {
    "show": lambda run, store: open_report(store, run),
    "history": lambda run, store: history(store, run),
    "resume": lambda run, store: resume(run, store=store),
    "verify": lambda run, store: verify(run, store=store),
    "account": lambda run, store: account_of(store, [run], Budget()),
}


@pytest.mark.long
@pytest.mark.parametrize("name", WORK)
def test_what_a_run_takes_does_not_grow_with_the_others(
    name: str, stores: tuple[str, Path, Path], steps: Callable[[Callable[[], Any]], int]
) -> None:
    run, alone, among = stores
    WORK[name](run, among)
    few, many = (steps(lambda path=path: WORK[name](run, path)) for path in (alone, among))
    # Seven times the runs are in there, and keys lie somewhat deeper; a row for each of the others is nothing.
    assert many <= 1.3 * few + 100, (few, many)


@pytest.mark.long
@pytest.mark.parametrize(
    "work", [lambda db: calls.usage(db, "x"), runs.briefly, runs.statuses, lambda db: cost_notes(db, ["x"])]
)
def test_what_runs_have_paid_and_how_they_stand_is_read_from_indexes_alone(
    work: Callable[[Any], Any], stores: tuple[str, Path, Path]
) -> None:
    store, asked = Store(stores[1]), list[str]()
    store.db.conn.set_trace_callback(asked.append)
    work(store.db)
    store.db.conn.set_trace_callback(None)
    plans = [store.db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall() for query in asked if "config" not in query]
    assert plans and all("USING COVERING INDEX" in plan[0][3] for plan in plans)
    store.close()


def test_a_list_of_runs_reads_nothing_that_they_were_given(stores: tuple[str, Path, Path]) -> None:
    _, _, among = stores
    store = Store(among)
    listed, every = runs.briefly(store.db), runs.all_runs(store.db)
    store.close()
    assert [(one.id, one.status, one.created) for one in listed] == [(one.id, one.status, one.created) for one in every]
    assert len(listed) == 1 + OTHERS and not any(one.config for one in listed) and all(one.config for one in every)


def test_a_study_asks_of_each_run_how_it_stands_and_of_no_other(
    stores: tuple[str, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of a store that are none of the batch's may be many, and what each was given may be long."""
    from metaspo.studies.batch import statuses

    _, _, among = stores
    monkeypatch.setattr(runs, "all_runs", lambda db: pytest.fail("every run was read"))
    assert set(statuses(among).values()) == {"done"}
