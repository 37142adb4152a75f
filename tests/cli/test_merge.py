"""`metaspo merge` and `metaspo move`: what they do to files, and what they say."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metaspo import Task, optimize, verify
from metaspo.cli.main import main
from metaspo.store.database import open_store
from metaspo.store.runs import all_runs

SCRIPT = "scripted:tests.helpers.scripts:uneven"
Search = Callable[..., str]


@pytest.fixture
def search(make_task: Callable[..., Task], tmp_path: Path) -> Search:
    """Makes a search in a store of that name, and gives the run's id."""
    quick = {"iterations": 1, "train_size": 4, "validation_size": 4, "test_size": 4, "method": "metaspo"}
    few = {"user_candidates": 1, "system_candidates": 1, "base": SCRIPT, "optimizer": SCRIPT}

    def made(store: str, seed: int = 1, **settings: object) -> str:
        tasks = [make_task("odd", 12), make_task("late", 12)]
        return optimize(tasks=tasks, store=str(tmp_path / store), seed=seed, **{**quick, **few, **settings}).run

    return made


def metaspo(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


def runs_of(path: Path) -> dict[str, str]:
    with open_store(path) as store:
        return {run.id: run.status for run in all_runs(store.db)}


@pytest.mark.long
def test_several_stores_are_joined_into_a_new_one(search: Search, tmp_path: Path) -> None:
    every = [search(f"{name}.db", seed) for seed, name in enumerate("abc")]
    froms = [tmp_path / f"{name}.db" for name in "abc"]
    done = metaspo("merge", tmp_path / "all.db", *froms)
    assert done.exit_code == 0, done.output
    assert "3 runs" in done.stdout and "0 runs, 0 calls and 0 evaluations were there already" in done.stdout
    assert sorted(runs_of(tmp_path / "all.db")) == sorted(every)
    assert verify(store=tmp_path / "all.db").well
    again = json.loads(metaspo("merge", tmp_path / "all.db", *froms, "--json").stdout)
    assert (
        again["joined"]["runs"] == []
        and sorted(again["joined"]["known_runs"]) == sorted(every)
        and again["joined"]["calls"] == 0
    )


def test_a_run_that_stands_further_on_is_refused_and_then_taken(search: Search, tmp_path: Path) -> None:
    run, (here, there) = search("a.db", budget={"calls": 20}), (tmp_path / "a.db", tmp_path / "b.db")
    assert metaspo("move", run[:8], "--to", there, "--store", here, "--copy").exit_code == 0
    assert runs_of(here) == runs_of(there) == {run: "stopped"}
    resumed = metaspo("resume", "--store", there, "--set", "budget.calls=1000")
    assert resumed.exit_code == 0, resumed.output
    refused = metaspo("merge", here, there)
    assert refused.exit_code == 2 and f"{there} goes on from where {here} stands; --further takes that" in refused.stderr
    assert "stopped, last round" in refused.stderr and "20 paid calls" in refused.stderr
    assert runs_of(here) == {run: "stopped"}
    assert metaspo("merge", here, there, "--further").exit_code == 0
    assert runs_of(here) == {run: "done"} and verify(store=here).well
    # What is older here than there stays as it is.
    assert metaspo("merge", there, here, "--further").exit_code == 0


def test_a_run_moves_is_resumed_there_and_moves_back(search: Search, tmp_path: Path) -> None:
    here, there = tmp_path / "a.db", tmp_path / "o'ther ?#.db"
    done, run = search("a.db"), search("a.db", seed=2, budget={"calls": 20})
    moved = metaspo("move", run[:8], "--to", there, "--store", here)
    assert moved.exit_code == 0, moved.output
    assert runs_of(here) == {done: "done"} and runs_of(there) == {run: "stopped"}
    assert metaspo("resume", run, "--store", there, "--set", "budget.calls=1000").exit_code == 0
    back = metaspo("move", run, "--store", there, "--to", here)
    assert back.exit_code == 0, back.output
    assert runs_of(here) == {done: "done", run: "done"} and runs_of(there) == {} and verify(store=here).well
    assert "not in" in metaspo("move", run, "--store", there, "--to", here).stdout


def test_runs_that_descend_from_one_are_moved_first(search: Search, tmp_path: Path) -> None:
    here, there = tmp_path / "a.db", tmp_path / "b.db"
    run = search("a.db")
    branch = metaspo("branch", run, "--at", 1, "--set", "seed=5", "--store", here)
    assert branch.exit_code == 0, branch.output
    [child] = [one for one in runs_of(here) if one != run]
    refused = metaspo("move", run, "--store", here, "--to", there)
    assert refused.exit_code == 2 and child in refused.stderr and "--copy" in refused.stderr and not there.exists()
    moved = metaspo("move", child, "--store", here, "--to", there)
    assert moved.exit_code == 0 and f"it descends from {run}" in moved.stdout
    assert [*runs_of(here)] == [run] and {*runs_of(there)} == {run, child} and verify(store=there).well
    assert metaspo("move", run, "--store", here, "--to", there).exit_code == 0
    assert runs_of(here) == {}
