"""Judging in stages, in the graph: what is asked, what is told, and that nothing is asked twice."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.runs.config import config_of
from metaspo.runs.plan import plan
from metaspo.store import prompts

Maker = Callable[..., Task]
UNEVEN = "scripted:tests.helpers.scripts:uneven"


def settings(make_task: Maker, store: Path, **given: Any) -> dict[str, Any]:
    tasks = [make_task(name, 90) for name in ("a", "b")]
    common = {"tasks": tasks, "base": UNEVEN, "optimizer": UNEVEN, "store": store, "preset": "paper", "test_size": 10}
    return {**common, "method": "common_first", **given}


@pytest.fixture
def db(open_store: Any) -> Callable[[], Any]:
    return lambda: open_store().db


@pytest.mark.long
def test_a_candidate_says_where_it_fell_on_how_many_examples_and_by_how_much(
    make_task: Maker, store_path: Path, db: Any
) -> None:
    done = metaspo.optimize(**settings(make_task, store_path))
    assert done.stopped is None
    tried = [row for row in prompts.candidates(db(), done.run) if row.status in ("rejected", "kept", "incumbent")]
    stages = {row.stage for row in tried}
    assert {"gate", "12 examples", "everything"} <= stages
    for row in tried:
        assert row.stage and row.examples and row.gain is not None
        if row.status in ("kept", "incumbent"):
            assert row.stage == "everything" and row.gain > 0 and row.score is not None
        if row.stage == "gate":
            assert row.score is None and 0 <= row.gain < 1 and row.examples <= 12
        if row.stage == "everything":
            assert row.examples == (30 if row.task else 60)


@pytest.mark.long
@pytest.mark.parametrize("method", ["common_first", "metaspo", "sprig", "metaspo_ape"])
def test_no_example_is_asked_twice_about_the_same_pair(method: str, make_task: Maker, store_path: Path, db: Any) -> None:
    done = metaspo.optimize(**settings(make_task, store_path, method=method, judging="staged", train_size=30, iterations=2))
    store = db()
    calls = store.execute("SELECT count(*) FROM calls WHERE run = ? AND role = 'base'", [done.run]).fetchone()[0]
    pairs = store.execute(
        'SELECT count(*) FROM (SELECT DISTINCT e.system, e."user", e.task, o.example FROM run_evaluations r '
        "JOIN evaluations e ON e.id = r.evaluation JOIN outcomes o ON o.evaluation = e.id WHERE r.run = ?)",
        [done.run],
    ).fetchone()[0]
    assert calls == pairs == done.report.usage.calls["base"]
    every = metaspo.optimize(
        **settings(
            make_task, store_path.with_name("other.db"), method=method, judging="exhaustive", train_size=30, iterations=2
        )
    )
    assert calls < every.report.usage.calls["base"]


@pytest.mark.long
def test_only_what_is_strictly_better_on_everything_is_taken_up(make_task: Maker, store_path: Path, db: Any) -> None:
    done = metaspo.optimize(**settings(make_task, store_path))
    rounds = [row for row in done.report.rounds if row.level in ("user", "system")]
    scores = [done.report.rounds[0].score, *(row.score for row in rounds)]
    assert all(after >= before for before, after in pairwise(scores))
    assert all((after > before) == bool(row.accepted) for row, before, after in zip(rounds, scores, scores[1:], strict=False))
    found = done.report.rounds[len(rounds)].system
    evaluated = db().execute(
        "SELECT e.task, e.size, e.whole FROM evaluations e WHERE e.system = ? AND e.split = 'train' AND e.whole", [found]
    )
    assert {size for _, size, _ in evaluated} == {30}


@pytest.mark.long
def test_stopped_anywhere_it_goes_on_to_the_same_end(make_task: Maker, tmp_path: Path) -> None:
    whole = metaspo.optimize(**settings(make_task, tmp_path / "whole.db"))
    calls = whole.report.usage.total_calls

    def end(file: Path, run: str) -> list[Any]:
        with metaspo.store.database.open_store(file) as store:
            rows = prompts.candidates(store.db, run)
            return [(r.round, r.level, r.task, r.position, r.prompt, r.status, r.stage, r.examples, r.gain) for r in rows]

    for share in (0.2, 0.4, 0.6, 0.95):
        path = tmp_path / f"parts {share}.db"
        part = metaspo.optimize(**settings(make_task, path, budget={"calls": int(share * calls)}))
        assert part.stopped is not None
        part = metaspo.resume(part.run, store=path, **{"budget.calls": calls})
        assert part.stopped is None and part.report.usage.total_calls == calls
        assert end(path, part.run) == end(tmp_path / "whole.db", whole.run)


@pytest.mark.long
def test_a_branch_within_the_schedule_pays_nothing(make_task: Maker, store_path: Path) -> None:
    whole = metaspo.optimize(**settings(make_task, store_path))
    last = max(row.round for row in whole.report.rounds if row.level in ("user", "system"))
    for at in (0, 3, last - 1, last):
        child = metaspo.branch(whole.run, at=at, store=store_path)
        assert child.report.usage.total_calls == 0
        assert child.system_prompt == whole.system_prompt and child.user_prompts == whole.user_prompts
        assert child.report.run.reason == whole.report.run.reason


@pytest.mark.long
def test_little_data_will_do_and_much_costs_no_more(make_task: Maker, store_path: Path) -> None:
    few = metaspo.optimize(**settings(make_task, store_path) | {"tasks": [make_task("a", 20), make_task("b", 20)]})
    assert few.stopped is None and few.report.tasks[0].examples == 10
    planned = [
        plan(
            config_of(**settings(make_task, store_path, test_size=0) | {"tasks": [make_task("a", size), make_task("b", size)]})
        )
        for size in (240, 2000)
    ]
    assert [(need.role, need.level, need.calls) for need in planned[0]] == [(n.role, n.level, n.calls) for n in planned[1]]


@pytest.mark.long
def test_it_stops_at_a_target_when_nothing_changes_or_when_nothing_fails(make_task: Maker, store_path: Path) -> None:
    begun = metaspo.optimize(**settings(make_task, store_path, iterations=0)).report.rounds[0].score
    reached = metaspo.optimize(**settings(make_task, store_path, target=begun + 0.05))
    assert "reached the target" in (reached.report.run.reason or "")
    assert reached.report.rounds[-1].level == "test"
    wrong = "scripted:tests.helpers.scripts:always_wrong"
    idle = metaspo.optimize(**settings(make_task, store_path, base=wrong, optimizer=wrong, patience=3))
    assert idle.report.run.reason == "3 steps in a row changed nothing"
    assert [row.level for row in idle.report.rounds] == ["seed", "system", "system", "system", "test"]
    solved = [make_task("a", examples=[{"question": f"{i}?", "answer": "yes"} for i in range(60)])]
    right = "scripted:tests.helpers.scripts:always_yes"
    none = metaspo.optimize(**settings(make_task, store_path, base=right, optimizer=right) | {"tasks": solved})
    assert none.report.run.reason == "no selecting example fails any more" and len(none.report.rounds) == 2


def test_the_best_of_several_seeds_begins_the_search(make_task: Maker, store_path: Path, db: Any) -> None:
    tasks = [make_task(name, 60, user_prompts=["Yes or no?\n{question}", "Well?\n{question}"]) for name in ("a", "b")]
    given = settings(make_task, store_path, iterations=0, system_prompts=["Be brief.", "Be kind.", "Be exact."])
    done = metaspo.optimize(**given | {"tasks": tasks})
    rows = prompts.candidates(db(), done.run)
    assert {row.status for row in rows} == {"seed"}
    assert [(row.level, row.task) for row in rows].count(("system", "")) == 4
    means = {}
    for system in {row.prompt for row in rows if row.level == "system"}:
        best = db().execute(
            "SELECT task, max(score) FROM evaluations WHERE system = ? AND split = 'train' GROUP BY task", [system]
        )
        means[system] = sum(score for _, score in best) / 2
    assert done.report.rounds[0].score == pytest.approx(max(means.values()))
    assert means[done.report.rounds[0].system] == max(means.values())
    assert done.report.usage.calls["base"] <= 4 * 3 * 60 + 4 * 10 + 64


@pytest.mark.long
def test_no_task_loses_more_than_it_may(make_task: Maker, store_path: Path, db: Any) -> None:
    """Many candidates, each with other answers: some gain on one task what they lose on the other."""
    for method in ("common_first", "outer_only"):
        run = metaspo.optimize(
            **settings(make_task, store_path, method=method, train_size=20, system_candidates=9, worst_drop=0.0, seed=3)
        )
        rows = prompts.candidates(db(), run.run)
        refused = [row for row in rows if row.reason and "more than worst_drop allows" in row.reason]
        assert refused and all(row.status == "rejected" and row.gain is not None for row in refused)
        best: dict[str, float] = {}
        for row in db().execute(
            "SELECT round, task, score FROM standing WHERE run = ? AND task != '' ORDER BY round", [run.run]
        ):
            assert row[2] >= best.get(row[1], 0.0) - 1e-9
            best[row[1]] = row[2]
