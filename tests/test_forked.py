"""Processes that the tests fork are like those that they would start."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from .helpers import forked

TELLS = """
import json, os, sys
told = [os.getppid(), os.getpgid(0), os.getcwd(), sys.argv, sys.path[:1], __name__, os.environ.get("OWN"), sys.stdin.read()]
told += [sys.stdout.encoding, sys.stdout.errors, sys.stderr.errors, sys.stdout.line_buffering, os.isatty(0), sys.flags.optimize]
told += [sys.dont_write_bytecode, sys.stdout.write_through, sys.stderr.write_through]
print(json.dumps(told), flush=True)
"""


@pytest.fixture(params=[forked.Popen, forked.subprocess.Popen], ids=["forked", "started"])
def popen(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.long
@pytest.mark.parametrize("own", [{}, {"PYTHONDONTWRITEBYTECODE": "1"}, {"PYTHONUNBUFFERED": "1"}], ids=str)
@pytest.mark.parametrize("kind", ["code", "file", "module"])
def test_a_fork_is_told_what_a_start_is(kind: str, own: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "tells.py").write_text(TELLS)
    words = {"code": ["-c", TELLS], "file": [str(tmp_path / "tells.py")], "module": ["-m", "tells"]}[kind]
    told = []
    for begin in (forked.Popen, forked.subprocess.Popen):
        process = begin(
            [sys.executable, *words, "--a", "b c"], cwd=tmp_path, env=os.environ | {"OWN": "ä"} | own, text=True, stdin=forked.PIPE,
            stdout=forked.PIPE,
        )  # fmt: skip
        told.append(json.loads(process.communicate("said")[0]))
        assert process.returncode == 0
    assert told[0] == told[1] and told[0][0] == os.getpid() and told[0][6:8] == ["ä", "said"]


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("pass", 0),
        ("raise SystemExit(5)", 5),
        ("1 / 0", 1),
        ("import os; os._exit(7)", 7),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("raise KeyboardInterrupt", -signal.SIGINT),
    ],
)
def test_a_fork_ends_as_a_start_does(code: str, ends: int, popen: Any) -> None:
    assert popen([sys.executable, "-c", code], stderr=forked.DEVNULL).wait() == ends


def test_signals_reach_it_and_what_it_leaves_for_its_end_is_done(popen: Any) -> None:
    code = "import atexit, time; atexit.register(print, 'bye'); print('on', flush=True); time.sleep(60)"
    with popen([sys.executable, "-c", code], stdout=forked.PIPE, stderr=forked.PIPE, text=True) as process:
        assert process.stdout.readline() == "on\n"
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate()
    assert (said, process.returncode) == ("bye\n", -signal.SIGINT) and "KeyboardInterrupt" in complained


def test_what_a_fork_would_not_come_to_is_started(tmp_path: Path) -> None:
    ours = dict(os.environ)
    assert forked.may_fork([sys.executable, "-m", "metaspo"], ours, str(tmp_path)) == (sys.platform == "linux")
    assert not forked.may_fork([sys.executable, "-X", "dev", "-m", "metaspo"], ours, str(tmp_path))
    assert not forked.may_fork(["bash", "-c", "true"], ours, str(tmp_path))
    assert not forked.may_fork([sys.executable, "-c", ""], ours, str(tmp_path / "not there"))
    for own in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"PYTHONPATH": str(tmp_path)}):
        assert not forked.may_fork([sys.executable, "-c", ""], ours | own, str(tmp_path))
