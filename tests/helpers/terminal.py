"""Command lines in a real pseudo-terminal of so many columns, one after another in one process; what each printed."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from metaspo.cli.screen import Screen

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-B0])")
NEXT = "=== next"
LIMIT = 300
"""Seconds that all of them may take."""
UNSET = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def run(*lines: Sequence[str], columns: Sequence[int], cwd: Path, set: Mapping[str, str] | None = None) -> list[list[str]]:
    """What each of the command lines printed on a terminal of each width, escapes and all, in the order in which it came."""
    from . import forked

    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    environment |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(set or {})}
    command = [sys.executable, __file__, json.dumps([columns, lines])]
    process = forked.Popen(command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    until = time.monotonic() + LIMIT
    try:
        while time.monotonic() < until:
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            try:
                part = os.read(ours, 65536)
            except OSError:  # The other side is closed.
                break
            if not part:
                break
            said += part
        assert process.wait(timeout=10) == 0, said.decode(errors="replace")[-2000:]
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    told = said.decode().replace("\r\n", "\n").split(f"{NEXT}\n")[:-1]
    return [told[at : at + len(lines)] for at in range(0, len(told), len(lines))]


def bare(said: str) -> str:
    """What a person sees of it: without escapes, and of a line that was written over its last form."""
    return "\n".join(ESCAPES.sub("", line).split("\r")[-1] for line in said.split("\n"))


def main(columns: list[int], lines: list[list[str]]) -> None:
    from metaspo.cli.main import main as metaspo

    for width in columns:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        for words in lines:
            try:
                metaspo(words)
            except SystemExit as end:
                assert end.code in (0, 1, 3, 4), (words, end.code)
            sys.stderr.flush()
            Screen().print(NEXT, soft_wrap=True)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
