"""Files of every past schema are opened, migrated and read. schemas/mNNN.sql is a dump made when mNNN was the newest."""

import sqlite3
from pathlib import Path

import pytest

from metaspo.reports.report import open_report
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
