"""Stores joined: the same rows as one process would have left, whatever comes twice, in whatever order."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from metaspo import Task, optimize, verify
from metaspo.domain.errors import StoreError
from metaspo.store.database import Store
from metaspo.store.joining.extract import extract
from metaspo.store.joining.join import Joined, join

SCRIPT = "scripted:tests.helpers.scripts:uneven"
QUICK = {"iterations": 1, "train_size": 4, "validation_size": 4, "test_size": 4, "method": "metaspo"}


@pytest.fixture
def search(make_task: Callable[..., Task], tmp_path: Path) -> Callable[..., str]:
    """Makes a search in a store of that name, and gives the run's id."""

    def made(store: str, seed: int = 1, **settings: Any) -> str:
        given = {"base": SCRIPT, "optimizer": SCRIPT, **QUICK, **settings}
        tasks = [make_task("odd", 24), make_task("late", 24)]
        return optimize(tasks=tasks, store=str(tmp_path / store), seed=seed, **given).run

    return made


def joined(into: Path, *froms: Path, further: Any = ()) -> list[Joined]:
    store = Store(into)
    try:
        return [join(store.db, one, further=further) for one in froms]
    finally:
        store.close()


@pytest.mark.long
def test_runs_of_two_stores_are_in_one_and_come_only_once(search: Callable[..., str], tmp_path: Path) -> None:
    one, other = search("a.db", 1), search("b.db", 2)
    [came] = joined(tmp_path / "a.db", tmp_path / "b.db")
    assert came.runs == [other] and came.calls and came.evaluations and not came.known_runs
    [again] = joined(tmp_path / "a.db", tmp_path / "b.db")
    assert (again.runs, again.known_runs, again.calls, again.evaluations) == ([], [other], 0, 0)
    found = verify(store=tmp_path / "a.db")
    assert found.well and found.runs == [one, other]


@pytest.mark.long
def test_a_run_goes_into_a_file_of_its_own_and_back(search: Callable[..., str], tmp_path: Path) -> None:
    search("a.db", 1)
    other = search("a.db", 2)
    extract(tmp_path / "a.db", other, tmp_path / "own.db")
    found = verify(store=tmp_path / "own.db")
    assert found.well and found.runs == [other]
    [back] = joined(tmp_path / "a.db", tmp_path / "own.db")
    assert (back.runs, back.known_runs, back.calls, back.evaluations) == ([], [other], 0, 0)


def test_a_file_is_not_joined_into_itself(search: Callable[..., str], tmp_path: Path) -> None:
    search("a.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    (tmp_path / "hard.db").hardlink_to(tmp_path / "a.db")
    for name in ("a.db", "link.db", "hard.db"):
        with pytest.raises(StoreError, match="same file"):
            joined(tmp_path / "a.db", tmp_path / name)
