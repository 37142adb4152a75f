"""Branches: from a round of a parent, with other settings, and the parent stays as it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import metaspo
from metaspo import Result, Task
from metaspo.cli.main import main
from metaspo.domain.errors import ConfigError
from metaspo.reports.history import history
from metaspo.store.database import Store

UNEVEN = "scripted:tests.helpers.scripts:uneven"
DICE = "scripted:dice"


@pytest.fixture(scope="module")
def made(make_task: Callable[..., Task], tmp_path_factory: pytest.TempPathFactory) -> Result:
    tasks = [make_task("a"), make_task("b", domain="x")]
    return metaspo.optimize(
        tasks=tasks,
        base=UNEVEN,
        optimizer=UNEVEN,
        preset="quick",
        method="metaspo",
        keep=2,
        iterations=3,
        test_size=8,
        store=tmp_path_factory.mktemp("parent") / "metaspo.db",
    )


@pytest.fixture
def parent(made: Result, store_path: Path) -> Result:
    """The run, in the test's own copy of its store."""
    shutil.copy(made.report.store, store_path)
    return made


def dump(path: Path, run: str) -> list[Any]:
    store = Store(path)
    queries = [
        "SELECT * FROM runs WHERE id = ?", "SELECT * FROM rounds WHERE run = ?", "SELECT * FROM candidates WHERE run = ?",
        "SELECT * FROM standing WHERE run = ?", "SELECT * FROM calls WHERE run = ? ORDER BY key",
        "SELECT * FROM checkpoints WHERE thread_id = ?",
    ]  # fmt: skip
    rows = [store.db.execute(query, [run]).fetchall() for query in queries]
    store.close()
    return rows


@pytest.mark.long
def test_a_branch_with_nothing_changed_repeats_its_parent_and_pays_nothing(parent: Result, store_path: Path) -> None:
    before = dump(store_path, parent.run)
    for at in range(6):
        child = metaspo.branch(parent.run, at=at, store=store_path)
        assert child.report.usage.total_calls == 0
        assert [(row.round, row.score, row.system) for row in child.report.rounds[1:]] == [
            (row.round, row.score, row.system) for row in parent.report.rounds if row.round > at
        ]
        assert (child.system_prompt, child.user_prompts) == (parent.system_prompt, parent.user_prompts)
        assert [task.after for task in child.report.tasks] == [task.after for task in parent.report.tasks]
        assert child.report.run.parent == parent.run and child.report.run.parent_round == at
    assert dump(store_path, parent.run) == before


@pytest.mark.long
def test_more_iterations_go_on_from_the_end(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, store=store_path, iterations=4)
    assert [(row.round, row.level) for row in child.report.rounds] == [
        (6, "branch"), (7, "user"), (8, "system"), (9, "test"),
    ]  # fmt: skip
    assert child.report.rounds[0].score == parent.report.rounds[-1].score


def test_another_method_begins_its_own_schedule(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=4, store=store_path, method="outer_only", iterations=1)
    assert [(row.round, row.level) for row in child.report.rounds] == [
        (4, "branch"), (5, "system"), (6, "system"), (7, "test"),
    ]  # fmt: skip


@pytest.mark.long
def test_a_branch_of_a_branch_goes_on_where_it_should(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=2, store=store_path, optimizer=DICE)
    grandchild = metaspo.branch(child.run, at=4, store=store_path, iterations=4)
    assert [row.round for row in grandchild.report.rounds] == [4, 5, 6, 7, 8, 9]
    assert [row.level for row in grandchild.report.rounds][1:] == ["user", "system", "user", "system", "test"]


def test_another_optimizer_reuses_every_score(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=2, store=store_path, optimizer=DICE)
    assert child.report.optimizer == DICE and child.report.usage.calls["optimizer"] > 0
    store = Store(store_path)
    [(paid,)] = store.db.execute(
        "SELECT count(*) FROM run_evaluations r JOIN outcomes o ON o.evaluation = r.evaluation JOIN calls c ON c.key = o.call"
        " WHERE r.run = ?1 AND r.round = 2 AND c.run = ?1",
        [child.run],
    )
    store.close()
    assert paid == 0


def test_another_base_model_scores_the_carried_prompts_first(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=2, store=store_path, base=DICE)
    store = Store(store_path)
    models = store.db.execute(
        "SELECT DISTINCT e.model FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation WHERE r.run = ?", [child.run]
    ).fetchall()
    store.close()
    assert models == [("scripted:dice",)]
    assert child.report.rounds[0].level == "branch" and child.report.rounds[0].round == 2


def test_changed_data_scores_the_carried_prompts_again(
    parent: Result, make_task: Callable[..., Task], store_path: Path
) -> None:
    tasks = [make_task("a", 60), make_task("b")]
    child = metaspo.branch(parent.run, at=2, store=store_path, tasks=tasks)
    assert child.report.usage.calls["base"] >= 16
    assert set(child.user_prompts) == {"a", "b"}


def test_an_edited_system_prompt_is_scored_before_it_counts(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=2, store=store_path, system_prompt="Written by hand.", iterations=1)
    assert child.system_prompt == "Written by hand."
    assert child.report.system_before == "You are a helpful assistant."
    assert child.report.usage.calls["base"] > 0
    assert [row.status for row in child.report.lineage] == ["carried"]


def test_the_lineage_reaches_back_into_the_parent(parent: Result, store_path: Path) -> None:
    child = metaspo.branch(parent.run, at=4, store=store_path)
    chain = [row.prompt for row in child.report.lineage]
    assert chain == [row.prompt for row in parent.report.lineage]
    assert child.report.lineage[0].status == "seed"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"at": 17}, "has no round 17 to branch from; it has 0, 1, 2"),
        ({"at": 7}, "has no round 7"),
        ({"iteration": 4}, "unknown key 'iteration'"),
        ({"system_prompt": ""}, "system_prompt"),
    ],
)
def test_mistakes_say_what_to_do(settings: dict[str, Any], says: str, parent: Result, store_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        metaspo.branch(parent.run, store=store_path, **settings)


def test_on_the_command_line(parent: Result, store_path: Path) -> None:
    def run(*words: str) -> Any:
        result = CliRunner().invoke(main, [*words, "--store", str(store_path)])
        assert result.exit_code == 0, result.output
        return result

    rows = json.loads(run("history", parent.run[:8], "--json").stdout)
    assert [row["round"] for row in rows] == [row.round for row in parent.report.rounds]
    assert all(row["checkpoint"] for row in rows) and rows == history(store_path, parent.run)
    run("branch", parent.run[:8], "--at", "2", "--set", f"optimizer={DICE}", "--set", "iterations=1")
    listed = json.loads(run("runs", "--json").stdout)
    child = next(row for row in listed if row["parent"] == parent.run)
    assert f"\u2514 {child['run'][:8]}" in run("runs").stdout
    found = json.loads(run("diff", parent.run[:8], child["run"][:8], "--json").stdout)
    assert found["settings"]["optimizer"] == [UNEVEN, DICE] and found["settings"]["iterations"] == [3, 1]
    assert "test score of a" in run("diff", parent.run[:8]).stdout
    assert "round" in run("history").stdout
    planned = run("branch", parent.run[:8], "--plan", "--json")
    assert all(need["calls"] for need in json.loads(planned.stdout))
