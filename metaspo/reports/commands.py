"""Commands on a run as a shell takes them: an id that tells it from others, and its store where that has to be named."""

import shlex
import uuid
from pathlib import Path

from ..store.location import default_store

TIMED = (1, 6, 7)
"""Versions of ids that begin with the time, so that those of one minute begin alike."""


def command(name: str, run: str, store: str, more: str = "") -> str:
    """A command on a run, to be pasted; `more` is its options, as a shell takes them."""
    here = Path(store).absolute() == Path(default_store()).absolute()
    where = "" if here else f"--store {shlex.quote(store)}"
    return " ".join(filter(None, ["metaspo", name, telling(run), more, where]))


def telling(run: str) -> str:
    """As much of a run's id as tells it from others."""
    try:
        timed = uuid.UUID(run).version in TIMED
    except ValueError:
        timed = False
    return run if timed else run[:8]


def from_here(store: str) -> str:
    """A store as one names it in the folder where one works: what is saved there with it, a notebook, goes along elsewhere."""
    path, here = Path(store).absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else store
