"""`metaspo approve` as a person and as a script use it: options, a real terminal, a process killed while it asks."""

import codecs
import getpass
import json
import os
import pty
import select
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers import forked

DICE = ["--base", "scripted:dice", "--optimizer", "scripted:dice"]
Metaspo = Callable[..., Any]


@pytest.fixture
def metaspo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Metaspo:
    """Runs a command in a new project, with wide tables, and returns its result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, exit_code: int = 0) -> Any:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == exit_code, result.output
        assert "Traceback" not in result.output
        return result

    run("init")
    return run


def start(metaspo: Metaspo, *words: str) -> Any:
    return metaspo(
        "optimize",
        "metaspo.yaml",
        *DICE,
        "--method",
        "metaspo",
        "--set",
        "train_size=12",
        "--set",
        "approve=both",
        "--set",
        "seed=2",
        *words,
        exit_code=4,
    )


@pytest.mark.long
def test_a_waiting_run_says_so_and_goes_on_when_answered(metaspo: Metaspo, tmp_path: Path) -> None:
    said = start(metaspo).stderr
    assert "waiting for a person to approve the user prompts of tickets of round 1" in said
    assert "go on with: metaspo approve" in said
    [row] = json.loads(metaspo("runs", "--json").stdout)
    assert row["status"] == "waiting" and "waiting" in metaspo("runs").stdout
    assert "go on with: metaspo approve" in metaspo("resume", exit_code=4).stderr

    shown = metaspo("approve", exit_code=4).stdout
    for words in ("user prompt of tickets", "-{question}", "95% interval", "Answered better", "Answered worse", "billing"):
        assert words in shown
    request = json.loads(metaspo("approve", row["run"][:6], "--json", exit_code=4).stdout)
    assert request["choices"] == ["accept", "reject", "edit", "stop"] and request["run"] == row["run"]
    assert json.loads(metaspo("runs", "--json").stdout)[0]["calls"] == row["calls"]

    stopped = metaspo("approve", "--stop").stderr
    assert "a person stopped it before approving" in stopped and "answer later with: metaspo approve" in stopped
    assert json.loads(metaspo("runs", "--json").stdout)[0]["status"] == "stopped"

    (tmp_path / "wrong.txt").write_text("Which team?")
    assert "holds {question} 0 times" in metaspo("approve", "--edit", "wrong.txt", exit_code=2).stderr
    assert "The last answer could not be used: task tickets: the edited text" in metaspo("approve", exit_code=4).stdout
    (tmp_path / "mine.txt").write_text("Billing or technical?\n{question}\n")
    metaspo("approve", "--edit", "mine.txt", exit_code=4)
    assert "user prompt of tickets, as you edited it" in metaspo("approve", exit_code=4).stdout
    answer = '{"tasks": {"tickets": {"decision": "accept"}}}'
    result = CliRunner().invoke(main, ["approve", "--answer", answer, "--json"])
    while result.exit_code == 4:
        result = CliRunner().invoke(main, ["approve", "--reject", "--json"])
    data = json.loads(result.stdout)
    assert data["run"]["status"] == "done" and data["user_after"] == {"tickets": ["Billing or technical?\n{question}"]}
    assert "waits for no approval" in metaspo("approve", "--accept", exit_code=2).stderr


def test_one_answer_at_a_time(metaspo: Metaspo) -> None:
    start(metaspo)
    assert "give one of --accept" in metaspo("approve", "--accept", "--answer", "{}", exit_code=2).stderr
    assert "give one of --accept" in metaspo("approve", "--edit", "metaspo.yaml", "--stop", exit_code=2).stderr


class Terminal:
    """A command at a real terminal."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        own, theirs = pty.openpty()
        self.screen = own
        self.seen = ""
        self.decode = codecs.getincrementaldecoder("utf-8")().decode
        settings = os.environ | {"TERM": "dumb", "COLUMNS": "200"} | environment
        command = [sys.executable, "-m", "metaspo", *words]
        self.process = forked.Popen(command, cwd=folder, env=settings, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def read(self) -> bool:
        """Take in what comes next on the screen; False when the other side is gone."""
        ready, _, _ = select.select([self.screen], [], [], 60)
        assert ready, self.seen
        try:
            self.seen += self.decode(os.read(self.screen, 65536))
        except OSError:
            return False
        return True

    def read_until(self, words: str) -> str:
        """What the screen shows from here up to `words`."""
        while words not in self.seen:
            assert self.read(), self.seen
        before, _, self.seen = self.seen.partition(words)
        return before

    def type(self, line: str) -> None:
        os.write(self.screen, f"{line}\n".encode())

    def interrupt(self) -> None:
        """Ctrl-C, pressed again where nothing comes of it: between showing its prompt and waiting, Python's input takes none."""
        for _ in range(6):
            self.process.send_signal(signal.SIGINT)
            if select.select([self.screen], [], [], 5)[0]:
                return

    def close(self) -> int:
        """Read to the end; the exit code."""
        while self.read():
            pass
        return self.process.wait(20)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts commands at terminals of their own."""
    opened: list[Terminal] = []

    def start(*words: str, **environment: str) -> Terminal:
        opened.append(Terminal(tmp_path, *words, **environment))
        return opened[-1]

    yield start
    for one in opened:
        one.process.kill()
        one.process.wait(20)
        os.close(one.screen)


def test_a_conversation_in_a_terminal(metaspo: Metaspo, tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    start(metaspo, "--set", "approve=user", "--set", "iterations=1")
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\ngrep -q Shorter "$1" && printf "Shorter {question}" > "$1" || printf "Shorter" > "$1"\n')
    editor.chmod(0o755)
    shown = terminal("approve", EDITOR=str(editor))
    assert "Answered worse" in shown.read_until("Your decision (accept, reject, edit, stop): ")
    shown.type("edit")
    assert "holds {question} 0 times" in shown.read_until("Your decision")
    shown.type("edit")  # the editor opens with what was refused
    assert "as you edited it" in shown.read_until("Your decision (accept, reject, edit, stop): ")
    shown.type("accept")
    assert shown.close() == 0
    assert "Test scores" in shown.seen
    found = json.loads(metaspo("show", "--json").stdout)
    assert found["run"]["status"] == "done" and found["user_after"] == {"tickets": ["Shorter {question}"]}


TWO = [
    word for key in ("tasks=[shop_reviews,animals_or_health]", "user_candidates=8", "test_size=8") for word in ("--set", key)
]
"""Two tasks whose user prompts wait together."""


def writes(folder: Path, *texts: str) -> str:
    """An editor that adds what it is opened with to `opened`, and writes the texts one after another."""
    for at, text in enumerate(texts):
        (folder / f"text{at}").write_text(text)
    editor = folder / "editor.sh"
    editor.write_text(f'#!/bin/sh\ncd {folder}\ncat "$1" >> opened\nset -- text* "$1"\nmv "$1" "$(eval echo \\${{$#}})"\n')
    editor.chmod(0o755)
    return str(editor)


@pytest.mark.long
def test_one_invalid_edit_keeps_what_was_decided(metaspo: Metaspo, tmp_path: Path, terminal: Callable[..., Terminal]) -> None:
    start(metaspo, *TWO)
    request = json.loads(metaspo("approve", "--json", exit_code=4).stdout)
    first, second = (change["task"] for change in request["changes"])
    shown = terminal("approve", EDITOR=writes(tmp_path, "Broken", "Mended {question}"))
    shown.read_until("All of them")
    shown.type("each")
    shown.read_until(f"{first} (accept, reject, edit): ")
    shown.type("reject")
    shown.read_until(f"{second} (accept, reject, edit): ")
    shown.type("edit")
    said = shown.read_until(f"{second} (accept, reject, edit): ")
    assert f"task {second}: the edited text holds {{question}} 0 times" in said
    assert f"what you wrote for {second}" in said and "Broken" in said
    shown.type("edit")  # the editor opens with what was refused
    assert f"user prompt of {second}, as you edited it" in shown.read_until("Your decision (accept, reject, edit, stop): ")
    assert "Broken" in (tmp_path / "opened").read_text()
    shown.type("accept")
    shown.read_until("Your decision")
    shown.type("stop")
    assert shown.close() == 0
    report = json.loads(metaspo("show", "--json").stdout)
    person = getpass.getuser()
    assert [(row["task"], row["decision"], row["text"], row["person"]) for row in report["answers"]] == [
        (first, "reject", None, person),
        (second, "edit", report["answers"][2]["shown"]["after"], person),
        (second, "accept", None, person),
    ]
    assert report["answers"][1]["text"].startswith("Mended {question}")
    assert report["answers"][0]["shown"]["before"] == request["changes"][0]["before"]
    listed = metaspo("show").stdout
    assert "answers of people" in listed and all(words in listed for words in (person, "reject", f"user prompt of {second}"))


def test_ctrl_c_in_the_middle_leaves_nothing_half_answered(metaspo: Metaspo, terminal: Callable[..., Terminal]) -> None:
    start(metaspo, *TWO)
    before = json.loads(metaspo("approve", "--json", exit_code=4).stdout)
    shown = terminal("approve")
    shown.read_until("All of them")
    shown.type("each")
    shown.read_until("(accept, reject, edit): ")
    shown.type("reject")
    shown.read_until("(accept, reject, edit): ")
    shown.interrupt()
    assert shown.close() not in (0, -signal.SIGKILL)
    assert json.loads(metaspo("approve", "--json", exit_code=4).stdout) == before
    assert json.loads(metaspo("show", "--json").stdout)["answers"] == []


@pytest.mark.long
def test_whoever_comes_second_is_told_and_loses_no_text(
    metaspo: Metaspo, tmp_path: Path, terminal: Callable[..., Terminal]
) -> None:
    start(metaspo, *TWO)
    old = json.loads(metaspo("approve", "--json", exit_code=4).stdout)["id"]
    shown = terminal("approve", EDITOR=writes(tmp_path, "Mine {question}"))
    assert old in shown.read_until("All of them")
    shown.type("each")
    shown.read_until("(accept, reject, edit): ")
    other = {"decision": "accept", "tasks": {"animals_or_health": {"decision": "edit", "text": "Theirs {question}"}}}
    metaspo("approve", "--answer", json.dumps(other), "--id", old, exit_code=4)
    shown.type("edit")
    shown.read_until("(accept, reject, edit): ")
    shown.type("accept")
    said = shown.read_until("Your decision")
    new = json.loads(metaspo("approve", "--json", exit_code=4).stdout)["id"]
    assert f"question {old}, which {getpass.getuser()} answered, and not what is asked now: question {new}" in said
    assert "what you wrote for shop_reviews" in said and "Mine {question}" in said
    refused = metaspo("approve", "--accept", "--id", old, exit_code=2).stderr
    assert f"question {old}, which" in refused and f"question {new}" in refused
    assert json.loads(metaspo("approve", "--json", exit_code=4).stdout)["id"] == new
    shown.type("stop")
    assert shown.close() == 0


@pytest.mark.long
def test_killed_while_it_asks_it_goes_on_in_another_process(metaspo: Metaspo, terminal: Callable[..., Terminal]) -> None:
    plain = json.loads(metaspo("optimize", "metaspo.yaml", *DICE, "--set", "seed=2", "--store", "plain.db", "--json").stdout)
    words = ["optimize", "metaspo.yaml", *DICE, "--set", "seed=2", "--set", "approve=both", "--json"]
    assert terminal(*words).close() == 4
    shown = terminal("approve")
    shown.read_until("Your decision")
    shown.process.send_signal(signal.SIGKILL)
    assert shown.close() == -signal.SIGKILL
    assert json.loads(metaspo("runs", "--json").stdout)[0]["status"] == "waiting"
    # This process never had the run open.
    done = CliRunner().invoke(main, ["approve", "--accept", "--json"])
    while done.exit_code == 4:
        done = CliRunner().invoke(main, ["approve", "--accept", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    for key in ("system_after", "user_after", "tasks", "train_after"):
        assert found[key] == plain[key]
    assert found["usage"]["calls"] == plain["usage"]["calls"]
