"""Which process is meant, beyond the reuse of its pid, and whether it still lives. No clock that a person may set."""

import os
import socket
from functools import cache
from pathlib import Path
from typing import Literal

import psutil

from ..compat import process_start

Life = Literal["alive", "stopped", "gone", "unknown"]
"""`stopped` is a process that was paused (Ctrl-Z, SIGSTOP); `unknown` one that can't be seen from here."""

STAT = "/proc/{}/stat"
STATE, START = 0, 19
"""The fields of Linux's /proc/PID/stat, counted behind the name: the state, and the clock ticks from boot to start."""


def host() -> str:
    """This machine's name."""
    return socket.gethostname()


def born(pid: int) -> str:
    """When a process began and where its pid counts; "" for one that is gone."""
    started = _seen(pid)[1]
    return f"{started}@{_place()}" if started else ""


def life(pid: int, name: str, birth: str) -> Life:
    """How the process that was `born` at `birth` on the host of that name is, as far as this process can tell."""
    started, _, place = birth.partition("@")
    if name != host() or (place and place != _place()):
        return "unknown"
    state, now = _seen(pid)
    if not place:  # As earlier versions wrote it: seconds of a clock that may have been set since.
        return "alive" if state != "gone" and _near(pid, started) else "gone"
    return state if now == started else "gone"


@cache
def _place() -> str:
    """What pids count in: the boot and, in a container, the namespace. "here" where there is no such thing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:8]}.{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return "here"


def _seen(pid: int) -> tuple[Life, str]:
    """How a process is and when it began: on Linux in clock ticks since the boot, else as psutil tells processes apart."""
    try:
        text = Path(STAT.format(pid)).read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return _LETTERS.get(fields[STATE], "alive"), fields[START]
    except OSError:
        pass
    try:
        process = psutil.Process(pid)
        return _WORDS.get(process.status(), "alive"), str(process_start(process))
    except psutil.Error:
        return "gone", ""


# A zombie does nothing any more, even where nobody collects it, as in a container without an init.
_LETTERS: dict[str, Life] = {"Z": "gone", "X": "gone", "T": "stopped", "t": "stopped"}
_WORDS: dict[str, Life] = {
    psutil.STATUS_ZOMBIE: "gone", psutil.STATUS_DEAD: "gone",
    psutil.STATUS_STOPPED: "stopped", psutil.STATUS_TRACING_STOP: "stopped",
}  # fmt: skip


def _near(pid: int, started: str) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - float(started)) < 60
    except (psutil.Error, ValueError):
        return False
