"""Evaluations set apart for as long as somebody may put them right: what is changed is a copy, and the file stays as it is."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlite_utils import Database

ABOUT_PAIRS = (
    "task IN (SELECT task FROM run_tasks WHERE run = ?1) AND system IN (SELECT value FROM json_each(?2))"
    ' AND "user" IN (SELECT value FROM json_each(?2))'
)
"""Evaluations on a run's tasks of pairs of its own prompts, whose ids are a list in JSON; others' share tasks, not prompts."""


@contextmanager
def set_apart(db: Database, run: str | None, used: Sequence[str]) -> Iterator[None]:
    """Have the tables `evaluations` and `outcomes` be copies of a run's rows, or of all where `run` is None.

    `used` are the ids of the run's prompts. All that is read meanwhile is of one state of the file; in the end the copies
    are gone.
    """
    own = f"id IN (SELECT evaluation FROM run_evaluations WHERE run = ?1) OR ({ABOUT_PAIRS})" if run else "?1 IS NULL OR ?2"
    db.execute("BEGIN")
    try:
        db.execute(
            f"CREATE TEMP TABLE evaluations AS SELECT * FROM main.evaluations WHERE {own} ORDER BY rowid",
            [run, json.dumps(used)],
        )
        db.execute("CREATE UNIQUE INDEX temp.evaluations_by_id ON evaluations(id)")
        db.execute(
            "CREATE TEMP TABLE outcomes AS SELECT o.* FROM temp.evaluations e JOIN main.outcomes o ON o.evaluation = e.id"
        )
        db.execute("CREATE UNIQUE INDEX temp.outcomes_by_place ON outcomes(evaluation, position)")
        yield
    finally:
        db.execute("ROLLBACK")
