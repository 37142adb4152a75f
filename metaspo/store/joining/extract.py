"""One run put into a store file of its own, or into another one, with all that it needs there."""

import json
from collections.abc import Container, Sequence
from pathlib import Path

from sqlite_utils import Database

from ..database import Store
from ..runs import placebo_id
from ..transactions import writing
from .attached import attached
from .chosen import OF_RUNS, THERE, list_of, name_all
from .join import Joined, join_named
from .scores import PARTS
from .threads import prepare_threads


def extract(origin: Path, run: str, target: Path, *, with_calls: bool = True, further: Container[str] = ()) -> Joined:
    """Put a run with all that it needs into a store file, which is made if it is missing.

    With it go its placebo, the runs of its thread and copies of those that it descends from; of one that is not done also
    whatever it could find answered here when it goes on. Without calls the file is for a store that has them already.
    Whoever works on the run may do this; it is what stands there at this moment.
    """
    store = Store(target)
    try:
        prepare_threads(store.db)
        # What is in the file when this returns may be deleted elsewhere: it has to outlive a power cut.
        store.db.execute("PRAGMA synchronous = FULL")
        with attached(store.db, origin, THERE) as unchanged, writing(store.db):
            name_all(store.db)
            own = own_runs(store.db, run)
            before = ancestors(store.db, own)
            choose(store.db, own, before, with_calls=with_calls)
            done = join_named(store.db, origin, further, before)
            unchanged()
        return done
    finally:
        store.close()


def own_runs(db: Database, run: str, table: str = "from_runs") -> list[str]:
    """A run with those of its thread, their placebos, and the runs of those threads."""
    found = [run]
    for one in found:
        thread = f"SELECT coalesce(thread, id) FROM {table} WHERE id = ?"
        there = f"SELECT id FROM {table} WHERE coalesce(thread, id) = ({thread}) OR id = ? ORDER BY created"
        found += [id for (id,) in db.execute(there, [one, placebo_id(one)]) if id not in found]
    return found


def descendants(db: Database, own: Sequence[str]) -> list[str]:
    """The runs of an open store, beside these, that descend from one of these."""
    found = []
    for run, parent, config in db.execute("SELECT id, parent, config FROM runs ORDER BY created"):
        before = {parent, *json.loads(config).get("problem", {}).get("made_by", [])}
        if run not in own and before & {*own}:
            found.append(run)
    return found


def ancestors(db: Database, runs: list[str]) -> list[str]:
    """The runs of the file that some of its runs descend from, with those of their threads."""
    found = [*runs]
    before = (
        "SELECT parent FROM from_runs WHERE id = ?1 UNION SELECT j.value FROM from_runs f,"
        " json_each(f.config, '$.problem.made_by') j WHERE f.id = ?1"
    )
    for one in found:
        for (parent,) in db.execute(before, [one]).fetchall():
            if parent and db.execute("SELECT 1 FROM from_runs WHERE id = ?", [parent]).fetchone():
                thread = "(SELECT coalesce(thread, id) FROM from_runs WHERE id = ?)"
                there = db.execute(f"SELECT id FROM from_runs WHERE coalesce(thread, id) = {thread} ORDER BY nth", [parent])
                found += [id for (id,) in there if id not in found]
    return found[len(runs) :]


def choose(db: Database, own: Sequence[str], before: Sequence[str], *, with_calls: bool) -> None:
    """Have the views name what some runs need, and those `before` them."""
    list_of(db, "taken_runs", [*own, *before])
    list_of(db, "taken_open", own)
    db.execute("DELETE FROM temp.taken_open WHERE id IN (SELECT id FROM from_runs WHERE status = 'done')")
    for name, *queries in NEEDED:
        list_of(db, f"taken_{name}", ())
        for sql in queries:
            if with_calls or name != "calls":
                db.execute(f"INSERT OR IGNORE INTO temp.taken_{name} {sql}")
    name_all(db, NAMED)


ITS = "run IN (SELECT id FROM temp.taken_runs)"
OPEN = "run IN (SELECT id FROM temp.taken_open)"
KEPT = "evaluation IN (SELECT id FROM temp.taken_scores)"

FINDS = "(NOT instr({0}, '/') OR substr({0}, instr({0}, '/') + 1) IN (SELECT id FROM temp.taken_runs))"
"""What is another run's own is never found by this one."""

MODELS = (
    f"SELECT model FROM from_calls WHERE {OPEN} UNION"
    " SELECT json_extract(t.value, '$.provider') || ':' || json_extract(t.value, '$.name')"
    " FROM from_runs r, json_tree(r.config, '$.context') t"
    " WHERE r.id IN (SELECT id FROM temp.taken_open) AND t.type = 'object' AND json_extract(t.value, '$.provider') IS NOT NULL"
)
"""The models that runs which are not done ask."""

IMAGES = (
    "SELECT substr(j.value, 8) FROM from_examples e, json_tree(e.messages) j WHERE e.task IN (SELECT id FROM temp.taken_tasks)"
    " AND e.messages LIKE '%sha256:%' AND j.type = 'text' AND j.value LIKE 'sha256:%'"
)

NEEDED: tuple[tuple[str, ...], ...] = (
    (
        "pairs",
        *(
            f"SELECT run || {prompt} FROM from_{table} WHERE {ITS} AND {prompt} IS NOT NULL"
            for table, prompt in (
                ("candidates", "prompt"),
                ("candidates", "parent"),
                ("standing", "system"),
                ("standing", '"user"'),
                ("rounds", "system"),
            )
        ),
    ),
    (
        "scores",
        f"SELECT evaluation FROM from_run_evaluations WHERE {ITS}",
        f"SELECT id FROM from_evaluations WHERE task IN (SELECT task FROM from_run_tasks WHERE {OPEN})"
        f" AND {FINDS.format('id')}",
        # Those that a decision looked at are on prompts of the run.
        "SELECT e.id FROM from_run_tasks t JOIN from_evaluations e ON e.task = t.task"
        f" WHERE t.{ITS} AND {FINDS.format('e.id')} AND t.run || e.system IN (SELECT id FROM temp.taken_pairs)"
        ' AND t.run || e."user" IN (SELECT id FROM temp.taken_pairs)',
        f"SELECT part FROM ({PARTS}) WHERE whole IN (SELECT id FROM temp.taken_scores)",
    ),
    (
        "tasks",
        f"SELECT task FROM from_run_tasks WHERE {ITS} UNION SELECT task FROM from_dealt WHERE {ITS}"
        " UNION SELECT task FROM from_evaluations WHERE id IN (SELECT id FROM temp.taken_scores)",
    ),
    (
        "calls",
        f"SELECT key FROM from_calls WHERE {ITS} UNION SELECT call FROM from_outcomes WHERE {KEPT}",
        # Which of a judge's calls an outcome rests on is known by what it was asked.
        "SELECT key FROM from_calls WHERE role = 'judge' AND EXISTS (SELECT 1 FROM from_tasks"
        " WHERE metric = 'judge' AND id IN (SELECT id FROM temp.taken_tasks))",
        f"SELECT key FROM from_calls WHERE model IN ({MODELS}) AND {FINDS.format('key')}",
        # What the others were told, where a run has heard something else, so that nobody asks again.
        "SELECT substr(id, 1, instr(id, '/') - 1) FROM temp.taken_calls WHERE instr(id, '/')",
    ),
    (
        "prompts",
        "SELECT substr(p.id, length(r.id) + 1) FROM temp.taken_pairs p"
        " JOIN temp.taken_runs r ON substr(p.id, 1, length(r.id)) = r.id",
        # What was proposed and is not decided yet only stands in the checkpoints.
        "SELECT id FROM from_prompts WHERE EXISTS (SELECT 1 FROM temp.taken_open)",
        "SELECT system FROM from_evaluations WHERE id IN (SELECT id FROM temp.taken_scores)",
        'SELECT "user" FROM from_evaluations WHERE id IN (SELECT id FROM temp.taken_scores)',
    ),
    ("images", IMAGES),
    (
        "batches",
        f"SELECT batch FROM from_batch_requests WHERE {ITS}",
        "SELECT id FROM from_batches WHERE state <> 'ended' AND EXISTS (SELECT 1 FROM temp.taken_open)",
    ),
)
"""What some runs need, kind after kind."""

NAMED = {
    "runs": "id IN (SELECT id FROM temp.taken_runs)",
    "calls": "key IN (SELECT id FROM temp.taken_calls)",
    "evaluations": "id IN (SELECT id FROM temp.taken_scores)",
    "outcomes": KEPT,
    "tasks": "id IN (SELECT id FROM temp.taken_tasks)",
    "examples": "task IN (SELECT id FROM temp.taken_tasks)",
    "prompts": "id IN (SELECT id FROM temp.taken_prompts)",
    "images": "hash IN (SELECT id FROM temp.taken_images)",
    "batches": "id IN (SELECT id FROM temp.taken_batches)",
    "batch_requests": "batch IN (SELECT id FROM temp.taken_batches)",
    "threads": "(SELECT coalesce(thread, id) FROM origin.runs WHERE id IN (SELECT id FROM temp.taken_runs))",
    **dict.fromkeys(OF_RUNS, ITS),
}
"""Which rows of each table these are."""
