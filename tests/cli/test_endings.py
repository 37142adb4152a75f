"""How commands end where a file, the disk or the system says no: one sentence, and results stay."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from metaspo.cli.main import main

from ..helpers.endpoint import Endpoint

DICE = "--base scripted:dice --optimizer scripted:dice --set iterations=1 --set test_size=4"


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """A command line with `metaspo` as its first word, or after a prefix such as 'ulimit -n 64;'."""
    line = command.replace("METASPO", f"'{sys.executable}' -m metaspo")
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ended")
    assert shell(made, "METASPO init . && METASPO optimize metaspo.yaml " + DICE).returncode == 0
    return made


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence_and_the_results_stay(folder: Path) -> None:
    for words in ("show", "runs --json", "export --output /dev/full"):
        done = shell(folder, f"METASPO {words} > /dev/full" if "--output" not in words else f"METASPO {words}")
        assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1, (words, done.stderr)
        assert "No space left on device" in done.stderr and "metaspo show" in done.stderr
    assert shell(folder, f"METASPO optimize metaspo.yaml {DICE} --store full.db > /dev/full 2> /dev/full").returncode == 1
    assert json.loads(shell(folder, "METASPO runs --json --store full.db").stdout)[0]["status"] == "done"


def test_a_closed_pipe_is_quiet(folder: Path) -> None:
    for words in ("show", "runs --json"):
        assert shell(folder, f"METASPO {words} | true").stderr == ""


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    done = shell(folder, "METASPO export --output nofolder/x")
    assert done.returncode == 2 and done.stderr == "error: --output nofolder/x: there is no folder nofolder; make it first\n"


def test_a_run_keeps_within_the_files_it_may_open(folder: Path, endpoint: Endpoint) -> None:
    model = f"server:m,base_url={endpoint.url},concurrency=256,patience=2"
    done = shell(folder, f"ulimit -n 64; METASPO optimize metaspo.yaml --base {model} --optimizer {model} --store few.db")
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
    done = shell(folder, f"METASPO optimize metaspo.yaml {DICE} --set $'system_prompt=a\\xff'")
    assert done.returncode == 2 and "system_prompt: half of a character" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
