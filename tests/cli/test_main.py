"""The command line as a person uses it: real processes, real files."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from langchain_core._api.beta_decorator import LangChainBetaWarning
from langchain_core.load import loads

from metaspo.cli.main import main

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail, say

DICE = ["--base", "scripted:dice", "--optimizer", "scripted:dice"]
Metaspo = Callable[..., Any]


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Metaspo:
    """Runs a command in an empty folder of its own and returns its result."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        return result

    return run


def test_a_new_project_from_init_to_export(metaspo: Metaspo, tmp_path: Path) -> None:
    metaspo("init")
    checked = json.loads(metaspo("tasks", "check", "tickets.yaml", "--json").stdout)
    assert checked[0]["answers"] == "billing 24, technical 24"
    shown = json.loads(metaspo("tasks", "preview", "tickets.yaml", "--json").stdout)
    assert shown["messages"][1]["content"].endswith("invoice page.") and shown["constraint"] == ["billing", "technical"]

    result = metaspo("optimize", "metaspo.yaml", *DICE, "--json")
    data = json.loads(result.stdout)
    assert data["run"]["status"] == "done" and [task["name"] for task in data["tasks"]] == ["tickets"]
    assert (tmp_path / "metaspo.db").exists()

    [row] = json.loads(metaspo("runs", "--json").stdout)
    assert row["run"] == data["run"]["id"] and row["calls"] == sum(data["usage"]["calls"].values())
    assert json.loads(metaspo("show", row["run"][:6], "--json").stdout)["system_after"] == data["system_after"]
    text = metaspo("show").stdout
    for words in ("system prompt", "user prompt of tickets", "rounds", "lineage of the winner", "95% interval"):
        assert words in text

    assert metaspo("export", "--format", "text").stdout.strip() == data["system_after"]
    messages = json.loads(metaspo("export", "--format", "messages").stdout)
    assert [message["role"] for message in messages] == ["system", "user"] and "{question}" in messages[1]["content"]
    with pytest.warns(LangChainBetaWarning):
        template = loads(metaspo("export", "--format", "langchain").stdout, allowed_objects="core")
    asked = template.invoke({"question": "a {strange} one?"}).to_messages()
    assert asked[0].content == data["system_after"] and "a {strange} one?" in asked[1].content


def test_init_replaces_nothing(metaspo: Metaspo, tmp_path: Path) -> None:
    (tmp_path / "tickets.yaml").write_text("mine")
    assert "exists already" in metaspo("init", exit_code=2).output
    assert (tmp_path / "tickets.yaml").read_text() == "mine" and not (tmp_path / "metaspo.yaml").exists()


def test_init_asks_before_it_writes_into_a_folder_that_is_not_empty(
    metaspo: Metaspo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "thesis.tex").write_text("mine")
    said = metaspo("init", exit_code=2).stderr
    assert "is not empty: it holds thesis.tex; name an empty folder" in said and "--yes" in said
    assert not (tmp_path / "metaspo.yaml").exists()
    metaspo("init", "--yes")
    assert (tmp_path / "metaspo.yaml").exists() and (tmp_path / "thesis.tex").read_text() == "mine"
    metaspo("init", "new")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".git").mkdir()
    metaspo("init", "other")
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "a.txt").touch()
    for answer, written in (("n\n", False), ("y\n", True)):
        monkeypatch.setattr("metaspo.cli.prepare.is_asked", lambda: True)
        done = CliRunner().invoke(main, ["init", "third"], input=answer)
        assert "Write metaspo.yaml, tickets.yaml and tickets.csv into it?" in done.stderr
        assert (done.exit_code == 0) == written == (tmp_path / "third" / "metaspo.yaml").exists()


def test_the_summary_is_plain_lines_when_not_a_terminal(metaspo: Metaspo) -> None:
    metaspo("init")
    result = metaspo("optimize", "metaspo.yaml", *DICE)
    assert "round 1 of 13, system prompt: score" in result.output and "calls/s" in result.output
    assert "\x1b" not in result.output
    assert "Paid:" in result.output and "On the source tasks:" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["optimize", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["optimize", "--base", "gpt"], "the form is provider:name"),
        (["optimize", "--method", "magic", *DICE], "unknown method 'magic'; known: "),
        (["optimize", "--set", "iteration=3"], "unknown key 'iteration'"),
        (["optimize", "--set", "iterations"], "write key=value"),
        (["optimize", "--set", "iterations=many"], "--set iterations=many: iterations: 'many' is no whole number"),
        (["optimize", "--set", "train_size=true"], "--set train_size=true: train_size: true is no whole number"),
        (["optimize", "--set", "base.temperature=hot"], "--set base.temperature=hot: model 'smollm2': temperature: a number"),
        (["optimize", "--set", "base.temprature=1"], "--set base.temprature=1: model 'smollm2': unknown setting 'temprature'"),
        (["optimize", "--set", "method=magic", *DICE], "--set method=magic: unknown method 'magic'"),
        (["optimize", "--set", "tasks=[]"], "--set tasks=[]: tasks: is empty; name at least one task"),
        (["optimize", "--set", "tasks=[gone]", *DICE], "--set tasks=[gone]: no built-in task 'gone'"),
        (["optimize", "--set", 'system_prompt="a\\0b"', "--set", "targets=3"], "--set targets=3: targets: 3 is not a list"),
        (["branch", "--set", "iterations=many"], "no such store"),
        (["runs", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["verify", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["history", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["diff", "a", "b", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["show", "--errors", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["generalize", "--prompt", "last", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["adapt", "--prompt", "last", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["approve", "--store", "nowhere.db"], "nowhere.db: no such store"),
        (["tasks", "try", "gone.yaml"], "gone.yaml: no such file"),
        (["tasks", "preview", "gone.yaml"], "gone.yaml: no such file"),
        (["study", "gone.yaml"], "is neither a study file nor a built-in study"),
        (["optimize", "--set", "budget.cals=3"], "unknown key 'budget.cals'"),
        (["optimize", "--task", "nonsense", *DICE], "no built-in task 'nonsense'"),
        (["optimize", "--set", "system_prompt= ", *DICE], "the system prompt is empty"),
        (["show"], "no such store"),
        (["resume", "--store", "nowhere.db"], "no such store"),
        (["export", "--format", "text"], "no such store"),
        (["tasks", "check", "gone.yaml"], "gone.yaml: no such file"),
    ],
)
def test_mistakes_get_one_clear_line_and_exit_code_two(words: list[str], says: str, metaspo: Metaspo) -> None:
    result = metaspo(*words, exit_code=2)
    assert result.stderr.startswith("error: ") and says in result.stderr


def test_a_value_that_was_set_on_top_stands_on_no_line_of_the_file(metaspo: Metaspo, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("train_size: 3\ntasks: []\nbudget:\n  calls: 3\n  cost: many\n")
    said = metaspo("optimize", "c.yaml", "--set", "train_size=x", "--set", "budget.calls=y", exit_code=2).stderr
    assert "error: --set train_size=x: train_size: 'x' is no whole number" in said.replace("\n--", "\nerror: --")
    assert "--set budget.calls=y: budget.calls: 'y' is no whole number" in said
    assert "c.yaml:2: tasks: is empty; name at least one task" in said and "c.yaml:5: budget.cost: 'many' is no number" in said


@pytest.mark.parametrize("base", ["openai:gpt-4o", ["openai:gpt-4o", "openai:gpt-4o-mini,max_tokens=9"]])
def test_a_setting_of_a_model_that_is_written_in_one_line(base: Any, metaspo: Metaspo, tmp_path: Path) -> None:
    from metaspo.runs.config import nested, read_config

    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"base": base, "optimizer": "openai:gpt-4o"}))
    found = read_config("c.yaml", {"base.temperature": 0, "optimizer.max_tokens": 50})
    assert [spec.temperature for spec in found.base_models] == [0.0] * len(found.base_models)
    assert str(found.optimizer) == "openai:gpt-4o,max_tokens=50"
    over = nested({"base.temperature": 0, "base": "scripted:dice"}, {"base": base})
    assert over == {"base": {"provider": "scripted", "name": "dice", "temperature": 0}}


def test_a_mistake_in_a_config_names_file_line_and_key(metaspo: Metaspo, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("tasks: [a.yaml]\nsettings:\n  x: 1\nbase: openai:gpt-4o-mini\nkeep: none\n")
    said = metaspo("optimize", "c.yaml", exit_code=2).stderr
    assert "c.yaml:2: unknown key 'settings'; known keys: " in said and "c.yaml:5: keep:" in said


def test_files_that_are_not_ours_are_left_alone(metaspo: Metaspo, tmp_path: Path) -> None:
    import sqlite3

    (tmp_path / "notes.txt").write_text("a text that is somebody's")
    with sqlite3.connect(tmp_path / "theirs.db") as db:
        db.execute("CREATE TABLE recipes (name)")
    db.close()
    before = (tmp_path / "theirs.db").read_bytes()
    assert "is not a SQLite file" in metaspo("optimize", "--store", "notes.txt", *DICE, exit_code=2).stderr
    assert "of another program" in metaspo("optimize", "--store", "theirs.db", *DICE, exit_code=2).stderr
    assert (tmp_path / "theirs.db").read_bytes() == before


@pytest.mark.long
def test_a_spent_budget_ends_with_three_and_resumes_with_more(metaspo: Metaspo) -> None:
    metaspo("init")
    result = metaspo("optimize", "metaspo.yaml", *DICE, "--set", "budget.calls=40", exit_code=3)
    assert "the budget of 40 calls is spent" in result.stderr and "metaspo resume" in result.stderr
    assert json.loads(metaspo("runs", "--json").stdout)[0]["calls"] == 40
    metaspo("resume", exit_code=3)
    metaspo("resume", "--set", "budget.calls=100000")
    whole = json.loads(metaspo("show", "--json").stdout)
    fresh = json.loads(metaspo("optimize", "metaspo.yaml", *DICE, "--store", "fresh.db", "--json").stdout)
    for key in ("system_after", "user_after", "tasks", "usage"):
        assert whole[key] == fresh[key] or key == "usage"
    assert whole["usage"]["calls"] == fresh["usage"]["calls"]


def _start(tmp_path: Path, endpoint: Endpoint) -> "forked.Popen[str]":
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    forked.run([sys.executable, "-m", "metaspo", "init", str(tmp_path)], check=True, capture_output=True)
    model = f"server:m,base_url={endpoint.url},concurrency=4"
    words = ["optimize", "metaspo.yaml", "--base", model, "--optimizer", model]
    return forked.Popen(
        [sys.executable, "-m", "metaspo", *words], cwd=tmp_path, env=environment, text=True,
        stdout=forked.PIPE, stderr=forked.PIPE,
    )  # fmt: skip


def _wait_for(endpoint: Endpoint, calls: int) -> None:
    deadline = time.monotonic() + 30
    while len(endpoint.seen) < calls and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(endpoint.seen) >= calls


async def _slow(*_: Any) -> Any:
    import asyncio

    await asyncio.sleep(0.3)
    return say("billing")


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_lets_calls_in_flight_finish(number: signal.Signals, tmp_path: Path, endpoint: Endpoint) -> None:
    import sqlite3

    endpoint.act = _slow
    process = _start(tmp_path, endpoint)
    _wait_for(endpoint, 6)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "stopped: interrupted" in err and "go on with: metaspo resume" in err
    db = sqlite3.connect(tmp_path / "metaspo.db")
    assert db.execute("SELECT count(*) FROM calls").fetchone()[0] == len(endpoint.seen)
    db.close()


@pytest.mark.long
@pytest.mark.parametrize("fifth", [60, 0.5], ids=["while the graph works", "while calls in flight are waited for"])
def test_the_second_signal_stops_at_once(fifth: float, tmp_path: Path, endpoint: Endpoint) -> None:
    async def hang(request: Any, body: Any, number: int) -> Any:
        import asyncio

        # The fifth reply frees a slot: whoever takes it learns of the first signal, and the graph ends.
        await asyncio.sleep(0 if number < 3 else fifth if number == 5 else 60)
        return say("billing")

    endpoint.act = hang
    process = _start(tmp_path, endpoint)
    _wait_for(endpoint, 5)
    process.send_signal(signal.SIGINT)
    time.sleep(1.5)
    assert process.poll() is None
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and time.monotonic() - started < 5, err
    assert "stopped: interrupted" in err and "go on with: metaspo resume" in err


@pytest.mark.long
def test_an_endpoint_that_refuses_the_key_gets_one_call(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: fail(401, "Incorrect API key provided: sk-abcdef123456")
    process = _start(tmp_path, endpoint)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2 and len(endpoint.seen) == 1
    assert [line for line in err.splitlines() if line.startswith("error: ")] == [
        "error: server:m: HTTP 401: Incorrect API key provided: sk-***"
    ]


@pytest.mark.long
def test_a_second_process_is_refused_and_told_who_has_the_run(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.act = _slow
    process = _start(tmp_path, endpoint)
    _wait_for(endpoint, 4)
    other = forked.run([sys.executable, "-m", "metaspo", "resume"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert other.returncode == 2
    assert f"is being worked on by process {process.pid} on" in other.stderr
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


def test_every_command_has_help() -> None:
    for words in [
        [],
        ["optimize"],
        ["tasks"],
        ["tasks", "check"],
        ["export"],
        ["resume"],
        ["show"],
        ["runs"],
        ["init"],
        ["methods"],
    ]:
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == 0 and "Usage:" in result.output
