"""The file behind a store: what a path may name, and how a file is read that can't be written to."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ..domain.errors import StoreError
from .location import told


def refuse_path(path: Path, *, create: bool) -> None:
    """Raise StoreError where no store can be: a folder, a device, a missing folder, or no file and none may be created."""
    other = "or name another file with --store"
    try:
        if path.is_dir():
            raise StoreError(f"{told(path)} is a folder; name a file in it, such as --store {told(path / 'metaspo.db')}")
        if path.exists() and not path.is_file():
            raise StoreError(f"{told(path)} is no file that a store could be in; name another with --store")
        if not create and not (path.exists() and path.stat().st_size):
            raise StoreError(f"{told(path)}: no such store; start a run with 'metaspo optimize' {other}")
        if not path.parent.is_dir():
            raise StoreError(f"{told(path)}: the folder does not exist: create {told(path.parent)}, {other}")
        if path.exists() and not os.access(path, os.R_OK):
            raise StoreError(f"{told(path)}: you may not read this file; ask for the right to, {other}")
    except (OSError, ValueError) as error:
        raise StoreError(f"{told(path)}: {getattr(error, 'strerror', None) or error}; name another file with --store") from None


def refuse_unwritable(path: Path) -> None:
    """Raise StoreError where nothing can be written, neither to a file nor to the folder of one that is to be created."""
    if path.exists() and not os.access(path, os.W_OK):
        raise StoreError(f"{told(path)}: the file is not writable (read-only): make it writable, or name another with --store")
    if not os.access(path.parent, os.W_OK):
        raise StoreError(
            f"{told(path)}: its folder is not writable (read-only): make it writable, or name another file with --store"
        )


def identity(path: Path) -> tuple[int, int] | None:
    """Which file it is, whatever it is called; None where there is none, or nothing in it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


def is_alone(connection: sqlite3.Connection) -> bool:
    """Whether nobody else has the file of a connection open; from then on it has no log any more, unless the disk is full."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        # What is in the log is brought in only where nobody else is.
        return "locked" not in str(error)
    return True


def is_writable(path: Path) -> bool:
    """Whether SQLite could write to a file that is there: to it, and beside it, where its log stands."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


@contextmanager
def readable(path: Path) -> Iterator[str]:
    """The address (a URI for SQLite) of a file that is only read, for as long as it is read there; nothing beside it changes.

    SQLite reads the log of a file that somebody writes to, if it may. Where no log is, nobody writes.
    A log that was left behind where nothing can be created is read in a copy of both.
    """
    address, log = path.absolute().as_uri(), path.with_name(f"{path.name}-wal")
    if not log.exists():
        yield f"{address}?mode=ro&immutable=1"
    elif _opens(f"{address}?mode=ro"):
        yield f"{address}?mode=ro"
    else:
        with tempfile.TemporaryDirectory(prefix="metaspo-") as folder:
            for source in (path, log):
                shutil.copyfile(source, Path(folder) / source.name)
            yield (Path(folder) / path.name).as_uri()


def _opens(address: str) -> bool:
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return False
    return True
