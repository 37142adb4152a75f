"""Files that are joined: of any age, on any disk, by whoever made them, and killed in the middle."""

import hashlib
import random
import shutil
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from metaspo import merge, move
from metaspo.domain.errors import RunHeldError, StoreError
from metaspo.reports.report import open_report
from metaspo.store import leases
from metaspo.store.database import Store, now, open_store
from metaspo.store.joining.join import Joined, join
from metaspo.store.runs import all_runs

from ...helpers import forked
from ...helpers.kept_run import write_run

DUMPS = sorted((Path(__file__).parents[1] / "schemas").glob("*.sql"))


def written(path: Path, *runs: str) -> Path:
    store = Store(path)
    for run in runs:
        write_run(store, run)
    store.close()
    return path


def runs_of(path: Path) -> list[str]:
    with open_store(path) as store:
        return [run.id for run in all_runs(store.db)]


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def change(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


@pytest.mark.long
@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_a_file_of_a_past_schema_is_joined_and_stays_as_it_is(dump: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    db = sqlite3.connect(old)
    db.executescript(dump.read_text(encoding="utf-8"))
    db.close()
    change(old, "CREATE TRIGGER mine AFTER UPDATE ON calls BEGIN DELETE FROM runs; END", "CREATE VIEW v AS SELECT * FROM calls")
    before = content(old)
    for count in (1, 0):
        assert len(merge(new, old).joined.runs) == count
    assert content(old) == before
    assert open_report(new).run.status == "done" and open_report(new).usage.total_calls > 0


@pytest.mark.parametrize("name", ["we'ird ?#%20.db", 'quo"te.db', "file:x.db"])
def test_paths_may_be_called_whatever_they_are(name: str, tmp_path: Path) -> None:
    one, other = written(tmp_path / name, "one"), written(tmp_path / f"in {name}", "two")
    assert merge(one, other).joined.runs == ["two"] and runs_of(one) == ["one", "two"]


def test_what_is_no_store_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    good, bad, into = written(tmp_path / "good.db", "one"), tmp_path / "bad.db", tmp_path / "into.db"

    def refused(says: str) -> None:
        for froms in ((bad,), (good, bad)):
            with pytest.raises(StoreError, match=says):
                merge(into, *froms)
            assert not into.exists()

    refused("no such store")
    bad.write_text("hello " * 1000, encoding="utf-8")
    refused("not a SQLite file")
    bad.unlink()
    change(bad, "CREATE TABLE calls (key TEXT)")
    refused("another program")
    shutil.copy(good, bad)
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    refused("truncated|damaged")
    shutil.copy(good, bad)
    change(bad, "INSERT INTO _sqlite_migrations VALUES (99, 'metaspo', 'm999_later', 'now')")
    refused("newer metaspo")
    shutil.copy(good, bad)
    change(bad, "ALTER TABLE calls RENAME TO c", "CREATE VIEW calls AS SELECT * FROM c")
    refused("its calls is no table")
    shutil.copy(good, bad)
    change(
        bad,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = 99999 WHERE name = 'prompts'",
    )
    refused("damaged")


def test_nothing_of_a_files_own_schema_runs(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one.db", "one"), written(tmp_path / "other.db", "two")
    change(
        other,
        "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM runs; END",
        "CREATE VIEW from_runs AS SELECT 'not this' AS id",
        "CREATE TABLE coming (id TEXT)",
    )
    assert merge(one, other).joined.runs == ["two"] and runs_of(one) == ["one", "two"]


def test_a_file_is_not_joined_into_itself(tmp_path: Path) -> None:
    one = written(tmp_path / "a.db", "one")
    (tmp_path / "link.db").symlink_to(one)
    (tmp_path / "hard.db").hardlink_to(one)
    for name in ("a.db", "link.db", "hard.db"):
        for froms in ([tmp_path / name], [written(tmp_path / "b.db"), tmp_path / name]):
            with pytest.raises(StoreError, match="same file"):
                merge(one, *froms)


@pytest.mark.parametrize(
    ("table", "change_it"),
    [
        ("prompt", "UPDATE prompts SET text = text || ' '"),
        ("example", "UPDATE examples SET question = 'another'"),
        ("example", "DELETE FROM examples WHERE id LIKE '% 1'"),
        ("task", "UPDATE tasks SET spec = json_set(spec, '$.metric.kind', 'f1')"),
        ("image", "UPDATE images SET content = x'00'"),
    ],
)
def test_what_is_damaged_is_refused_with_the_file(table: str, change_it: str, tmp_path: Path) -> None:
    one = written(tmp_path / "one.db", "one")
    sha = hashlib.sha256(b"picture").hexdigest()
    change(one, f"INSERT INTO images VALUES ('{sha}', 'image/png', CAST('picture' AS BLOB))")
    shutil.copy(one, tmp_path / "two.db")
    written(tmp_path / "two.db", "two")
    change(tmp_path / "two.db", change_it)
    for into, origin in ((one, tmp_path / "two.db"), (tmp_path / "two.db", one)):
        before = runs_of(into)
        with pytest.raises(StoreError, match=table):
            merge(into, origin)
        assert runs_of(into) == before


def test_a_run_that_somebody_works_on_is_refused(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one.db", "one"), written(tmp_path / "other.db", "two")
    store = Store(other)
    lease = leases.acquire(store.db, "two", now())
    for froms in ((other,), (written(tmp_path / "third.db", "three"), other)):
        with pytest.raises(RunHeldError, match=r"two is being worked on by process .* in "):
            merge(one, *froms)
    leases.release(store.db, lease)
    assert merge(one, other).joined.runs == ["two"]
    # What somebody writes meanwhile is no harm.
    assert not store.db.conn.in_transaction
    store.close()


def test_a_file_on_a_disk_that_is_only_read(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    other, one = written(folder / "other.db", "two"), written(tmp_path / "one.db", "one")
    other.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert merge(one, other).joined.runs == ["two"]
        assert [path.name for path in folder.iterdir()] == ["other.db"]
    finally:
        folder.chmod(0o700)


@pytest.mark.long
def test_more_files_than_sqlite_takes_at_once(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{at}.db", f"run {at}") for at in range(13)]
    assert merge(tmp_path / "all.db", *files).joined.runs == [f"run {at}" for at in range(13)]


def test_a_new_store_that_another_process_has_open_stays_where_joining_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into, junk, opened = tmp_path / "all.db", tmp_path / "junk.db", list[Store]()
    junk.write_text("no store")

    def fails(db: Database, origin: Path, **settings: Any) -> Joined:
        opened.append(Store(into))
        return join(db, origin, **settings)

    monkeypatch.setattr("metaspo.runs.merge.join", fails)
    with pytest.raises(StoreError, match="not a SQLite file"):
        merge(into, junk)
    assert join(opened[0].db, written(tmp_path / "one.db", "one")).runs == ["one"]
    opened[0].close()
    assert runs_of(into) == ["one"]


def test_all_runs_of_a_thread_move_together(tmp_path: Path) -> None:
    here, there = written(tmp_path / "here.db", "one", "two", "three"), tmp_path / "there.db"
    change(here, "UPDATE runs SET thread = 'one' WHERE id = 'two'")
    for name, origin, target in (("two", here, there), ("one", there, here)):
        move(name, to=target, store=origin)
        assert {"one", "two"} <= {*runs_of(target)} and not {"one", "two"} & {*runs_of(origin)}


def test_lost_calls_and_parents_that_are_nowhere_are_told(tmp_path: Path) -> None:
    one, other = written(tmp_path / "one.db", "one"), written(tmp_path / "other.db", "two")
    change(other, "DELETE FROM calls WHERE rowid < 4", "UPDATE runs SET parent = 'nobody'")
    done = merge(one, other)
    assert done.joined.lost == 3 and done.joined.orphans == {"two": "nobody"}
    assert any("3 calls had been lost" in line for line in done.says) and any("nobody" in line for line in done.says)


KILLED = """
import sys
from metaspo.store.database import Store
from metaspo.store.joining.join import join
from pathlib import Path
store = Store(sys.argv[1])
print("begins", flush=True)
join(store.db, Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_killed_at_any_moment_it_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    other = written(tmp_path / "other.db", *(f"run {at}" for at in range(60)))
    one, chance = tmp_path / "one.db", random.Random(1)
    ended: set[int] = set()
    for _ in range(40):
        written(one, "one")
        process = forked.Popen([sys.executable, "-c", KILLED, str(one), str(other)], stdout=forked.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "begins\n"
        time.sleep(chance.random() * 1.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found = len(runs_of(one))
        assert found in (1, 61)
        ended.add(found)
        merge(one, other)
        assert len(runs_of(one)) == 61
        for file in tmp_path.glob("one.db*"):
            file.unlink()
    assert 1 in ended
