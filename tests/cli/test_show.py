"""Reports in a terminal: the verdict, the controls, lines that fit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

DICE = ["--base", "scripted:dice", "--optimizer", "scripted:dice", "--set", "test_size=8", "--set", "iterations=1"]
UNCONFIRMED = "Unconfirmed: this method keeps no examples back."


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Any:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return result

    return run


@pytest.fixture
def shown(metaspo: Callable[..., Any]) -> str:
    """What a run of the paper's method ends with."""
    return str(metaspo("optimize", *DICE, "--method", "metaspo", "--set", "placebo=true").stdout)


@pytest.mark.long
def test_a_run_ends_with_its_verdict_and_controls(shown: str) -> None:
    assert UNCONFIRMED in shown and "points on 32 examples" in " ".join(shown.split())
    for words in (
        "majority",
        "Test replies, all tasks: right",
        "Characters: system prompt 28 ->",
        "by split: train",
        "unrelated texts",
    ):
        assert words in shown
    assert "a real gain" not in shown


@pytest.mark.long
def test_lines_fit_into_eighty_columns(shown: str, metaspo: Callable[..., Any]) -> None:
    assert max(map(len, shown.splitlines())) <= 80
    assert max(map(len, metaspo("show").stdout.splitlines())) <= 80


@pytest.mark.long
def test_every_form_tells_it(shown: str, metaspo: Callable[..., Any]) -> None:
    assert UNCONFIRMED in metaspo("show").stdout and "Replies to test questions" in metaspo("show").stdout
    exported = metaspo("export", "--format", "json")
    data = json.loads(exported.stdout)
    assert (data["verdict"], data["verdict_says"], data["confirmation"]) == ("unconfirmed", UNCONFIRMED, None)
    assert exported.stderr == "" and data["placebo"]["status"] == "done"
    for form in ("text", "langchain"):
        told = metaspo("export", "--format", form, "--task", "app_reviews")
        assert UNCONFIRMED in told.stderr and UNCONFIRMED not in told.stdout


@pytest.mark.long
def test_a_method_that_confirms_says_on_how_many_examples(metaspo: Callable[..., Any]) -> None:
    found = ("--method", "common_first", "--set", "patience=6")
    data = json.loads(metaspo("optimize", *DICE, *found, "--json").stdout)
    assert data["confirmation"]["verdict"] == data["verdict"] in ("unconfirmed", "too few", "confirmed")
    assert f"on {data['confirmation']['change']['examples']:,} examples kept back" in data["verdict_says"]
    assert data["verdict_says"] in " ".join(metaspo("show").stdout.split())
