"""The process that stands between a vLLM server and its users: when the last one is gone, it stops the server.

Every process that uses the server holds a shared lock on one file, which the kernel takes back
however that process ends, by SIGKILL too. This one waits for the exclusive lock, which it gets when
nobody uses the server any more, and then ends the server's whole process group. It runs as a
script of its own:

    python guard.py LOCK RECORD LOG COMMAND...

It prints its process id and the server's as JSON, then goes to the background.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil

GRACE = 10.0
"""Seconds that the server has to end by itself before it is killed."""


def main(lock: str, record: str, log: str, *command: str) -> None:
    """Start the command in a process group of its own and watch over it until it has ended."""
    if os.fork():
        os._exit(0)  # The starter does not wait for us.
    os.setsid()
    with open(log, "wb") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    signal.signal(signal.SIGTERM, lambda *_: _stop(server))
    print(json.dumps({"guard": os.getpid(), "server": server.pid}), flush=True)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    with open(lock, "a") as users:
        threading.Thread(target=_wait_for_the_last, args=(users.fileno(), record, server), daemon=True).start()
        server.wait()
        _end_group(server)
        os._exit(0)


def _wait_for_the_last(users: int, record: str, server: "subprocess.Popen[bytes]") -> None:
    fcntl.flock(users, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(record)
    _stop(server)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    _signal(server, signal.SIGTERM)
    killer = threading.Thread(target=_kill_later, args=(server,), daemon=True)
    killer.start()


def _end_group(server: "subprocess.Popen[bytes]") -> None:
    """Kill whatever outlived the server, and wait until it is gone, so that who comes next finds room."""
    while any(_is_of(process, server.pid) for process in psutil.process_iter()):
        _signal(server, signal.SIGKILL)
        time.sleep(0.05)


def _is_of(process: psutil.Process, group: int) -> bool:
    try:
        return os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _kill_later(server: "subprocess.Popen[bytes]") -> None:
    time.sleep(GRACE)
    _signal(server, signal.SIGKILL)


def _signal(server: "subprocess.Popen[bytes]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
