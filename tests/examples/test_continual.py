"""Prompts kept good while their data grow: through a kill, a week's budget that runs out, and the week after."""

import csv
import json
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

import metaspo
from metaspo.approval.request import WAITS
from metaspo.reports.listing import list_runs

from ..helpers import forked
from .conftest import EXAMPLES

pytestmark = pytest.mark.slow

MODEL = '''
import os
import signal
from pathlib import Path

from metaspo.models.scripted import novice

DIES = Path("dies")


def model(request):
    """The novice, which takes its process with it when the file says so many calls more."""
    if DIES.exists():
        left = int(DIES.read_text())
        DIES.write_text(str(left - 1))
        if not left:
            DIES.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    return novice(request)
'''


def write(numbers: range) -> None:
    with Path("odd.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        writer.writerows((f"Is {i} odd?", "yes" if i % 2 else "no") for i in numbers)


@pytest.fixture
def continual(example: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example in an empty folder, with a config, a task of 200 rows, and models that can be killed."""
    write(range(200))
    Path("mortal.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    task = {
        "name": "odd", "examples": "odd.csv", "user_prompt": "Answer yes or no.\n\n{question}",
        "reader": {"kind": "choice", "labels": ["yes", "no"], "from": "reply"},
    }  # fmt: skip
    Path("odd.yaml").write_text(json.dumps(task))
    config = {"tasks": ["odd.yaml"], "base": "scripted:mortal:model", "optimizer": "scripted:mortal:model", "store": "c.db"}
    Path("run.yaml").write_text(json.dumps(config | {"iterations": 1, "test_size": 20}))
    return example("continual")


def paid() -> int:
    with sqlite3.connect("c.db") as db:
        keys = [key for (key,) in db.execute("SELECT key FROM calls")]
    db.close()
    assert len(keys) == len({key.partition("/")[0] for key in keys})
    return len(keys)


def log() -> str:
    return Path("continual.log").read_text()


def prompts() -> str:
    return str(json.loads(Path("prompts.json").read_text())["run"])


def test_a_growing_file_a_kill_and_a_budget_that_runs_out(continual: ModuleType) -> None:
    look = ["run.yaml", "--new", "40", "--calls"]
    assert continual.main([*look, "5000"]) == 0
    [first] = list_runs("c.db")
    assert prompts() == first["run"] and "A first run begins" in log() and "is done. Confirmed: " in log()

    # Nothing has grown: nothing is paid, and what is waited for is said.
    before = paid()
    write(range(230))
    assert continual.main([*look, "5000"]) == 0 and paid() == before
    assert "30 new examples, 0 gone, 0 with another answer, 200 the same. 40 new ones are waited for." in log()

    # It has: the run is killed in the middle, and goes on at the next look.
    write(range(300))
    Path("dies").write_text("20")
    command = [sys.executable, str(EXAMPLES / "continual.py"), *look, "5000"]
    killed = forked.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [row["status"] for row in list_runs("c.db")] == ["done", "killed"] and paid() > before
    assert continual.main([*look, "5000"]) == 0
    second = list_runs("c.db")[1]
    assert f"Run {second['run'][:8]} goes on; " in log() and (second["status"], second["parent"]) == ("done", first["run"])
    report = metaspo.open_report("c.db", second["run"])
    assert report.from_run is not None and report.from_run.changes.new == 100
    assert prompts() == (second["run"] if report.verdict == "confirmed" else first["run"])

    # The week's budget ends in the middle of the next one, and is not exceeded, whoever looks.
    write(range(400))
    most = paid() + 15
    assert continual.main([*look, str(most)]) == 3 and paid() == most
    assert continual.main([*look, str(most)]) == 3 and paid() == most
    assert "The budget of this week is spent; 0 calls left." in log()
    # The week after, the same run goes on from there, until it is done.
    third = list_runs("c.db")[2]["run"]
    assert continual.main([*look, "5000"], now=datetime.now(UTC) + timedelta(days=7)) == 0
    assert [row["status"] for row in list_runs("c.db")] == ["done"] * 3 and list_runs("c.db")[2]["run"] == third
    assert metaspo.verify(store="c.db").well


def test_money_is_counted_and_a_week_without_a_budget_is_refused(continual: ModuleType) -> None:
    config = json.loads(Path("run.yaml").read_text())
    for role in ("base", "optimizer"):
        config[role] = {"provider": "scripted", "name": "mortal:model", "input_price": 100.0, "output_price": 100.0}
    Path("run.yaml").write_text(json.dumps(config))
    assert continual.main(["run.yaml", "--cost", "0.05"]) == 3
    [run] = list_runs("c.db")
    assert 0.05 <= run["cost"] < 0.1 and run["status"] == "stopped"
    assert continual.main(["run.yaml", "--cost", "0.05"]) == 3 and list_runs("c.db") == [run]
    with pytest.raises(SystemExit):
        continual.main(["run.yaml"])


def test_a_file_that_cannot_be_read_is_told_and_ctrl_c_ends_the_wait(
    continual: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Path("run.yaml").read_text()
    Path("run.yaml").write_text(config.replace("c.db", "nowhere/c.db"))
    assert continual.main(["run.yaml", "--calls", "9"]) == 2 and "nowhere/c.db.look" in capsys.readouterr().err
    Path("run.yaml").write_text(config)
    Path("odd.csv").write_text("")
    assert continual.main(["run.yaml", "--calls", "9"]) == 2 and "odd.csv" in capsys.readouterr().err
    waited: list[float] = []

    def interrupted(seconds: float) -> None:
        waited.append(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(continual.time, "sleep", interrupted)
    write(range(200))
    assert continual.main(["run.yaml", "--calls", "9", "--every", "6"]) == 130 and waited == [6 * 3600.0]


def test_of_two_that_look_at_once_one_begins_a_run(continual: ModuleType) -> None:
    command = [sys.executable, str(EXAMPLES / "continual.py"), "run.yaml", "--calls", "40"]
    both = [forked.Popen(command, stdout=forked.PIPE, stderr=forked.PIPE, text=True) for _ in range(2)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in both]
    assert len(list_runs("c.db")) == 1 and paid() == 40, ended
    # The other came while that was at work, or found the budget spent.
    assert log().count("A first run begins") == 1
    assert "nothing is begun beside it" in log() or "The budget of this week is spent" in log()


def test_what_waits_for_a_batch_is_gone_on_with_and_what_waits_for_a_person_is_not(continual: ModuleType) -> None:
    def waits(reason: str) -> None:
        with sqlite3.connect("c.db") as db:
            db.execute("UPDATE runs SET status = 'waiting', reason = ?", [reason])
        db.close()

    assert continual.main(["run.yaml", "--calls", "9"]) == 3
    waits(f"{WAITS} for the system prompt of round 2")
    assert continual.main(["run.yaml", "--calls", "20"]) == 0 and paid() == 9 and "is waiting; nothing is begun" in log()
    waits("all that is asked waits for batch_1; go on with 'metaspo resume'")
    assert continual.main(["run.yaml", "--calls", "20"]) == 3 and paid() == 20


def test_what_cannot_be_written_is_told_and_tried_again(continual: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert continual.main(["run.yaml", "--calls", "5000"]) == 0
    whole = Path("prompts.json").read_bytes()
    # What a failing machine has left of the file is written again.
    Path("prompts.json").write_bytes(whole[:20])
    Path("prompts.json.new").mkdir()
    assert continual.main(["run.yaml", "--calls", "5000"]) == 1 and "prompts.json.new" in capsys.readouterr().err
    Path("prompts.json.new").rmdir()
    assert continual.main(["run.yaml", "--calls", "5000"]) == 0 and Path("prompts.json").read_bytes() == whole
