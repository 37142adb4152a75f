"""generalize, adapt and study from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

DICE = ["--base", "scripted:dice", "--optimizer", "scripted:dice"]


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == exit_code, result.output
        return result

    return run


@pytest.mark.long
def test_generalize_from_a_run_and_again_from_the_store(metaspo: Callable[..., Any]) -> None:
    metaspo("optimize", *DICE, "--method", "metaspo", "--set", "iterations=1", "--set", "test_size=0")
    told = metaspo("generalize", "--prompt", "last", "--prompts", "2", "--test-size", "8").stdout
    assert "garden_or_money" in told.replace("\n", "") and "All in %" in told and "paired test" in told
    shown = json.loads(metaspo("show", "--json").stdout)
    assert [task["win_rate"] for task in shown["tasks"]] == [0.5] * 3 or shown["overall"]
    # In 80 columns too a figure is whole: the row below a task's name ends with its majority answer's score.
    lines = told.splitlines()
    for task in shown["tasks"]:
        assert lines[lines.index(task["task"]) + 1].endswith(f" {100 * task['majority']:.1f}")
    assert shown["usage"]["calls"]["base"] <= 3 * 2 * 2 * 8 and shown["run"]["status"] == "done"
    assert json.loads(metaspo("runs", "--json").stdout)[-1]["method"] == "generalize"


def test_a_budget_ends_generalize_with_three_and_resume_goes_on(metaspo: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Think twice.")
    words = ["generalize", "--prompt", "mine.txt", *DICE, "--prompts", "2", "--test-size", "8"]
    said = metaspo(*words, "--set", "budget.calls=20", exit_code=3)
    assert "budget of 20 calls is spent" in said.stderr and "metaspo resume" in said.stderr
    metaspo("resume", "--set", "budget.calls=1000")
    assert json.loads(metaspo("show", "--json").stdout)["overall"]


@pytest.mark.long
def test_adapt_shows_a_curve(metaspo: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("Think twice.")
    words = ["adapt", "--prompt", "mine.txt", *DICE, "--tasks", "garden_or_money", "--set", "preset=quick"]
    sizes = ["--set", "iterations=1", "--set", "test_size=8", "--shares", "0.5,1"]
    data = json.loads(metaspo(*words, *sizes, "--json").stdout)
    assert [len(curve["means"]) for curve in data["curves"]] == [4] * 4 and len(data["ends"]) == 2
    assert "Mean test score by round" in metaspo(*words, *sizes).stdout
    assert "is no number" in metaspo(*words, "--shares", "half", exit_code=2).stderr


def test_a_study_prints_and_writes_its_table(metaspo: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "config: {base: 'scripted:dice', optimizer: 'scripted:dice', preset: quick, iterations: 1, test_size: 8}\n"
        "methods: [fixed, metaspo]\nsettings: {topics: {tasks: [animals_or_health], targets: [garden_or_money]}}\n"
    )
    assert len(metaspo("study", "s.yaml", "--plan").stdout.splitlines()) == 2
    told = metaspo("study", "s.yaml", "--output", "out")
    assert "majority answer" in told.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"s.md", "s.csv", "s.json", "s.html"}
    again = metaspo("study", "s.yaml", "--output", "out", "--json")
    assert json.loads(again.stdout)["missing"] == 0 and again.stderr == ""
    said = metaspo("study", "s.yaml", "--methods", "none", exit_code=2).stderr
    assert "no row 'none'; it has fixed, metaspo" in said
