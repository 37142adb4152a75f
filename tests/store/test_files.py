"""What a store's path may name, and a store that can't be written to: on a real disk or in a folder that is read-only."""

import gzip
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import metaspo
from metaspo.cli.main import main
from metaspo.domain.errors import StoreError
from metaspo.store.database import Store, open_store

from ..helpers import commands, forked
from .test_disk import mount

FIRST = Path(__file__).resolve().parents[1] / "runs" / "stores" / "first.db.gz"
"""A store of the first version, with runs of every status."""

READING = [
    ("runs", "--json"),
    ("show", "--json"),
    ("history",),
    ("export",),
    ("diff", "last"),
    ("show",),
    ("runs",),
    ("watch",),
]


def run(*lines: Sequence[str], store: Path, cwd: Path) -> list[commands.Done]:
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return commands.run(*([*words, "--store", str(store)] for words in lines), cwd=cwd, powerless=root)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A store with one finished run."""
    path = tmp_path_factory.mktemp("done") / "metaspo.db"
    rows = [{"question": f"Is {i} even?", "answer": "no" if i % 2 else "yes"} for i in range(24)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    task = {"name": "even", "examples": rows, "user_prompt": "Yes or no?\n{question}", "reader": reader}
    metaspo.optimize(
        tasks=[task], base="scripted:dice", optimizer="scripted:dice", preset="quick", store=path, train_size=8, test_size=8
    )
    return path


def mode(path: Path) -> None:
    path.chmod(0o444)


def folder(path: Path) -> None:
    path.parent.chmod(0o555)


def both(path: Path) -> None:
    mode(path)
    folder(path)


def disk(path: Path) -> None:
    if not mount("--bind", str(path.parent), str(path.parent)):
        pytest.skip("mounting is not allowed here")
    assert mount("-o", "remount,ro,bind", str(path.parent))


def left_behind(path: Path) -> None:
    """By a process that was killed; without the index of its log, which nobody can make anew here."""
    words = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('UPDATE runs SET reason = ''left in the log''');"
        " c.commit(); os.kill(os.getpid(), 9)"
    ).replace("''", '"')
    assert forked.run([sys.executable, "-c", words, str(path)], check=False).returncode == -signal.SIGKILL
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size > 0
    path.with_name(path.name + "-shm").unlink()
    both(path)
    log.chmod(0o444)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    there = tmp_path / "a place with #1 and ?"
    there.mkdir()
    yield there
    forked.run(["umount", str(there)], check=False, capture_output=True)
    there.chmod(0o755)


@pytest.mark.long
@pytest.mark.parametrize("protect", [mode, folder, both, disk, left_behind])
def test_a_read_only_store_is_shown_and_left_as_it_is(
    protect: Callable[[Path], None], done: Path, place: Path, tmp_path: Path
) -> None:
    if sys.platform != "linux" and os.name == "posix" and os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    path = place / "metaspo.db"
    shutil.copyfile(done, path)
    protect(path)
    before = {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in place.iterdir()}
    dice = ("--base", "scripted:dice", "--optimizer", "scripted:dice")
    writing = (("resume",), ("branch",), ("optimize", "--task", "parity", *dice))
    lines = [*READING, *writing] if protect is both else [*READING[:3], writing[0]]
    ended = dict(zip(lines, run(*lines, store=path, cwd=tmp_path), strict=True))
    for words, shown in ended.items():
        if words in writing:
            continue
        assert shown.returncode == 0 and shown.stdout and "Traceback" not in shown.stderr, (words, shown.stderr)
        if words == ("show", "--json"):
            assert ("left in the log" in shown.stdout) == (protect is left_behind)
    for words in writing if protect is both else writing[:1]:
        refused = ended[words]
        assert refused.returncode == 2 and "not writable (read-only)" in refused.stderr, (words, refused.stderr)
        assert refused.stderr.count("error: ") == 1 and refused.stderr.splitlines()[-1].startswith("error: ")
    assert {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in place.iterdir()} == before


@pytest.mark.long
def test_a_read_only_store_of_an_earlier_schema_is_shown_without_being_migrated(place: Path, tmp_path: Path) -> None:
    path = place / "metaspo.db"
    path.write_bytes(gzip.decompress(FIRST.read_bytes()))
    before = path.read_bytes()
    both(path)
    for shown in run(*READING[:3], store=path, cwd=tmp_path):
        assert shown.returncode == 0 and "Traceback" not in shown.stderr, shown
    assert path.read_bytes() == before and [one.name for one in place.iterdir()] == ["metaspo.db"]


def test_a_store_that_somebody_works_on_is_read_where_one_may_not_write(
    open_store_at: Any, place: Path, tmp_path: Path
) -> None:
    path = place / "metaspo.db"
    writer = open_store_at(path)
    writer.db.execute(
        "INSERT INTO runs (id, config, status, created, updated, version) VALUES ('fresh', '{}', 'done', 'now', 'now', '1')"
    )
    both(path)
    [shown] = run(("runs", "--json"), store=path, cwd=tmp_path)
    assert '"fresh"' in shown.stdout, shown.stderr


@pytest.fixture
def open_store_at() -> Iterator[Callable[[Path], Store]]:
    opened: list[Store] = []

    def open_it(path: Path) -> Store:
        opened.append(Store(path))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_text(path: Path) -> Path:
    path.write_text("hello world, this is a text")
    return path


def in_no_folder(path: Path) -> Path:
    return path / "no" / "m.db"


def below_a_file(path: Path) -> Path:
    return a_text(path) / "m.db"


def a_pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def of_a_newer_version(path: Path) -> Path:
    store = Store(path)
    store.db["_sqlite_migrations"].insert({"migration_set": "metaspo", "name": "m999_future", "applied_at": "later"})
    store.close()
    return path


def of_another_program(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    return path


def too_long(path: Path) -> Path:
    return path.with_name("x" * 300)


NO_STORES: list[tuple[Callable[[Path], Path], str]] = [
    (a_folder, "is a folder; name a file in it"), (a_text, "is not a SQLite file"), (in_no_folder, "the folder does not exist"),
    (below_a_file, "the folder does not exist"), (a_pipe, "is no file"), (of_a_newer_version, "newer metaspo"),
    (of_another_program, "of another program"), (too_long, "File name too long"),
]  # fmt: skip


@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize(("make", "says"), NO_STORES)
def test_what_can_be_no_store_is_said_in_one_sentence(
    make: Callable[[Path], Path], says: str, writes: bool, tmp_path: Path
) -> None:
    path = make(tmp_path / "m.db")
    with pytest.raises(StoreError) as caught:
        if writes:
            Store(path)
        else:
            with open_store(path, create=True):
                pass
    assert says in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("words", [("show",), ("resume",), ("runs",)])
def test_a_folder_in_the_place_of_a_store_is_one_line(words: tuple[str, ...], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*words, "--store", str(tmp_path)])
    assert done.exit_code == 2 and done.stderr.startswith("error: ") and len(done.stderr.splitlines()) == 1
    assert "is a folder" in done.stderr


def test_the_home_folder_s_short_name_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Store("~/m.db").close()
    assert (tmp_path / "m.db").exists()
