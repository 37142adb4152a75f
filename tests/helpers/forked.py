"""Real processes that have imported metaspo when they begin: `subprocess`, without the seconds that its processes cost.

What is here is the module `subprocess`, but that `python -m MODULE`, `python -c CODE` and `python FILE` begin in a fork of
a process that waits for that (`forking.py`). Such a process has its own id, signals, exit code and pipes, and is a child of
whoever began it. Where a fork could differ from a start (another locale, flags or variables of Python's own, limits, a
system other than Linux), it is a start.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from subprocess import DEVNULL as DEVNULL
from subprocess import PIPE as PIPE
from subprocess import STDOUT as STDOUT
from subprocess import CompletedProcess as CompletedProcess
from typing import Any

ROOT = str(Path(__file__).resolve().parents[2])
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
LATE = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
"""Variables of Python's own that a process can still heed after its start, as `forking.become` does."""

SET_SUBREAPER = 36
"""Of prctl: who asks for it becomes the parent of those below it whose own parent has ended."""


class Popen(subprocess.Popen):  # type: ignore[type-arg]
    """`subprocess.Popen`, whose processes are forks where that comes to the same."""

    def _execute_child(  # of `subprocess` and private: the one step that makes the process
        self, args: Any, executable: Any, preexec: Any, close: Any, passed: Any, cwd: Any, env: Any, info: Any, flags: Any,
        shell: Any, *rest: Any,
    ) -> None:  # fmt: skip
        *ends, restored, gid, gids, uid, mask, session, group = rest
        unusual = executable or preexec or not close or passed or shell or not restored or group not in (None, -1)
        unusual = unusual or (gid, gids, uid, mask) != (None, None, None, -1) or isinstance(args, (str, bytes, os.PathLike))
        words = [] if unusual else named([os.fspath(word) for word in args])
        environment = {os.fsdecode(key): os.fsdecode(value) for key, value in (os.environ if env is None else env).items()}
        where = os.path.abspath(cwd or os.curdir)
        if not (words and may_fork(words, environment, where)):
            return super()._execute_child(  # type: ignore[misc,no-any-return]
                args, executable, preexec, close, passed, cwd, env, info, flags, shell, *rest
            )
        streams = [end if end != -1 else at for at, end in enumerate((ends[0], ends[3], ends[5]))]
        self.pid = home().fork({"words": words, "env": environment, "cwd": where, "session": bool(session)}, streams)
        self._child_created = True
        return self._close_pipe_fds(*ends)  # type: ignore[attr-defined,no-any-return]


def run(words: Any, *, input: Any = None, capture_output: bool = False, timeout: float | None = None, check: bool = False,
        **settings: Any) -> "CompletedProcess[Any]":  # fmt: skip
    """`subprocess.run`."""
    settings |= ({"stdout": PIPE, "stderr": PIPE} if capture_output else {}) | ({} if input is None else {"stdin": PIPE})
    with Popen(words, **settings) as process:
        try:
            out, err = process.communicate(input, timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done: CompletedProcess[Any] = CompletedProcess(process.args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def named(words: list[Any]) -> list[Any]:
    """A command with its interpreter, also where the command is a script that names that in its first line."""
    script = Path(os.fsdecode(words[0]))
    if script.parent == Path(sys.executable).parent and script.is_file():
        with script.open("rb") as opened:
            if opened.readline().strip() == f"#!{sys.executable}".encode():
                return [sys.executable, *words]
    return words


def may_fork(words: Sequence[Any], environment: Mapping[str, str], where: str) -> bool:
    """Whether a command is Python's, of the same kind as this process's, and nothing of it is decided before it begins."""
    if sys.platform != "linux" or words[0] != sys.executable or not os.path.isdir(where):
        return False
    if (
        len(words) < 2
        or (words[1] in ("-m", "-c") and len(words) < 3)
        or (words[1][:1] == "-" and words[1] not in ("-m", "-c"))
    ):
        return False
    return _told(environment) == _told(os.environ)


def _told(environment: Mapping[str, str]) -> tuple[Any, ...]:
    """What Python is told by its environment when it starts; our own folder is on the path of either."""
    path = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one and one != ROOT]
    own = {key: value for key, value in environment.items() if key.startswith("PYTHON") and key not in LATE}
    return path, own, next((environment[key] for key in LOCALE if environment.get(key)), "")


class Home:
    """The process that others are forked from; it ends with the one that began it."""

    def __init__(self) -> None:
        self._door, theirs = socket.socketpair()
        self._lock = threading.Lock()
        words = [sys.executable, str(Path(__file__).with_name("forking.py")), str(theirs.fileno())]
        self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], cwd=ROOT, stdin=DEVNULL, stdout=DEVNULL)
        theirs.close()
        atexit.register(self.close)

    def fork(self, about: dict[str, Any], streams: Sequence[int]) -> int:
        """Begin a process with these three streams; its id."""
        told = json.dumps(about).encode()
        with self._lock:
            prctl = ctypes.CDLL(None).prctl
            prctl(SET_SUBREAPER, 1, 0, 0, 0)
            try:
                socket.send_fds(self._door, [len(told).to_bytes(8, "big")], streams)
                self._door.sendall(told)
                pid = int.from_bytes(self._door.recv(8, socket.MSG_WAITALL), "big")
            finally:
                prctl(SET_SUBREAPER, 0, 0, 0, 0)
        assert pid, "the process that others are forked from has ended"
        return pid

    def close(self) -> None:
        self._door.close()
        self._process.wait()


@cache
def home() -> Home:
    """The one of this process."""
    return Home()
