"""Evaluations of two stores: the same outcomes are one; where a store was told otherwise, each run keeps what it saw.

What is here keeps its id. Of another one of that id each run that relied on it has its own, under the id and the run's,
which is where a run looks first.
"""

from sqlite_utils import Database

from ...domain.several import combination
from .chosen import insert

SAID = "example, answer, score, failed, explanation".split(", ")

PARTS = (
    "SELECT f.id AS whole, j.value AS part FROM from_evaluations f, json_tree(f.model) j"
    " WHERE f.model LIKE '{%' AND json_valid(f.model) AND j.type = 'text' AND j.key = 1"
)
"""Which evaluations those on several models are made of."""


def compare_scores(db: Database) -> int:
    """Fill `scored`, which says what is known here, and `clash`, of which there is another one; how many are known."""
    for name, sql in {
        "clash": "(old TEXT PRIMARY KEY) WITHOUT ROWID",
        "scored": "(old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID",
        "own": "(run TEXT, old TEXT, new TEXT, PRIMARY KEY (run, old)) WITHOUT ROWID",
        "both": "(old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID",
    }.items():
        db.execute(f"DROP TABLE IF EXISTS temp.{name}")
        db.execute(f"CREATE TEMP TABLE {name} {sql}")
    db.execute("INSERT INTO temp.both SELECT f.id, m.id FROM from_evaluations f JOIN main.evaluations m ON m.id = f.id")
    # A run's own one may be everybody's here, where that run was the first.
    db.execute(
        "INSERT OR IGNORE INTO temp.both SELECT f.id, m.id FROM from_evaluations f"
        " JOIN main.evaluations m ON m.id = substr(f.id, 1, instr(f.id, '/') - 1) WHERE instr(f.id, '/')"
    )
    differ = " OR ".join(f"m.{name} IS NOT f.{name}" for name in SAID)
    db.execute(
        "INSERT OR IGNORE INTO temp.clash SELECT b.old FROM temp.both b JOIN from_outcomes f ON f.evaluation = b.old"
        " LEFT JOIN temp.spoken s ON s.old = f.call"
        " LEFT JOIN main.outcomes m ON m.evaluation = b.new AND m.position = f.position"
        f" WHERE {differ} OR m.call IS NOT coalesce(s.new, f.call)"
    )
    db.execute(
        "INSERT OR IGNORE INTO temp.clash SELECT b.old FROM temp.both b JOIN from_evaluations f ON f.id = b.old"
        " JOIN main.evaluations m ON m.id = b.new WHERE m.size <> f.size"
    )
    db.execute(f"INSERT OR IGNORE INTO temp.clash SELECT whole FROM ({PARTS}) WHERE part IN (SELECT old FROM temp.clash)")
    # What is one run's is the same wherever that run is; another one's of that id only looked like it.
    db.execute("DELETE FROM temp.both WHERE old IN (SELECT old FROM temp.clash) AND (old <> new OR NOT instr(old, '/'))")
    db.execute("INSERT INTO temp.scored SELECT old, new FROM temp.both")
    db.execute("DELETE FROM temp.clash WHERE instr(old, '/')")
    return int(db.execute("SELECT count(*) FROM temp.scored").fetchone()[0])


def claim_own(db: Database) -> None:
    """Fill `own`: which runs of the file relied on what it says otherwise, and what that is called here."""
    if not db.execute("SELECT 1 FROM temp.clash LIMIT 1").fetchone():
        return
    claimed = (
        "INSERT OR IGNORE INTO temp.own SELECT run, id, id || '/' || run FROM ({}) WHERE id IN (SELECT old FROM temp.clash)"
    )
    relied = "SELECT run, evaluation AS id FROM from_run_evaluations"
    db.execute(claimed.format(relied))
    db.execute(
        claimed.format(f"SELECT r.run, p.part AS id FROM from_run_evaluations r JOIN ({PARTS}) p ON p.whole = r.evaluation")
    )
    had = (
        "(SELECT prompt FROM from_candidates WHERE run = t.run UNION SELECT system FROM from_standing WHERE run = t.run"
        ' UNION SELECT "user" FROM from_standing WHERE run = t.run)'
    )
    db.execute(
        claimed.format(
            "SELECT t.run, e.id FROM from_evaluations e JOIN from_run_tasks t ON t.task = e.task"
            " WHERE e.id IN (SELECT old FROM temp.clash) AND e.id NOT IN (SELECT old FROM temp.own)"
            f' AND e.system IN {had} AND e."user" IN {had}'
            # Where a run has one of its own, it has not looked at the other.
            " AND NOT EXISTS (SELECT 1 FROM from_evaluations o WHERE o.id = e.id || '/' || t.run)"
        )
    )


def claim(db: Database, run: str, id: str) -> str:
    """What an evaluation of the file is called here, for a run that is at work with it."""
    found = db.execute("SELECT new FROM temp.scored WHERE old = ?", [id]).fetchone()
    if found:
        return str(found[0])
    if not db.execute("SELECT 1 FROM temp.clash WHERE old = ?", [id]).fetchone():
        return id
    parts = db.execute(f"SELECT part FROM ({PARTS}) WHERE whole = ? AND part IN (SELECT old FROM temp.clash)", [id]).fetchall()
    for (one,) in [(id,), *parts]:
        db.execute("INSERT OR IGNORE INTO temp.own VALUES (?, ?, ?)", [run, one, f"{one}/{run}"])
    return f"{id}/{run}"


def join_scores(db: Database) -> int:
    """Take over the evaluations that are not here, and what runs have of their own; how many there were."""
    call = {"call": "coalesce((SELECT new FROM temp.spoken WHERE old = f.call), f.call)"}
    new = "NOT IN (SELECT old FROM temp.scored UNION ALL SELECT old FROM temp.clash)"
    made = insert(db, "evaluations", f"WHERE f.id {new}")
    insert(db, "outcomes", f"WHERE f.evaluation {new}", call)
    fresh = "o.new NOT IN (SELECT id FROM main.evaluations)"
    db.execute("DROP TABLE IF EXISTS temp.fresh")
    db.execute(f"CREATE TEMP TABLE fresh AS SELECT run, old, new FROM temp.own o WHERE {fresh}")
    own = "from_{0} f JOIN temp.fresh o ON o.old = f.{1}"
    made += insert(db, "evaluations", "", {"id": "o.new"}, source=own.format("evaluations", "id"))
    insert(db, "outcomes", "", {"evaluation": "o.new", **call}, source=own.format("outcomes", "evaluation"))
    _name_parts(db)
    return made


def _name_parts(db: Database) -> None:
    """Have evaluations on several models name their parts as these are called here."""
    several = (
        "SELECT o.run, o.new, f.model FROM temp.fresh o JOIN from_evaluations f ON f.id = o.old WHERE f.model LIKE '{%'"
        " UNION ALL SELECT '', f.id, f.model FROM from_evaluations f WHERE f.model LIKE '{%'"
        " AND f.id NOT IN (SELECT old FROM temp.scored UNION ALL SELECT old FROM temp.clash)"
    )
    for run, id, model in db.execute(several).fetchall():
        made_of = combination(model)
        assert made_of is not None
        named = [(name, _called(db, run, part)) for name, part in made_of.parts]
        told = str(type(made_of)(made_of.counting, tuple(named)))
        if told != model:
            db.execute("UPDATE main.evaluations SET model = ? WHERE id = ?", [told, id])


def _called(db: Database, run: str, id: str) -> str:
    asked = "SELECT new FROM temp.own WHERE run = ?1 AND old = ?2 UNION ALL SELECT new FROM temp.scored WHERE old = ?2"
    found = db.execute(asked, [run, id]).fetchone()
    return str(found[0]) if found else id
