"""How many files and connections this process may have open."""

import os

try:
    import resource
except ImportError:  # Windows, which knows no such limit
    resource = None  # type: ignore[assignment]

SPARE = 16
"""Files that are left for what opens one for a moment."""


def most_open() -> int | None:
    """The limit; None where there is none."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def room() -> int | None:
    """How many connections may be opened beside what is open now, at least one; None where there is no limit."""
    most = most_open()
    if most is None:
        return None
    return max(1, most - _open_now() - SPARE)


def _open_now() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))
        except OSError:
            continue
    return 32
