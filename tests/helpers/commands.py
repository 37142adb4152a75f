"""Command lines one after another in a process of their own: `python commands.py '[["runs"], ["show"]]'`; prints how each ended."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*lines: Sequence[str], cwd: Path, prefix: Sequence[str] = ()) -> list[Done]:
    """Run the lines in one process: what Python loads for them, most of what a process costs, it loads once."""
    command = [*prefix, sys.executable, __file__, json.dumps(lines)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Done(*ended) for ended in json.loads(done.stdout)]


def main(lines: list[list[str]]) -> None:
    from click.testing import CliRunner

    from metaspo.cli.main import main as metaspo

    ended = [CliRunner().invoke(metaspo, words) for words in lines]
    print(json.dumps([(one.exit_code, one.stdout, one.stderr) for one in ended]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
