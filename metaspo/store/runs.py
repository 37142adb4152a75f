"""The `runs` table."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Literal

from sqlite_utils import Database

from ..domain.errors import StoreError
from .database import now

COLUMNS = "id, parent, parent_round, method, config, status, reason, created, updated, seconds, version, thread"

PLACEBO = "placebo:"
"""What the method of a run begins with that is another run's control, made when that one is done."""

Status = Literal["running", "waiting", "done", "stopped"]
"""How a run stands; one that waits does so for a person."""


@dataclass(frozen=True, slots=True)
class Run:
    """One optimization: its settings without secrets, where it stands and the seconds it has worked.

    `parent` is the run that it goes on from, by what stood there after `parent_round`; where that is None, by its settings,
    or with the prompts that it ended with on the data of today (`from_run`).
    `reason` says why it stopped, or what it waits for. `thread` is the thread whose checkpoints it is in, None where
    that has the run's own id: the first run of a thread has.
    """

    id: str
    parent: str | None
    parent_round: int | None
    method: str
    config: dict[str, Any] = field(repr=False)
    status: Status
    reason: str | None
    created: str
    updated: str
    seconds: float
    version: str
    thread: str | None = None

    @property
    def thread_id(self) -> str:
        """The thread whose checkpoints the run is in."""
        return self.thread or self.id


def id_in_thread(thread: str, checkpoint: str) -> str:
    """The id of a further run of a thread: made from the checkpoint that it begins at, so that it is found again."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{thread}@{checkpoint}"))


def placebo_id(run: str) -> str:
    """The id of the run that is a run's placebo: made from its own, so that there is one and it is found again."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{run}/placebo"))


def create(db: Database, run: Run) -> None:
    """Record a new run; a run that is known already keeps its parent, thread, creation time and seconds."""
    db.execute(
        f"INSERT INTO runs ({COLUMNS}) VALUES ({', '.join('?' * 12)})"
        " ON CONFLICT (id) DO UPDATE SET method = excluded.method, config = excluded.config,"
        " status = excluded.status, updated = excluded.updated, version = excluded.version,"
        # What ended a search stays told when somebody looks at the run again.
        " reason = CASE status WHEN 'done' THEN reason ELSE excluded.reason END",
        [
            run.id, run.parent, run.parent_round, run.method, json.dumps(run.config, ensure_ascii=False),
            run.status, run.reason, run.created, run.updated, run.seconds, run.version, run.thread,
        ],
    )  # fmt: skip


def given_in(db: Database, names: Sequence[str]) -> list[dict[str, Any]]:
    """What runs were given that are called so, or are in a thread that is."""
    marks = ", ".join("?" * len(names))
    rows = db.execute(f"SELECT config FROM runs WHERE id IN ({marks}) OR thread IN ({marks})", [*names, *names])
    return [json.loads(row[0])["problem"] for row in rows]


def save_left_out(db: Database, id: str, model: str, names: list[str]) -> None:
    """Record what the requests of a run to a model go without, since its endpoint has refused it."""
    patch = json.dumps({"left_out": {model: names}}, ensure_ascii=False)
    db.execute("UPDATE runs SET config = json_patch(config, ?) WHERE id = ?", [patch, id])


def save_adaptation(db: Database, ids: Sequence[str], told: dict[str, Any]) -> None:
    """Record with the searches of an adaptation what they are together."""
    patch = json.dumps({"adaptation": told}, ensure_ascii=False)
    marks = ", ".join("?" * len(ids))
    db.execute(f"UPDATE runs SET config = json_patch(config, ?) WHERE id IN ({marks})", [patch, *ids])


def mark(db: Database, id: str, status: Status, reason: str | None) -> None:
    """Record how a run stands, and why."""
    db.execute("UPDATE runs SET status = ?, reason = ?, updated = ? WHERE id = ?", [status, reason, now(), id])


def leave(db: Database, id: str, status: Status, reason: str | None, seconds: float) -> None:
    """Record that nobody works on a run any more, after `seconds` more; one that was not running keeps its status."""
    db.execute(
        "UPDATE runs SET updated = ?, seconds = seconds + ?,"
        " reason = CASE status WHEN 'running' THEN coalesce(?, reason) ELSE reason END,"
        " status = CASE status WHEN 'running' THEN ? ELSE status END WHERE id = ?",
        [now(), seconds, reason, status, id],
    )


def threads(db: Database) -> dict[str, Run]:
    """The threads that runs are in, oldest first, each with its newest run."""
    return {run.thread_id: run for run in map(_run, db.execute(f"SELECT {COLUMNS} FROM runs ORDER BY created, rowid"))}


def in_thread(db: Database, thread: str) -> list[Run]:
    """The runs of a thread, oldest first."""
    found = f"SELECT {COLUMNS} FROM runs WHERE id = ? AND thread IS NULL OR thread = ? ORDER BY created, rowid"
    return [_run(row) for row in db.execute(found, [thread, thread])]


def before(db: Database, id: str, thread: str, origin: str = "", shown: str = "") -> Run | None:
    """The run of that id, or else what its work goes on from: the one that it is a fork of, or the newest of its thread.

    A thread that has none is a copy, if it shows a run: then that one.
    """
    return known(db, id) or known(db, origin) or next(reversed(in_thread(db, thread)), None) or known(db, shown)


def known(db: Database, id: str) -> Run | None:
    """The run of exactly that id, or None."""
    row = db.execute(f"SELECT {COLUMNS} FROM runs WHERE id = ?", [id]).fetchone()
    return _run(row) if row else None


def stands(db: Database, id: str) -> tuple[Status, str | None] | None:
    """How a run stands, and why; None where it is not there. Cheap to ask, unlike all that a run was given."""
    row = db.execute("SELECT status, reason FROM runs WHERE id = ?", [id]).fetchone()
    return (row[0], row[1]) if row else None


def newest(db: Database, among: Sequence[str]) -> str | None:
    """The newest of some runs that are at work, None where none is."""
    asked = f"SELECT id FROM runs WHERE status = 'running' AND id IN ({', '.join('?' * len(among))})"
    row = db.execute(f"{asked} ORDER BY created DESC, rowid DESC LIMIT 1", [*among]).fetchone()
    return str(row[0]) if row else None


def has_placebo(db: Database, id: str) -> bool:
    """Whether a run was to have a placebo."""
    row = db.execute("SELECT json_extract(config, '$.problem.placebo') FROM runs WHERE id = ?", [id]).fetchone()
    return bool(row and row[0])


def statuses(db: Database) -> dict[str, Status]:
    """How every run stands, by id. Cheap to ask, as `stands` is."""
    return dict(db.execute("SELECT id, status FROM runs").fetchall())


def all_runs(db: Database) -> list[Run]:
    """Every run, oldest first, with all that it was given."""
    return [_run(row) for row in db.execute(f"SELECT {COLUMNS} FROM runs ORDER BY created, rowid")]


def briefly(db: Database) -> list[Run]:
    """Every run, oldest first, without what it was given: that of many runs is long."""
    columns = COLUMNS.replace("config", "'{}'")
    return [_run(row) for row in db.execute(f"SELECT {columns} FROM runs ORDER BY created, rowid")]


def find(db: Database, name: str = "last") -> Run:
    """The run whose id starts with `name`; "last" is the newest that somebody started, so no placebo.

    Raises StoreError when none or several do.
    """
    if name == "last":
        asked = f"SELECT {COLUMNS} FROM runs WHERE coalesce(method, '') NOT LIKE ? ORDER BY created DESC, rowid DESC LIMIT 1"
        row = db.execute(asked, [f"{PLACEBO}%"]).fetchone()
        if row is None:
            raise StoreError("the store holds no runs yet; start one with 'metaspo optimize'")
        return _run(row)
    if whole := known(db, name):
        return whole
    pattern = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = db.execute(f"SELECT {COLUMNS} FROM runs WHERE id LIKE ? ESCAPE '\\'", [pattern]).fetchall()
    if not rows:
        raise StoreError(
            f"no run starts with {name!r} in {_file(db)}; 'metaspo runs' lists those there; if another store has it, name that "
            "with --store, or bring it with 'metaspo move' or 'metaspo merge'"
        )
    if len(rows) > 1:
        raise StoreError(f"{len(rows)} runs start with {name!r}; give more of the id")
    return _run(rows[0])


def _file(db: Database) -> str:
    """The name of a store's file, without the folders that it lies in."""
    return PurePath(db.execute("PRAGMA database_list").fetchone()[2]).name or "this store"


def _run(row: tuple[Any, ...]) -> Run:
    id, parent, parent_round, method, config, *rest = row
    return Run(id, parent, parent_round, method, json.loads(config), *rest)
