"""Files of every past schema are opened, migrated and read. schemas/mNNN.sql is a dump made when mNNN was the newest."""

import json
import sqlite3
from pathlib import Path

import pytest

from metaspo.reports.report import open_report
from metaspo.store import calls, runs
from metaspo.store.database import Store
from metaspo.store.schema import migrations

DUMPS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


def test_there_is_a_dump_of_every_schema_that_was_published() -> None:
    newest = migrations._migrations[-1].name.split("_")[0]
    assert DUMPS[-1].stem == newest, f"add tests/store/schemas/{newest}.sql"


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_a_file_of_a_past_schema_is_migrated_and_read(dump: Path, store_path: Path) -> None:
    db = sqlite3.connect(store_path)
    db.executescript(dump.read_text(encoding="utf-8"))
    db.close()
    store = Store(store_path)
    assert not migrations.pending(store.db)
    store.close()
    report = open_report(store_path)
    assert report.run.status == "done" and report.rounds[-1].level == "test"
    assert report.tasks[0].examples == 4 and report.usage.total_calls > 0
    assert report.system_after and report.user_after["parity"]


def test_costs_of_0_that_nobody_knew_become_unknown(store_path: Path) -> None:
    """A price of 0 meant none; what was told, what is free, and what has no tokens stays."""
    db = sqlite3.connect(store_path)
    db.executescript((Path(__file__).parent / "schemas" / "m006.sql").read_text(encoding="utf-8"))
    db.execute("DELETE FROM calls")
    made = [
        ("told", "server:m", 10, 0.25), ("unpriced", "server:m", 10, 0.0), ("own", "vllm:m", 10, 0.0),
        ("refused", "server:m", 0, 0.0), ("free", "local:smollm2", 10, 0.0), ("script", "scripted:a.b:c", 10, 0.0),
    ]  # fmt: skip
    values = "?, 'r', 'base', ?, '{}', 'yes', 'stop', ?, 0, 0.1, ?, 'now', 0"
    db.executemany(f"INSERT INTO calls VALUES ({values})", made)
    for name, prices in (("none", [0.0, 0.0]), ("some", [0.0, 2.0])):
        spec = {"provider": "server", "name": "m", "input_price": prices[0], "output_price": prices[1]}
        config = json.dumps({"context": {"base": spec, "optimizer": spec}})
        db.execute("INSERT INTO runs VALUES (?, NULL, NULL, 'm', ?, 'done', NULL, 'now', 'now', 0, '0')", [name, config])
    before = db.execute("SELECT key, rowid FROM calls").fetchall()
    db.commit()
    db.close()
    store = Store(store_path)
    found = {key: cost for key, cost in store.db.execute("SELECT key, cost FROM calls")}
    assert found == {"told": 0.25, "unpriced": None, "own": None, "refused": 0.0, "free": 0.0, "script": 0.0}
    assert store.db.execute("SELECT key, rowid FROM calls").fetchall() == before
    usage = calls.usage(store.db, "r")
    assert (usage.cost, usage.unpriced, usage.cached_tokens, usage.total_calls) == (0.25, 2, 0, 6)
    specs = [runs.find(store.db, name).config["context"][role] for name in ("none", "some") for role in ("base", "optimizer")]
    assert [(spec["input_price"], spec["output_price"]) for spec in specs] == [(None, None)] * 2 + [(0.0, 2.0)] * 2
    store.close()
