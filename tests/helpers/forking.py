"""The process that `forked.py` has others forked from: it imports metaspo, and becomes what it is told to, once a fork."""

import gc
import json
import os
import runpy
import socket
import sys
import time
import types
from importlib import import_module
from typing import Any

from langsmith.utils import get_env_var

MODULES = (
    "metaspo.methods.builtin",
    "metaspo.studies.study_page",
    "metaspo.runs.optimize",
    "metaspo.studies.any_page",
    "click",
)
"""What is imported ahead. Not the command line: its console looks at the environment when it is imported."""


def main(door: socket.socket) -> dict[str, Any]:
    """Fork until nobody asks any more; returns in the forks alone, with what they are to do."""
    while True:
        head, streams, *_ = socket.recv_fds(door, 8, 3)
        if not head:
            os._exit(0)
        told: dict[str, Any] = json.loads(door.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        ours, theirs = os.pipe()
        between = os.fork()
        if not between:
            # Its parent ends at once, so that whoever asked becomes the parent.
            parent, pid = os.getpid(), os.fork()
            if not pid:
                while os.getppid() == parent:
                    time.sleep(0.001)
                door.close()
                become(told, streams)
                return told
            os.write(theirs, pid.to_bytes(8, "big"))
            os._exit(0)
        os.waitpid(between, 0)
        door.sendall(os.read(ours, 8))
        for fd in (ours, theirs, *streams):
            os.close(fd)


def become(told: dict[str, Any], streams: list[int]) -> None:
    """What the system and Python give a process at its start."""
    if told["session"]:
        os.setsid()
    for at, fd in enumerate(streams):
        os.dup2(fd, at)
    os.closerange(3, 1024)
    os.chdir(told["cwd"])
    given = len([one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one])
    os.environ.clear()
    os.environ.update(told["env"])
    get_env_var.cache_clear()
    path = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    sys.path[: 1 + given] = [told["cwd"], *path]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    for at, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, f"__{name}__")
        lines = at == 2 or os.isatty(at)
        new = open(at, "w" if at else "r", 1 if lines else -1, old.encoding, old.errors, closefd=False)
        if at:
            new.reconfigure(write_through=old.write_through or bool(os.environ.get("PYTHONUNBUFFERED")))
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


def begin(words: list[str]) -> None:
    """What `python` does with its words."""
    [_, kind, *rest] = words
    if kind == "-m":
        sys.argv = ["-m", *rest[1:]]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv, sys.path[0] = ["-c", *rest[1:]], ""
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), module.__dict__)
    else:
        sys.argv, sys.path[0] = [kind, *rest], os.path.dirname(os.path.realpath(kind))
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    for module in MODULES:
        import_module(module)
    # What is there already is shared with the forks, and nobody looks through it again.
    gc.collect()
    gc.freeze()
    begin(main(socket.socket(fileno=int(sys.argv[1])))["words"])
