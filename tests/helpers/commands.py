"""Command lines one after another in a process of their own: `python commands.py '[["runs"], ["show"]]'`; prints how each ended."""

import ctypes
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*lines: Sequence[str], cwd: Path, powerless: bool = False) -> list[Done]:
    """Run the lines in one process of their own; `powerless` may not do more with files than their modes say, as root may."""
    from . import forked

    command = [sys.executable, __file__, json.dumps(lines), *(["powerless"] if powerless else [])]
    done = forked.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Done(*ended) for ended in json.loads(done.stdout)]


def main(lines: list[list[str]], *how: str) -> None:
    if how:
        # Linux: no capabilities, of which root has all; version 3, this process, and three sets of 64 bits.
        done = ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
        assert done == 0, "root could not give up its capabilities"
    from click.testing import CliRunner

    from metaspo.cli.main import main as metaspo

    ended = [CliRunner().invoke(metaspo, words) for words in lines]
    print(json.dumps([(one.exit_code, one.stdout, one.stderr) for one in ended]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), *sys.argv[2:])
