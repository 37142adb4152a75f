"""Where a store is: when nobody says so, the one that a process serves, and what others are told of it."""

import os
from pathlib import Path

from ..domain.errors import ConfigError
from ..domain.paths import path_of
from ..domain.processes import host

RUNS_IN = "metaspo_store"
"""The key of a checkpoint's metadata that says which store its run is in, where the checkpoint is not in that itself."""

_served: Path | None = None


def default_store() -> str:
    """The store that is used where none is named: the environment variable METASPO_STORE, or metaspo.db right here."""
    return os.environ.get("METASPO_STORE") or "metaspo.db"


def serve_only(path: Path) -> None:
    """Say that this process keeps the history of its threads in one store, as the Agent Server does."""
    global _served
    _served = path


def serves() -> bool:
    """Whether this process works for others, with one store, which is there before they come."""
    return _served is not None


def told(path: str | Path) -> str:
    """A store's path as errors name it: clients of a server learn the file's name, and not the folders that it lies in."""
    return path_of(path).name if serves() else str(path)


def whereabouts(path: str | Path) -> str:
    """Which store and which machine, without its folders: what a thread that clients may read can say of its store."""
    return f"{path_of(path).name} on {host()}"


def refuse_elsewhere(path: str | Path) -> None:
    """Raise ConfigError where a run would be kept in another file than the history of its thread."""
    if _served is not None and path_of(path).absolute() != _served:
        raise ConfigError(
            f"this server keeps its runs in {told(_served)}; leave 'store' out of the context, or start a server for the other "
            f"file: metaspo studio --store {path}"
        )
