"""Command lines in a real pseudo-terminal of so many columns, one after another in a process of its own; what each printed."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from metaspo.cli.screen import Screen

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-B0])")
NEXT = "=== next"
UNSET = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


def run(*lines: Sequence[str], columns: int, cwd: Path, set: Mapping[str, str] | None = None, limit: float = 240) -> list[str]:
    """What each of the command lines printed on a terminal, escapes and all, in the order in which it came."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    environment |= {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(set or {})}
    command = [sys.executable, __file__, json.dumps(lines)]
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    until = time.monotonic() + limit
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
    return said.decode().replace("\r\n", "\n").split(f"{NEXT}\n")[:-1]


def bare(said: str) -> str:
    """What a person sees of it: without escapes, and of a line that was written over its last form."""
    return "\n".join(ESCAPES.sub("", line).split("\r")[-1] for line in said.split("\n"))


def main(lines: list[list[str]]) -> None:
    from metaspo.cli.main import main as metaspo

    for words in lines:
        try:
            metaspo(words)
        except SystemExit as end:
            assert end.code in (0, 1, 4), (words, end.code)
        sys.stderr.flush()
        Screen().print(NEXT, soft_wrap=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
