import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.calls import Reply
from metaspo.domain.errors import StoreError
from metaspo.store import leases
from metaspo.store.calls import Call
from metaspo.store.database import Store

from ..helpers import forked


def call(key: str, text: str = "yes") -> Call:
    return Call(key, "run", "base", "m", {"messages": []}, Reply(text), "2026-01-01T00:00:00+00:00")


async def test_the_first_reply_to_a_call_stands(open_store: Any) -> None:
    store = open_store()
    await store.record_call(call("k"))
    await store.record_call(call("k", "no"))
    found = await store.find_call("k")
    assert found is not None and found.text == "yes" and await store.find_call("other") is None


def test_a_file_can_be_opened_again_and_by_others(open_store: Any, store_path: Path) -> None:
    first, second = open_store(), open_store()
    assert first.db.table_names() == second.db.table_names()
    names = forked.run(
        [sys.executable, "-m", "sqlite_utils", "tables", str(store_path), "--csv"], capture_output=True, text=True, check=True
    )
    assert "outcomes" in names.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"hello world, this is a text", "not a SQLite file"), (b"SQLite format 3\0" + b"\0" * 90, "damaged|not a")],
)
def test_what_is_not_a_store_is_refused_and_left_alone(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=says):
        Store(path)
    assert path.read_bytes() == content


def test_a_truncated_store_is_refused(open_store: Any, store_path: Path) -> None:
    open_store().close()
    whole = store_path.read_bytes()
    store_path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="truncated"):
        Store(store_path)
    assert store_path.read_bytes() == whole[: len(whole) // 2]


def test_a_store_of_a_newer_version_is_refused(open_store: Any, store_path: Path) -> None:
    store = open_store()
    store.db["_sqlite_migrations"].insert({"migration_set": "metaspo", "name": "m999_future", "applied_at": "later"})
    store.close()
    with pytest.raises(StoreError, match=r"newer metaspo.*m999_future.*upgrade"):
        Store(store_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the folder does not exist"):
        Store(tmp_path / "no" / "m.db")


async def test_a_full_disk_stops_with_a_clear_message_and_a_file_that_opens(open_store: Any, store_path: Path) -> None:
    store = open_store()
    await store.record_call(call("before"))
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="disk is full: make room"):
        for number in range(200):
            await store.record_call(call(f"k{number}", "x" * 1000))
    store.close()
    again = Store(store_path)
    assert again.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert again.db.execute("SELECT count(*) FROM calls WHERE key = 'before'").fetchone()[0] == 1
    again.close()


def test_sqlite_errors_are_explained(tmp_path: Path) -> None:
    from metaspo.store.database import explain

    said = str(explain(sqlite3.OperationalError("attempt to write a readonly database"), tmp_path / "m.db"))
    assert "read-only: make it writable" in said and "m.db" in said


def test_opening_a_second_time_keeps_the_first_one_safe_from_other_processes(open_store: Any, store_path: Path) -> None:
    first = open_store()
    open_store()
    other = (
        "import sys; from metaspo.store.database import Store; s = Store(sys.argv[1]); print(s.db['leases'].count); s.close()"
    )

    def leases_seen_elsewhere() -> str:
        return forked.run([sys.executable, "-c", other, str(store_path)], capture_output=True, text=True, check=True).stdout

    assert leases_seen_elsewhere() == "0\n"
    leases.acquire(first.db, "r", "now")
    assert leases_seen_elsewhere() == "1\n"
