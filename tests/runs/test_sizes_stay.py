"""A run keeps the sizes that it began with, whatever a later version takes for those that nobody set."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import metaspo
from metaspo import Task
from metaspo.methods.builtin import SMALL_STEPS
from metaspo.runs.branch import branch_config
from metaspo.runs.plan import plan
from metaspo.store import prompts
from metaspo.store.database import open_store
from metaspo.workspace.known import as_begun
from metaspo.workspace.method import find_method, register
from metaspo.workspace.problem import Problem

UNEVEN = "scripted:tests.helpers.scripts:uneven"


@pytest.fixture
def later_version() -> Iterator[Callable[[], None]]:
    """Makes the default method one with other sizes, as a later version may."""
    before = find_method("common_first")
    yield lambda: register(replace(before, sizes={**before.sizes, "paper": {**SMALL_STEPS, "train_size": 20, "system_steps": 1}}))  # fmt: skip
    register(before)


def fates(file: Path, run: str) -> list[Any]:
    with open_store(file) as store:
        rows = prompts.candidates(store.db, run)
    return [(row.round, row.level, row.task, row.position, row.prompt, row.status, row.examples, row.gain) for row in rows]


@pytest.mark.long
def test_a_run_that_goes_on_in_a_later_version_ends_as_it_began(
    make_task: Callable[..., Task], tmp_path: Path, later_version: Callable[[], None]
) -> None:
    common: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN, "method": "common_first", "preset": "paper", "test_size": 10}
    common |= {"tasks": [make_task(name, 120) for name in ("a", "b")]}
    whole = metaspo.optimize(**common, store=tmp_path / "whole.db")
    calls = whole.report.usage.total_calls
    part = metaspo.optimize(**common, store=tmp_path / "part.db", budget={"calls": calls // 3})
    assert part.stopped is not None
    later_version()
    done = metaspo.resume(part.run, store=tmp_path / "part.db", **{"budget.calls": calls})
    assert done.stopped is None and done.report.usage.total_calls == calls
    assert fates(tmp_path / "part.db", part.run) == fates(tmp_path / "whole.db", whole.run)
    assert metaspo.verify(part.run, store=tmp_path / "part.db").well
    anew = metaspo.optimize(**common, store=tmp_path / "anew.db")
    assert anew.report.run.config["settings"]["train_size"] == 20, "a run that begins in the later version has its sizes"


@pytest.mark.long
def test_so_does_a_thread_of_a_graph(
    make_task: Callable[..., Task], store_path: Path, later_version: Callable[[], None]
) -> None:
    tasks = [make_task(name, 120).model_dump(mode="json", by_alias=True) for name in ("a", "b")]
    given = {"tasks": tasks, "method": "common_first", "preset": "paper", "test_size": 10}
    own: Any = metaspo.build_graph(InMemorySaver())
    thread = {"configurable": {"thread_id": "6f0f3c1e-4f0f-4a55-8f39-0c6a3f6f2d12"}}
    context = metaspo.Context(base=UNEVEN, optimizer=UNEVEN, store=str(store_path))
    whole = own.invoke(given, thread, context=context)
    halfway = [state for state in own.get_state_history(thread) if set(state.next) == {"analyze_failures"}][4]
    before = fates(store_path, whole["run"])
    later_version()
    again = own.invoke(None, halfway.config, context=context)
    assert [one["level"] for one in again["rounds"]] == [one["level"] for one in whole["rounds"]]
    assert (again["run"], again["incumbent"]) == (whole["run"], whole["incumbent"])
    assert fates(store_path, whole["run"]) == before


@pytest.mark.parametrize(
    ("tasks", "train", "shown"), [(1, 40, 12), (2, 40, 12), (4, 25, 12), (5, 22, 12), (7, 22, 14), (12, 22, 24)]
)
def test_sizes_that_nobody_set_follow_the_number_of_tasks(tasks: int, train: int, shown: int) -> None:
    several = [f"builtin/{number}" for number in range(tasks)]
    found = Problem(tasks=several, method="common_first", preset="paper").settings()
    assert (found.train_size, found.validation_size, found.most_failures) == (train, train, shown)
    given = Problem(tasks=several, method="common_first", preset="paper", train_size=45, most_failures=6).settings()
    assert (given.train_size, given.most_failures) == (45, 6)
    assert Problem(tasks=several, method="metaspo", preset="paper").settings().train_size == 50


def planned(file: Path, run: str) -> int:
    """The calls that a branch of a run would make at most."""
    return sum(one.calls for one in plan(branch_config(file, run, 3, {"seed": 9})))


@pytest.mark.long
def test_a_branch_goes_on_with_the_sizes_of_its_parent(
    make_task: Callable[..., Task], store_path: Path, later_version: Callable[[], None]
) -> None:
    common: dict[str, Any] = {"base": UNEVEN, "optimizer": UNEVEN, "method": "common_first", "preset": "paper", "test_size": 10}
    tasks = [make_task(name, 120) for name in ("a", "b")]
    whole = metaspo.optimize(**common, tasks=tasks, user_steps=1, store=store_path)
    before = planned(store_path, whole.run)
    later_version()
    assert planned(store_path, whole.run) == before
    done = metaspo.branch(whole.run, at=3, store=store_path, seed=9)
    sizes, parents = done.report.run.config["settings"], whole.report.run.config["settings"]
    assert sizes == parents and sizes["train_size"] == 40
    # Of seven system steps three are done; one user step, two system steps and a user step come after them.
    levels = [row.level for row in done.report.rounds if row.level in ("user", "system")]
    assert levels and levels == [*["system"] * 4, "user", "system", "system", "user"][: len(levels)]
    other = metaspo.branch(whole.run, at=3, store=store_path, user_steps=None, preset="quick").report.run.config["settings"]
    assert other["compositions"], "another preset has its own sizes"
    fewer = metaspo.branch(whole.run, at=3, store=store_path, user_steps=None).report.run.config["settings"]
    assert fewer["user_steps"] == SMALL_STEPS["user_steps"], "what the parent was given and the branch is not is the preset's"
    alone = metaspo.branch(whole.run, at=3, store=store_path, tasks=tasks[:1]).report.run.config["settings"]
    assert alone["train_size"] == 20, "and so it is with another number of tasks"


def test_a_size_that_there_was_not_yet_is_what_was_done_then(make_task: Callable[..., Task]) -> None:
    task = make_task("a", 120).model_dump(mode="json", by_alias=True)
    given = Problem(tasks=[task], method="common_first", preset="paper")
    assert given.settings().taper == 6
    before = {name: size for name, size in asdict(given.settings()).items() if name != "taper"}
    config = {"problem": {"method": "common_first", "preset": "paper", "tasks": [task]}, "settings": before}
    begun = as_begun(given, config)
    assert isinstance(begun, Problem) and begun.settings().taper == 3
    # Six system steps, one that shortens and three user steps; then a third of each, rounded up.
    assert [step.level for step in begun.schedule()] == [*["system"] * 7, *["user"] * 3, *["system"] * 3, "user"]
    unreadable = as_begun(given, {**config, "settings": {"taper": "1", "none": 3}})
    assert isinstance(unreadable, Problem) and unreadable.settings() == given.settings()
