"""Ends the processes of an engine whose owner was killed; vLLM's own outlive that.

Runs as a script of its own, a child of the process that loads the engine:

    python orphans.py
"""

import contextlib
import os
import time

import psutil

EVERY = 1.0
"""Seconds between two looks."""


def main() -> None:
    """Note what our parent starts from now on, and kill it when the parent is gone."""
    started, owner = psutil.Process().create_time(), psutil.Process(os.getppid())
    seen: set[psutil.Process] = set()
    while os.getppid() == owner.pid:
        with contextlib.suppress(psutil.Error):
            seen.update(child for child in owner.children(recursive=True) if child.pid != os.getpid())
        time.sleep(EVERY)
    for process in list(seen):
        with contextlib.suppress(psutil.Error):
            seen.update(process.children(recursive=True))
    for process in seen:
        with contextlib.suppress(psutil.Error):
            if process.create_time() >= started:
                process.kill()


if __name__ == "__main__":
    main()
