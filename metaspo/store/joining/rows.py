"""What belongs to runs alone: their rows, and the batches that they wait for."""

from collections.abc import Sequence

from sqlite_utils import Database

from .chosen import BLOBS, OF_RUNS, insert

STATES = ("sending", "waiting", "ended")


def join_runs(db: Database) -> None:
    """Take over the runs that are `coming`, with all that is theirs."""
    insert(db, "runs", "WHERE f.id IN (SELECT id FROM temp.coming)")
    its = "(SELECT new FROM temp.own o WHERE o.run = f.run AND o.old = f.evaluation)"
    known = "(SELECT new FROM temp.scored WHERE old = f.evaluation)"
    named = {"evaluation": f"coalesce({its}, {known}, f.evaluation)"}
    for table in OF_RUNS:
        insert(db, table, "WHERE f.run IN (SELECT id FROM temp.coming)", named if table == "run_evaluations" else None)


def remove_runs(db: Database, runs: Sequence[str], threads: Sequence[str]) -> None:
    """Take runs out of an open store, with the checkpoints of their threads. What they asked and scored stays: it is paid."""
    for run in runs:
        for table in OF_RUNS:
            db.execute(f"DELETE FROM main.{table} WHERE run = ?", [run])
        db.execute("DELETE FROM main.runs WHERE id = ?", [run])
    if db.execute("SELECT count(*) FROM main.sqlite_master WHERE name IN ('checkpoints', 'writes')").fetchone()[0] == 2:
        for thread in threads:
            db.execute("DELETE FROM main.writes WHERE thread_id = ?", [thread])
            db.execute("DELETE FROM main.checkpoints WHERE thread_id = ?", [thread])
    for thread in threads:
        db.execute(f"DELETE FROM main.{BLOBS} WHERE thread_id = ?", [thread])


def join_batches(db: Database) -> None:
    """Take over batches; one that both have is where it came furthest, so that what it brings is paid once."""
    further = "SELECT f.id FROM from_batches f JOIN main.batches m ON m.id = f.id WHERE " + " < ".join(
        f"instr('{' '.join(STATES)}', {of}.state)" for of in ("m", "f")
    )
    for (id,) in db.execute(further).fetchall():
        db.execute("DELETE FROM main.batch_requests WHERE batch = ?", [id])
        db.execute("DELETE FROM main.batches WHERE id = ?", [id])
    new = "NOT IN (SELECT id FROM temp.batches_here)"
    db.execute("DROP TABLE IF EXISTS temp.batches_here")
    db.execute("CREATE TEMP TABLE batches_here AS SELECT id FROM main.batches")
    insert(db, "batches", f"WHERE f.id {new}")
    insert(db, "batch_requests", f"WHERE f.batch {new}")
