"""What is taken from a file: all of it, or what some of its runs need. Temporary views name it, one a table."""

from collections.abc import Sequence

from sqlite_utils import Database

CONTENT = ("prompts", "tasks", "examples", "images")
"""Tables of what is addressed by its content and never changes."""

OF_RUNS = ("rounds", "candidates", "standing", "run_evaluations", "run_tasks", "dealt", "answers", "events")
"""Tables of what became of a run."""

OF_THREADS = ("checkpoints", "writes")
"""LangGraph's tables."""

BLOBS = "checkpoint_blobs"
"""Large values of the states in `checkpoints`."""

TAKEN = (*CONTENT, "calls", "evaluations", "outcomes", "batches", "batch_requests", "runs", *OF_RUNS)
ALL = (*TAKEN, *OF_THREADS, BLOBS, "leases")

CHECKPOINTS = ("thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id", "type", "checkpoint", "metadata")
WRITES = ("thread_id", "checkpoint_ns", "checkpoint_id", "task_id", "task_path", "idx", "channel", "type", "value")

WITHOUT_ROWID = ("outcomes", "run_evaluations", "dealt")

HERE, THERE = "main", "origin"
"""The schemas of the store that takes and of the file that is taken from."""


def columns(db: Database, table: str, schema: str = HERE) -> list[str]:
    """The columns of a table, ready for SQL."""
    return [f'"{row[1]}"' for row in db.execute(f'PRAGMA {schema}.table_info("{table}")')]


def has_threads(db: Database, schema: str) -> bool:
    """Whether a file holds checkpoints."""
    asked = f"SELECT count(*) FROM {schema}.sqlite_master WHERE type = 'table' AND name IN ('checkpoints', 'writes')"
    return bool(db.execute(asked).fetchone()[0] == 2)


def name_all(db: Database, where: dict[str, str] | None = None) -> None:
    """Make the views `from_TABLE`, with `nth` as the order in which rows were recorded; `where` says which rows of a table."""
    for table in TAKEN:
        nth = "0" if table in WITHOUT_ROWID else "rowid"
        which = f" WHERE {where[table]}" if where and table in where else ""
        db.execute(f"DROP VIEW IF EXISTS temp.from_{table}")
        db.execute(
            f"CREATE TEMP VIEW from_{table} AS SELECT {nth} AS nth, {', '.join(columns(db, table))} FROM {THERE}.{table}{which}"
        )
    for table, named in (("checkpoints", CHECKPOINTS), ("writes", WRITES)):
        db.execute(f"DROP VIEW IF EXISTS temp.from_{table}")
        has = {name.strip('"') for name in columns(db, table, THERE)} if has_threads(db, THERE) else set[str]()
        given = ", ".join(name if name in has else f"'' AS {name}" for name in named)
        source = f"SELECT rowid AS nth, {given} FROM {THERE}.{table}" if has else f"SELECT 0 AS nth, {given} WHERE 0"
        threads = f" WHERE thread_id IN {where['threads']}" if has and where else ""
        db.execute(f"CREATE TEMP VIEW from_{table} AS {source}{threads}")
    threads = f" WHERE thread_id IN {where['threads']}" if where else ""
    db.execute(f"DROP VIEW IF EXISTS temp.from_{BLOBS}")
    db.execute(f"CREATE TEMP VIEW from_{BLOBS} AS SELECT rowid AS nth, * FROM {THERE}.{BLOBS}{threads}")


def insert(db: Database, table: str, which: str = "", values: dict[str, str] | None = None, *, source: str = "") -> int:
    """Insert rows of `from_TABLE f` in their order, without gaps; `values` says what stands for a column."""
    names = columns(db, table)
    given = ", ".join((values or {}).get(name.strip('"'), f"f.{name}") for name in names)
    order = "" if table in WITHOUT_ROWID else " ORDER BY f.nth"
    rows = db.execute(
        f"INSERT INTO {HERE}.{table} ({', '.join(names)}) SELECT {given} FROM {source or f'from_{table} f'} {which}{order}"
    )
    return rows.rowcount


def list_of(db: Database, name: str, rows: Sequence[str]) -> None:
    """Make a temporary table of that name with one column `id`."""
    db.execute(f"DROP TABLE IF EXISTS temp.{name}")
    db.execute(f"CREATE TEMP TABLE {name} (id TEXT PRIMARY KEY) WITHOUT ROWID")
    db.conn.executemany(f"INSERT OR IGNORE INTO temp.{name} VALUES (?)", [(row,) for row in rows])


def forget(db: Database) -> None:
    """Drop what was made to join a file: an open store may stay open for long."""
    for kind, name in db.execute("SELECT type, name FROM sqlite_temp_master WHERE type IN ('view', 'table')").fetchall():
        db.execute(f"DROP {kind} temp.{name}")
