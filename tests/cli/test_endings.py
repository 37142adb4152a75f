"""How commands end where a file, the disk or the system says no: one sentence, and results stay."""

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers import forked
from ..helpers.endpoint import Endpoint

DICE = "--base scripted:dice --optimizer scripted:dice --set iterations=1 --set test_size=4"


def ended(folder: Path, words: str, out: Any = forked.PIPE, err: Any = forked.PIPE) -> "forked.CompletedProcess[str]":
    """A command line in a process of its own, with its results and messages going where they are told to."""
    command = [sys.executable, "-m", "metaspo", *shlex.split(words)]
    done = forked.run(command, cwd=folder, stdout=out, stderr=err, text=True)
    assert not re.search("Traceback|Exception ignored", done.stderr or ""), done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ended")
    assert ended(made, "init .").returncode == 0
    assert ended(made, f"optimize metaspo.yaml {DICE}").returncode == 0
    return made


@pytest.mark.long
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence_and_the_results_stay(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        for words, out in (("show", full), ("runs --json", full), ("export --output /dev/full", forked.PIPE)):
            done = ended(folder, words, out)
            assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1, (words, done.stderr)
            assert "No space left on device" in done.stderr and "metaspo show" in done.stderr
        assert ended(folder, f"optimize metaspo.yaml {DICE} --store full.db", full, full).returncode == 1
    assert json.loads(ended(folder, "runs --json --store full.db").stdout)[0]["status"] == "done"


@pytest.mark.long
def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    for words in ("show", "runs --json"):
        read, write = os.pipe()
        os.close(read)
        try:
            assert ended(folder, words, write).stderr == ""
        finally:
            os.close(write)


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    done = ended(folder, "export --output nofolder/x")
    assert done.returncode == 2 and done.stderr == "error: --output nofolder/x: there is no folder nofolder; make it first\n"


@pytest.mark.long
def test_a_run_keeps_within_the_files_it_may_open(folder: Path, endpoint: Endpoint) -> None:
    model = f"server:m,base_url={endpoint.url},concurrency=256,patience=2"
    limited = [
        *("bash", "-c", 'ulimit -n 64; exec "$0" -m metaspo "$@"', sys.executable, "optimize", "metaspo.yaml"),
        *("--base", model, "--optimizer", model, "--store", "few.db"),
    ]
    done = forked.run(limited, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 1 <= endpoint.most_open < 64


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (f"optimize half.yaml {DICE}", "half.yaml:2: system_prompt: half of a character"),
        ("tasks check odd.yaml", "odd.jsonl:1: question: half of a character"),
        ("optimize --base 'server:m,base_url=http://h/v1,temperature=[1'", "temperature='[1' cannot be read"),
    ],
)
def test_half_characters_and_halves_of_yaml_are_one_sentence(
    words: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "half.yaml").write_text('tasks: [tickets.yaml]\nsystem_prompt: "x \\ud800 y"\n')
    (folder / "odd.jsonl").write_text('{"question": "a \\ud800", "answer": "billing"}\n')
    (folder / "odd.yaml").write_text(
        "name: odd\nexamples: odd.jsonl\nuser_prompt: 'x {question}'\nreader: {kind: choice, labels: [billing, b]}\n"
    )
    done = CliRunner().invoke(main, shlex.split(words))
    assert done.exit_code == 2 and says in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.output


def test_a_half_character_on_the_command_line_is_one_sentence(folder: Path) -> None:
    done = ended(folder, f"optimize metaspo.yaml {DICE} --set system_prompt=a\udcff")
    assert done.returncode == 2 and "system_prompt: half of a character" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
