"""One SQLite file: opened, checked, migrated, and used from one thread."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from sqlite_utils import Database
from tenacity import retry, retry_if_exception, stop_after_delay, wait_fixed

from ..compat import migration_names
from ..domain.calls import Reply
from ..domain.errors import StoreError
from ..domain.paths import path_of
from . import batches, calls, claims
from .batcher import Batcher
from .files import identity, is_writable, readable, refuse_path, refuse_unwritable
from .location import default_store as default_store
from .location import told
from .schema import APPLICATION_ID, migrations
from .transactions import writing

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 30.0
"""Seconds to wait for a file that another process is writing to."""


def now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def connect(path: Path, *, create: bool) -> Database:
    """Open and migrate a store file; refuse what is not one of ours.

    Raises StoreError: no such file (with `create=False`), not SQLite, somebody else's SQLite file,
    written by a newer metaspo, truncated, read-only or on a full disk.
    """
    refuse_path(path, create=create)
    refuse_unwritable(path)
    fresh = not path.exists() or path.stat().st_size == 0
    with closed_on_error(path) as opened:
        db = opened(str(path))
        if not fresh:
            check(db, path)
        _prepare(db)
        return db


def connect_to_read(path: Path, address: str) -> Database:
    """Open a store file that can't be written to, at the address where it can be read; refuses what `connect` does.

    A file of an earlier schema stays as it is: what is read is a copy in memory that is migrated.
    """
    with closed_on_error(path) as opened:
        db = opened(address)
        check(db, path)
        if migrations.pending(db):
            copy = opened(":memory:")
            db.conn.backup(copy.conn)
            db.close()
            migrations.apply(copy)
            return copy
        return db


@contextmanager
def closed_on_error(path: Path) -> Iterator[Callable[[str], Database]]:
    """Opens databases, which are closed again if anything fails; what SQLite says is explained."""
    databases: list[Database] = []

    def opened(address: str) -> Database:
        # Only what begins with "file:" is one, also among files that are attached later.
        databases.append(
            Database(sqlite3.connect(address, uri=True, check_same_thread=False, timeout=PATIENCE, isolation_level=None))
        )
        return databases[-1]

    try:
        yield opened
    except (sqlite3.Error, StoreError) as error:
        for database in databases:
            database.close()
        if isinstance(error, sqlite3.Error):
            raise explain(error, path) from error
        raise


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


# Turning write-ahead logging on does not wait for other connections by itself.
@retry(retry=retry_if_exception(_is_locked), wait=wait_fixed(0.05), stop=stop_after_delay(PATIENCE), reraise=True)
def _prepare(db: Database) -> None:
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    if not migrations.pending(db):
        return
    # One process migrates, all at once or not at all; whoever waited finds nothing left to do.
    with writing(db):
        migrations.apply(db)
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")


def check(db: Database, path: Path) -> None:
    """Raise StoreError where an open file is none of ours, truncated, or of a newer version."""
    try:
        # The tables first: another process may make them just now, together with the mark.
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = db.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        # Only ever read through SQLite: closing a plain file handle would drop the locks that other connections
        # of this process hold on it, and another process would take the write-ahead log away from under them.
        raise StoreError(f"{told(path)} is not a SQLite file; it was left as it is. Name another file with --store") from None
    if application != APPLICATION_ID and tables:
        raise StoreError(
            f"{told(path)} is a SQLite file of another program; it was left as it is. Name another file with --store"
        )
    pages, size = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    log = path.with_name(path.name + "-wal")
    if path.stat().st_size < pages * size and not (log.exists() and log.stat().st_size):
        raise StoreError(f"{told(path)} is truncated: {path.stat().st_size} of {pages * size} bytes; restore it from a copy")
    known = set(migration_names(migrations))
    newer = {migration.name for migration in migrations.applied(db)} - known
    if newer:
        raise StoreError(f"{told(path)} was written by a newer metaspo ({', '.join(sorted(newer))}); upgrade metaspo")


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """The error for people behind an error of SQLite."""
    said = str(error)
    advice = {
        "full": "the disk is full: make room, then 'metaspo resume'; what was recorded is safe",
        "readonly": "the file is read-only: make it writable or name another with --store",
        "unable to open": "the folder does not exist or is not writable",
        "malformed": "the file is damaged: restore it from a copy",
        "not a database": "the file is damaged or not ours: restore it from a copy",
        "I/O error": "the disk failed: check it, then 'metaspo resume'; what was recorded is safe",
        "locked": "another program holds the file locked: close it and try again",
    }
    for mark, words in advice.items():
        if mark in said:
            return StoreError(f"{told(path)}: {words} (SQLite: {said})")
    return StoreError(f"{told(path)}: SQLite failed: {said}")


class Store:
    """The open file. Async code goes through one thread of its own, so the event loop never waits on the disk."""

    def __init__(self, path: str | Path, *, create: bool = True, writes: bool = True, migrates: bool = True) -> None:
        """Open `path`, creating and migrating as needed; see `connect` for what is refused.

        For whoever never `writes`, a file that can't be written to is good enough; without `migrates` every file is
        left as it is, also one of an earlier version.
        """
        self.path = path_of(path)
        self._file: tuple[int, int] | None = None
        self._closing = contextlib.ExitStack()
        refuse_path(self.path, create=create)
        if writes or (migrates and (not self.path.exists() or is_writable(self.path))):
            self.db = connect(self.path, create=create)
            self._file = identity(self.path)
        else:
            self.db = connect_to_read(self.path, self._closing.enter_context(readable(self.path)))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="metaspo-store")
        self._reads: Batcher[str, Reply | None] = Batcher(lambda keys: self.run(calls.find, keys))
        self._held: Batcher[str, str | None] = Batcher(lambda keys: self.run(batches.holding, keys))
        self.holder = claims.Holder()
        self._writes: Batcher[calls.Call | claims.Claim | claims.Release, Reply | bool] = Batcher(
            lambda items: self.run(claims.write, self.holder, items)
        )

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Run `work(db, *args)` on the store's thread; raises StoreError where the file is not the one any more."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work, *args)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def _work(self, work: Callable[..., T], *args: object) -> T:
        self.refuse_lost()
        return work(self.db, *args)

    def refuse_lost(self) -> None:
        """Raise StoreError where the file was taken away or replaced since it was opened: what SQLite writes would be lost."""
        if self._file is not None and identity(self.path) != self._file:
            raise StoreError(
                f"{told(self.path)} is not the store any more that was opened here: it was deleted, moved or replaced, or its "
                "volume is gone; put it back and start again; what it held is neither changed nor begun anew"
            )

    async def find_call(self, key: str) -> Reply | None:
        """The recorded reply to a call, or None; concurrent look-ups share one query."""
        return await self._reads.submit(key)

    async def batch_of(self, key: str) -> str | None:
        """The batch, by our id, that holds a call and has not ended; concurrent look-ups share one query."""
        return await self._held.submit(key)

    async def record_call(self, call: calls.Call) -> Reply:
        """Record a call; returns when it is in the file, with the reply that stands. Concurrent ones share a transaction."""
        return cast(Reply, await self._writes.submit(call))

    async def claim_call(self, key: str) -> bool:
        """Claim a call, so that nobody else asks it now; False when somebody else has claimed it."""
        return bool(await self._writes.submit(claims.Claim(key)))

    async def release_call(self, key: str) -> None:
        """Give up a claim, for whoever waits."""
        await self._writes.submit(claims.Release(key))

    async def sign_of_life(self) -> None:
        """Show others that the claims of this store are alive."""
        await self.run(self.holder.beat)

    async def unclaimed(self, keys: Sequence[str]) -> list[str]:
        """Those of some calls that no other process asks any more."""
        return await self.run(claims.free, self.holder, keys)

    def close(self) -> None:
        """Finish what is being written, give up what is claimed and close the file."""
        self._thread.shutdown(wait=True)
        with contextlib.suppress(sqlite3.Error):
            self.holder.leave(self.db)
        self.db.close()
        self._closing.close()


@contextmanager
def open_store(path: str | Path, *, create: bool = False, migrates: bool = True) -> Iterator[Store]:
    """A store for as long as it takes to read from it; raises StoreError where there is none, unless it may be created."""
    store = Store(path, create=create, writes=False, migrates=migrates)
    try:
        yield store
    finally:
        store.close()
