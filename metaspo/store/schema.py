"""The tables, as migrations that sqlite-utils applies in order and only once.

    runs ─┬─< rounds           one row a round: level, incumbent, score
          ├─< candidates ── prompts      every prompt that was proposed, with its parent and row
          ├─< standing ──── prompts      what stood after each round: the system prompt and each task's user prompts
          ├─< events         what the run told while it was at work
          ├─< run_tasks ─── tasks ─< examples
          └─< run_evaluations ── evaluations ─< outcomes ── calls

Prompts, tasks, evaluations and calls are addressed by their content, so runs share them.
A published migration is never edited; a change is a new function below the last one.
"""

import json

from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x6D73706F
"""Stored in the file's header: "mspo" in ASCII. It tells our files from other people's."""

migrations = Migrations("metaspo")


def _create(db: Database, script: str) -> None:
    # Not executescript: it commits first, and a process killed between two tables would leave one of them.
    for statement in script.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations()
def m001_runs(db: Database) -> None:
    """Runs, who is working on them, and what they went through."""
    _create(
        db,
        """
        CREATE TABLE runs (
            id TEXT PRIMARY KEY, parent TEXT REFERENCES runs(id), parent_round INTEGER,
            method TEXT, config TEXT NOT NULL, status TEXT NOT NULL, reason TEXT,
            created TEXT NOT NULL, updated TEXT NOT NULL, seconds REAL NOT NULL DEFAULT 0,
            version TEXT NOT NULL);
        CREATE TABLE leases (
            run TEXT PRIMARY KEY, holder TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL,
            since TEXT NOT NULL, beat REAL NOT NULL);
        CREATE TABLE rounds (
            run TEXT NOT NULL REFERENCES runs(id), round INTEGER NOT NULL, level TEXT NOT NULL,
            system TEXT NOT NULL REFERENCES prompts(id), score REAL NOT NULL, accepted INTEGER NOT NULL,
            dropped INTEGER NOT NULL, PRIMARY KEY (run, round));
        CREATE TABLE prompts (id TEXT PRIMARY KEY, kind TEXT NOT NULL, text TEXT NOT NULL);
        CREATE TABLE candidates (
            run TEXT NOT NULL REFERENCES runs(id), round INTEGER NOT NULL, level TEXT NOT NULL,
            task TEXT NOT NULL, position INTEGER NOT NULL, prompt TEXT REFERENCES prompts(id),
            parent TEXT REFERENCES prompts(id), status TEXT NOT NULL, reason TEXT, score REAL,
            PRIMARY KEY (run, round, level, task, position));
        CREATE TABLE standing (
            run TEXT NOT NULL REFERENCES runs(id), round INTEGER NOT NULL, task TEXT NOT NULL,
            position INTEGER NOT NULL, system TEXT NOT NULL REFERENCES prompts(id),
            user TEXT NOT NULL REFERENCES prompts(id), score REAL NOT NULL,
            PRIMARY KEY (run, round, task, position));
        CREATE VIEW winners AS
            SELECT run, task, system, user, score FROM standing
            WHERE position = 0 AND round = (SELECT max(round) FROM standing last WHERE last.run = standing.run);
        """,
    )


@migrations()
def m002_scores(db: Database) -> None:
    """Tasks, evaluations with one outcome per example, and every model call.

    Rows with long texts stay in tables with rowids: without them a kilobyte takes a page of four.
    """
    _create(
        db,
        """
        CREATE TABLE tasks (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, domain TEXT, metric TEXT NOT NULL, spec TEXT NOT NULL);
        CREATE TABLE examples (
            task TEXT NOT NULL REFERENCES tasks(id), id TEXT NOT NULL, question TEXT NOT NULL,
            answers TEXT NOT NULL, PRIMARY KEY (task, id));
        CREATE TABLE run_tasks (
            run TEXT NOT NULL REFERENCES runs(id), task TEXT NOT NULL REFERENCES tasks(id),
            name TEXT NOT NULL, role TEXT NOT NULL, train INTEGER NOT NULL, validation INTEGER NOT NULL,
            test INTEGER NOT NULL, PRIMARY KEY (run, name));
        CREATE TABLE evaluations (
            id TEXT PRIMARY KEY, task TEXT NOT NULL REFERENCES tasks(id), split TEXT NOT NULL,
            system TEXT NOT NULL REFERENCES prompts(id), user TEXT NOT NULL REFERENCES prompts(id),
            model TEXT NOT NULL, score REAL NOT NULL, size INTEGER NOT NULL, failed INTEGER NOT NULL,
            unparsed INTEGER NOT NULL, created TEXT NOT NULL);
        CREATE TABLE outcomes (
            evaluation TEXT NOT NULL REFERENCES evaluations(id), position INTEGER NOT NULL,
            example TEXT NOT NULL, call TEXT NOT NULL, answer TEXT, score REAL NOT NULL,
            failed INTEGER NOT NULL, explanation TEXT NOT NULL,
            PRIMARY KEY (evaluation, position)) WITHOUT ROWID;
        CREATE TABLE run_evaluations (
            run TEXT NOT NULL REFERENCES runs(id), round INTEGER NOT NULL,
            evaluation TEXT NOT NULL REFERENCES evaluations(id),
            PRIMARY KEY (run, round, evaluation)) WITHOUT ROWID;
        CREATE TABLE calls (
            key TEXT PRIMARY KEY, run TEXT NOT NULL, role TEXT NOT NULL, model TEXT NOT NULL,
            request TEXT NOT NULL, reply TEXT NOT NULL, finish TEXT NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, latency REAL NOT NULL,
            cost REAL NOT NULL, created TEXT NOT NULL);
        CREATE INDEX calls_by_run ON calls(run, role);
        """,
    )


@migrations()
def m003_stages(db: Database) -> None:
    """How far a candidate came in staged judging; an evaluation of a part of a split is not `whole`."""
    _create(
        db,
        """
        ALTER TABLE candidates ADD COLUMN stage TEXT;
        ALTER TABLE candidates ADD COLUMN examples INTEGER;
        ALTER TABLE candidates ADD COLUMN gain REAL;
        ALTER TABLE evaluations ADD COLUMN whole INTEGER NOT NULL DEFAULT 1;
        """,
    )


@migrations()
def m004_claims(db: Database) -> None:
    """Calls that are being asked, and the processes that ask them. `beat` counts signs of life: no clock is compared."""
    _create(
        db,
        """
        CREATE TABLE processes (
            id TEXT PRIMARY KEY, pid INTEGER NOT NULL, host TEXT NOT NULL, born TEXT NOT NULL,
            since INTEGER NOT NULL, beat INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE claims (key TEXT PRIMARY KEY, holder TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
        """,
    )


@migrations()
def m005_dealt(db: Database) -> None:
    """Which examples every run drew, and for what."""
    _create(
        db,
        """
        CREATE TABLE dealt (
            run TEXT NOT NULL REFERENCES runs(id), task TEXT NOT NULL REFERENCES tasks(id), example TEXT NOT NULL,
            split TEXT NOT NULL, PRIMARY KEY (run, task, example)) WITHOUT ROWID;
        """,
    )


@migrations()
def m006_estimates(db: Database) -> None:
    """Calls whose endpoint told no token counts: theirs are estimated."""
    _create(db, "ALTER TABLE calls ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0")


@migrations()
def m007_prices(db: Database) -> None:
    """Costs that are not known are NULL, where they were 0 like those of free models; tokens that a cache held."""
    _create(
        db,
        """
        ALTER TABLE calls ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE calls ADD COLUMN known_cost REAL;
        UPDATE calls SET known_cost = cost
            WHERE cost > 0 OR input_tokens + output_tokens = 0 OR model LIKE 'local:%' OR model LIKE 'scripted:%';
        ALTER TABLE calls DROP COLUMN cost;
        ALTER TABLE calls RENAME COLUMN known_cost TO cost
        """,
    )
    # A price of 0 stood for none, and is free now.
    for run, config in db.execute("SELECT id, config FROM runs").fetchall():
        known = json.loads(config)
        specs = [spec for name in ("base", "optimizer") if isinstance(spec := known.get("context", {}).get(name), dict)]
        unpriced = [spec for spec in specs if not (spec.get("input_price") or spec.get("output_price"))]
        for spec in unpriced:
            spec |= {"input_price": None, "output_price": None}
        if unpriced:
            db.execute("UPDATE runs SET config = ? WHERE id = ?", [json.dumps(known, ensure_ascii=False), run])


@migrations()
def m008_batches(db: Database) -> None:
    """Calls that were sent together, and what is left of them: those that a batch has not answered, or not yet."""
    _create(
        db,
        """
        CREATE TABLE batches (
            id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, model TEXT NOT NULL, holder TEXT NOT NULL, batch TEXT,
            state TEXT NOT NULL, requests INTEGER NOT NULL, created TEXT NOT NULL);
        CREATE TABLE batch_requests (
            batch TEXT NOT NULL REFERENCES batches(id), key TEXT NOT NULL, run TEXT NOT NULL, role TEXT NOT NULL,
            model TEXT NOT NULL, request TEXT NOT NULL, PRIMARY KEY (batch, key));
        CREATE INDEX batch_requests_by_key ON batch_requests(key);
        """,
    )


@migrations()
def m009_more_of_examples(db: Database) -> None:
    """Examples that are conversations, or whose metric looks at the whole row; images by hash; the steps of programs."""
    _create(
        db,
        """
        ALTER TABLE examples ADD COLUMN messages TEXT;
        ALTER TABLE examples ADD COLUMN "row" TEXT;
        ALTER TABLE calls ADD COLUMN steps TEXT NOT NULL DEFAULT '';
        CREATE TABLE images (hash TEXT PRIMARY KEY, media_type TEXT NOT NULL, content BLOB NOT NULL);
        """,
    )


@migrations()
def m010_threads_and_answers(db: Database) -> None:
    """The thread whose checkpoints a run is in, where that has not the run's id; what people answered, and what they saw."""
    _create(
        db,
        """
        ALTER TABLE runs ADD COLUMN thread TEXT;
        CREATE TABLE answers (
            run TEXT NOT NULL REFERENCES runs(id), request TEXT NOT NULL, round INTEGER NOT NULL, level TEXT NOT NULL,
            task TEXT NOT NULL, decision TEXT NOT NULL, text TEXT, person TEXT, created TEXT NOT NULL,
            shown TEXT NOT NULL, PRIMARY KEY (run, request, task));
        """,
    )


@migrations()
def m011_events(db: Database) -> None:
    """What runs told while they were at work, for whoever follows one from another process and for curves over calls."""
    _create(
        db,
        """
        CREATE TABLE events (
            run TEXT NOT NULL REFERENCES runs(id), position INTEGER NOT NULL, at REAL NOT NULL, event TEXT NOT NULL,
            PRIMARY KEY (run, position));
        """,
    )


@migrations()
def m012_large_values(db: Database) -> None:
    """Large values of threads' states, by channel and version, which every checkpoint held before."""
    _create(
        db,
        """
        CREATE TABLE checkpoint_blobs (
            thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL, channel TEXT NOT NULL, version TEXT NOT NULL,
            type TEXT NOT NULL, blob BLOB, PRIMARY KEY (thread_id, checkpoint_ns, channel, version));
        """,
    )


@migrations()
def m013_paid(db: Database) -> None:
    """What is asked of many runs is read from indexes alone: what they paid, and how they stand.

    In the rows themselves these stand behind long texts, a call's request and reply, a run's settings, all of which would
    have to be read.
    """
    _create(
        db,
        """
        DROP INDEX calls_by_run;
        CREATE INDEX calls_by_run ON calls(
            run, role, model, input_tokens, output_tokens, cost, estimated, cached_tokens);
        CREATE INDEX runs_briefly ON runs(
            id, parent, parent_round, method, status, reason, created, updated, seconds, version, thread)
        """,
    )
