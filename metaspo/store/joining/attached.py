"""Other stores' files beside an open one: only read, whoever made them, and left as they are."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from ...domain.errors import StoreError
from ..database import check, closed_on_error, explain
from ..files import readable, refuse_path
from ..schema import migrations

MIGRATIONS = "_sqlite_migrations"


@contextmanager
def attached(db: Database, origin: Path, name: str) -> Iterator[Callable[[], None]]:
    """Have the tables of a store file under a name beside those of `db`; nothing of the file's own schema ever runs.

    A file of an earlier schema is read in a copy that is migrated. Gives what raises StoreError where somebody has written to
    the file since, to be called before what was read is kept. Raises StoreError for what is none of ours, truncated,
    of a newer version, damaged, or the file of `db` itself.
    """
    refuse_path(origin, create=False)
    refuse_same(db, origin)
    before = _stamp(origin)
    with ExitStack() as stack:
        address = stack.enter_context(readable(origin))
        followed = "immutable" not in address
        if _is_old(origin, address):
            address = stack.enter_context(_migrated(origin, address))

        def unchanged() -> None:
            if not followed and _stamp(origin) != before:
                raise StoreError(f"{origin} was written to while it was read; try again when nobody works on it")

        # Functions that a schema names are not called on behalf of a file that somebody else may have made.
        db.execute("PRAGMA trusted_schema = OFF")
        try:
            db.execute(f"ATTACH DATABASE ? AS {name}", [address])
        except sqlite3.Error as error:
            raise explain(error, origin) from error
        try:
            _refuse_foreign_tables(db, origin, name)
            yield unchanged
        except sqlite3.Error as error:
            raise explain(error, _guilty(db, origin, name, error)) from error
        finally:
            db.execute(f"DETACH DATABASE {name}")


def _guilty(db: Database, origin: Path, name: str, error: sqlite3.Error) -> Path:
    """The file that an error is about: of two open ones SQLite does not say which."""
    if isinstance(error, sqlite3.IntegrityError):
        return origin
    try:
        return origin if db.execute(f"PRAGMA {name}.quick_check(1)").fetchone() != ("ok",) else file_of(db)
    except sqlite3.Error:
        return origin


def file_of(db: Database) -> Path:
    """The file of an open database."""
    return Path(next(path for _, name, path in db.execute("PRAGMA database_list") if name == "main"))


def refuse_same(db: Database, origin: Path) -> None:
    """Raise StoreError where a file is that of `db`, under whatever name."""
    if os.path.samefile(file_of(db), origin):
        raise StoreError(f"{origin} and {file_of(db)} are the same file; name two")


def _stamp(path: Path) -> tuple[int, ...]:
    there, log = path.stat(), path.with_name(f"{path.name}-wal")
    return there.st_mtime_ns, there.st_size, log.stat().st_size if log.exists() else 0


def _is_old(path: Path, address: str) -> bool:
    with closed_on_error(path) as opened, closing(opened(address)) as db:
        check(db, path)
        _refuse_foreign_tables(db, path, "main")
        return bool(migrations.pending(db))


@contextmanager
def _migrated(path: Path, address: str) -> Iterator[str]:
    """The address of a copy of a file, migrated; its own triggers and views have no part in that."""
    with tempfile.TemporaryDirectory(prefix="metaspo-") as folder:
        file = Path(folder) / "copy.db"
        with closed_on_error(path) as opened, closing(opened(address)) as source, closing(opened(str(file))) as copy:
            source.conn.backup(copy.conn)
            copy.execute("PRAGMA trusted_schema = OFF")
            named = "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
            for kind, name in copy.execute(named).fetchall():
                copy.execute(f'DROP {kind} IF EXISTS "{name.replace(chr(34), chr(34) * 2)}"')
            migrations.apply(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        yield f"{file.as_uri()}?mode=ro&immutable=1"


def _refuse_foreign_tables(db: Database, path: Path, name: str) -> None:
    """Raise StoreError where something else stands under the name of a table that we read."""
    from .chosen import ALL

    marks = ", ".join("?" * (len(ALL) + 1))
    asked = f"SELECT name FROM {name}.sqlite_master WHERE name IN ({marks}) AND (type <> 'table' OR sql LIKE 'create virtual%')"
    with closed_on_error(path):
        odd = db.execute(asked, [*ALL, MIGRATIONS]).fetchone()
        hidden = (
            odd
            or db.execute(
                f"SELECT m.name FROM {name}.sqlite_master m JOIN pragma_table_xinfo(m.name, ?) c"
                f" WHERE m.name IN ({marks}) AND c.hidden <> 0",
                [name, *ALL, MIGRATIONS],
            ).fetchone()
        )
    if hidden:
        raise StoreError(f"{path}: its {hidden[0]} is no table of a store; the file is damaged or not ours")
