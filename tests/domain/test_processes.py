"""Real processes: alive, paused, dead, and one of another boot or container."""

import os
import signal
import subprocess
import sys
import time

import psutil

from metaspo.domain.processes import born, host, life


def test_a_process_is_known_from_its_start_to_its_end() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        birth = born(process.pid)
        assert birth and life(process.pid, host(), birth) == "alive"
        assert life(process.pid, host(), f"1{birth}") == "gone"  # its pid was given to another one
        process.send_signal(signal.SIGSTOP)
        _until(process.pid, birth, "stopped")
        process.kill()
        _until(process.pid, birth, "gone")  # though nobody has collected it
    assert born(process.pid) == "" and life(process.pid, host(), birth) == "gone"


def _until(pid: int, birth: str, expected: str) -> None:
    end = time.monotonic() + 10
    while life(pid, host(), birth) != expected:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_cannot_be_seen_from_here_is_unknown() -> None:
    started, _, place = born(os.getpid()).partition("@")
    assert life(os.getpid(), "another-machine", f"{started}@{place}") == "unknown"
    assert life(os.getpid(), host(), f"{started}@another-boot") == "unknown"


def test_births_as_earlier_versions_wrote_them_are_read() -> None:
    created = psutil.Process().create_time()
    assert life(os.getpid(), host(), str(created)) == "alive"
    assert life(os.getpid(), host(), "12.5") == "gone"
