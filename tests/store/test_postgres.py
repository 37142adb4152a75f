"""Checkpoints in a real PostgreSQL, started here from the distribution's package."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError, MissingExtraError, StoreError
from metaspo.reports.history import history
from metaspo.store.checkpoints import ELSEWHERE, open_checkpointer

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")


def _program(name: str) -> str:
    found = [shutil.which(name), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True))]
    if not any(found):
        pytest.skip("needs PostgreSQL's server programs: apt-get install postgresql, or your system's package")
    return next(path for path in found if path)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server with an empty database, as an ordinary user where the tests are run by root."""
    folder, initdb, server = Path(tempfile.mkdtemp(prefix="pg")), _program("initdb"), _program("postgres")
    who: dict[str, Any] = {"user": "nobody", "cwd": folder} if os.getuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [initdb, "--pgdata", str(folder / "data"), "--username", "metaspo", "--auth", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(command, check=True, **quiet, **who)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [server, "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"]
    running = subprocess.Popen(command, **quiet, **who)
    address = f"postgresql://metaspo:hidden-word@127.0.0.1:{port}/postgres"
    for _ in range(200):
        try:
            psycopg.connect(address).close()
            break
        except psycopg.OperationalError:
            assert running.poll() is None, "PostgreSQL did not start"
            subprocess.run(["sleep", "0.05"], check=True)
    yield address
    running.terminate()
    running.wait()
    shutil.rmtree(folder)


@pytest.fixture
def elsewhere(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database of its own with nothing in it, named in the environment."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS fresh")
        connection.execute("CREATE DATABASE fresh")
    address = postgres.removesuffix("postgres") + "fresh"
    monkeypatch.setenv(ELSEWHERE, address)
    return address


SIZES: dict[str, Any] = {
    "base": "scripted:tests.helpers.scripts:uneven", "optimizer": "scripted:tests.helpers.scripts:uneven", "preset": "quick", "method": "metaspo", "iterations": 1,
    "system_candidates": 3, "test_size": 8,
}  # fmt: skip


def _checkpoints(address: str) -> dict[str, int]:
    with psycopg.connect(address) as connection:
        return dict(connection.execute("SELECT thread_id, count(*) FROM checkpoints GROUP BY 1").fetchall())


def test_a_run_stops_resumes_and_ends_as_on_sqlite(
    make_task: Callable[..., Task], elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_store: Any
) -> None:
    settings: dict[str, Any] = {"tasks": [make_task("a"), make_task("b")], **SIZES}
    store = tmp_path / "metaspo.db"
    stopped = metaspo.optimize(**settings, store=store, budget={"calls": 60})
    assert stopped.stopped is not None
    before = _checkpoints(elsewhere)[stopped.run]
    done = metaspo.resume(store=store, budget={})
    assert done.stopped is None and done.run == stopped.run
    assert _checkpoints(elsewhere)[done.run] > before > 0
    tables = {row["name"] for row in open_store().db.query("SELECT name FROM sqlite_master")}
    assert "calls" in tables and "checkpoints" not in tables
    assert [row["checkpoint"] is not None for row in history(store)] == [True] * len(done.report.rounds)
    assert b"hidden-word" not in store.read_bytes()

    monkeypatch.delenv(ELSEWHERE)
    here = metaspo.optimize(**settings, store=tmp_path / "here.db")
    assert here.system_prompt == done.system_prompt and here.user_prompts == done.user_prompts
    assert here.report.tasks == done.report.tasks
    assert here.report.usage.calls == done.report.usage.calls


def test_a_run_goes_on_without_its_checkpoints(
    make_task: Callable[..., Task], elsewhere: str, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger alone is enough: the database may be lost, or simply not be named."""
    stopped = metaspo.optimize(tasks=[make_task("a")], **SIZES, store=store_path, budget={"calls": 60})
    monkeypatch.delenv(ELSEWHERE)
    done = metaspo.resume(store=store_path, budget={})
    assert done.stopped is None and done.report.usage.total_calls > stopped.report.usage.total_calls == 60
    assert done.report.rounds[-1].round == 3


async def test_many_runs_at_once_on_a_database_without_tables(
    make_task: Callable[..., Task], elsewhere: str, tmp_path: Path
) -> None:
    def run(number: int) -> metaspo.Result:
        return metaspo.optimize(tasks=[make_task("a")], **SIZES, store=tmp_path / f"{number}.db")

    results = await asyncio.gather(*(asyncio.to_thread(run, number) for number in range(4)))
    assert {result.report.run.status for result in results} == {"done"}
    assert _checkpoints(elsewhere).keys() == {result.run for result in results}


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("postgresql://me:hidden-word@127.0.0.1:1/x", StoreError, "see that it runs and can be reached"),
        ("postgresql://me:hidden-word@[::1/x", ConfigError, "cannot read"),
        ("mysql://me:hidden-word@127.0.0.1/x", ConfigError, "write postgresql://user:password@host"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_without_its_password(
    make_task: Callable[..., Task], store_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, kind: type, said: str
) -> None:
    monkeypatch.setenv(ELSEWHERE, address)
    with pytest.raises(kind, match=said) as raised:
        metaspo.optimize(tasks=[make_task("a")], **SIZES, store=store_path)
    assert ELSEWHERE in str(raised.value) and "hidden-word" not in str(raised.value)


async def test_without_the_extra(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ELSEWHERE, "postgresql://127.0.0.1/x")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"metaspo\[postgres\]"):
        async with open_checkpointer(store_path):
            pass
