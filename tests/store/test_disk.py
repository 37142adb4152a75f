"""A real disk of one megabyte, full or read-only, where mounting one is allowed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metaspo.cli.main import main

from ..helpers import forked


def mount(*words: str) -> bool:
    try:
        return forked.run(["mount", *words], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)):
        pytest.skip("mounting is not allowed here")
    yield folder
    forked.run(["umount", str(folder)], check=True)


def metaspo(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_full_disk_stops_the_run_which_goes_on_when_there_is_room(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, dice = str(disk / "m.db"), ["--base", "scripted:dice", "--optimizer", "scripted:dice"]
    assert metaspo("init", str(tmp_path / "project")).exit_code == 0
    monkeypatch.chdir(tmp_path / "project")
    # A process of its own, whose end must not hang on what could not be written.
    words = [sys.executable, "-m", "metaspo", "optimize", "metaspo.yaml", *dice, "--store", store]
    full = forked.run(words, capture_output=True, text=True, check=False)
    assert full.returncode == 2 and "the disk is full: make room, then 'metaspo resume'" in full.stderr
    assert "Traceback" not in full.stderr
    assert metaspo("runs", "--store", store).exit_code == 0
    assert mount("-o", "remount,size=30m", str(disk))
    resumed = metaspo("resume", "--store", store)
    assert resumed.exit_code == 0, resumed.output
    assert mount("-o", "remount,ro", str(disk))
    for name in ("m.db", "new.db"):
        refused = metaspo("optimize", "metaspo.yaml", *dice, "--store", str(disk / name))
        assert refused.exit_code == 2 and "not writable" in refused.stderr and "Traceback" not in refused.stderr
