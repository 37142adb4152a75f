"""Checkpoints in a real PostgreSQL, started here from the distribution's package."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.types import Command
from langgraph_sdk import get_client

import metaspo
from metaspo import Task
from metaspo.domain.errors import ConfigError, MissingExtraError, StoreError
from metaspo.reports.history import history
from metaspo.store.checkpoints import ELSEWHERE, open_checkpointer
from metaspo.store.database import Store
from metaspo.store.postgres import open_postgres

from ..helpers.agent_server import AgentServer
from ..helpers.database_server import database_server
from .test_checkpoints import of_run, walk

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgres")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with database_server() as address:
        yield address


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


def _tables(address: str) -> set[str]:
    with psycopg.connect(address) as connection:
        return {
            name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        }


@pytest.mark.long
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


@pytest.mark.long
async def test_many_runs_at_once_on_a_database_without_tables(
    make_task: Callable[..., Task], elsewhere: str, tmp_path: Path
) -> None:
    def run(number: int) -> metaspo.Result:
        return metaspo.optimize(tasks=[make_task("a")], **SIZES, store=tmp_path / f"{number}.db")

    results = await asyncio.gather(*(asyncio.to_thread(run, number) for number in range(4)))
    assert {result.report.run.status for result in results} == {"done"}
    assert _checkpoints(elsewhere).keys() == {result.run for result in results}


async def test_a_connection_that_the_database_ended_is_opened_anew(elsewhere: str, store_path: Path) -> None:
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    async with open_checkpointer(store_path) as saver:
        for number in range(3):
            await saver.aput(config, empty_checkpoint(), {"step": number}, {})
            with psycopg.connect(elsewhere, autocommit=True) as other:
                others = "pid != pg_backend_pid() AND datname = current_database()"
                ended = other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}").fetchall()
            assert ended
        assert len([row async for row in saver.alist(config)]) == 3


async def test_what_comes_after_the_end_opens_no_connection(elsewhere: str) -> None:
    """Writes of a run that was stopped may come late."""
    async with open_postgres(elsewhere, "the database") as saver:
        pass
    with pytest.raises(psycopg.OperationalError, match="closed"):
        await saver.aget_tuple({"configurable": {"thread_id": "t", "checkpoint_ns": ""}})
    with psycopg.connect(elsewhere) as connection:
        [[open_ones]] = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'fresh'").fetchall()
    assert open_ones == 1  # The one that asks.


async def test_a_database_with_checkpoints_of_another_program_is_left_alone(elsewhere: str, store_path: Path) -> None:
    with psycopg.connect(elsewhere, autocommit=True) as other:
        other.execute("CREATE TABLE checkpoints (run_id uuid)")
    with pytest.raises(ConfigError, match=f"{ELSEWHERE} names a database that another program keeps checkpoints in"):
        async with open_checkpointer(store_path):
            pass
    assert _tables(elsewhere) == {"checkpoints"}


async def test_threads_are_copied_and_server_runs_taken_back(elsewhere: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "metaspo.db")
    async with open_checkpointer(tmp_path / "metaspo.db") as saver:
        cast(Any, saver).in_store = store.run
        compiled = walk().compile(checkpointer=saver)
        await compiled.ainvoke({"been": []}, of_run("one"))
        before = await compiled.aget_state(of_run("one"))
        await saver.acopy_thread("t", "copy")
        await compiled.ainvoke(Command(resume="home"), of_run("two"))
        await saver.adelete_for_runs(["two"])
        after = await compiled.aget_state({"configurable": {"thread_id": "t"}})
        assert after.config == before.config and [one.value for one in after.interrupts] == ["where to?"]
        await saver.adelete_for_runs(["one"])
        assert _checkpoints(elsewhere).keys() == {"copy"}
        copy: Any = {"configurable": {"thread_id": "copy"}}
        assert (await compiled.ainvoke(Command(resume="away"), copy))["been"] == ["first", "away"]
    store.close()


@pytest.mark.long
async def test_a_server_opens_the_runs_whose_checkpoints_are_there(
    make_task: Callable[..., Task], elsewhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("langgraph_api", reason="needs the extra studio")
    run = await metaspo.aoptimize(tasks=[make_task("a")], **SIZES, store=tmp_path / "metaspo.db")
    with monkeypatch.context() as without:
        without.delenv(ELSEWHERE)
        here = await metaspo.aoptimize(tasks=[make_task("b")], **SIZES, store=tmp_path / "metaspo.db")
    server = AgentServer(tmp_path, "metaspo", "studio")
    try:
        async with get_client(url=server.url) as client:
            state: Any = await client.threads.get_state(run.run)
            assert state["values"]["incumbent"]["text"] == run.system_prompt and not state["next"]
            assert [thread["thread_id"] for thread in await client.threads.search()] == [run.run] != [here.run]
    finally:
        server.stop()


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
