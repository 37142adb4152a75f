"""Two servers with a store each on one PostgreSQL: a thread that comes to the wrong one is refused, and goes on at the right."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import optimize
from metaspo.domain.errors import ElsewhereError, RunHeldError, StoreError
from metaspo.runs.optimize import resume
from metaspo.store.checkpoints import ELSEWHERE
from metaspo.store.database import Store

from ..helpers.agent_server import AgentServer
from ..helpers.database_server import database_server, psycopg
from .test_threads import MODELS, PROBLEM, SLOW, closes_a_round, goes_on, left, outcome, status, task

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = PROBLEM | {"tasks": [task("ann")], "iterations": 1, "system_candidates": 2}
QUESTION: dict[str, Any] = {
    "tasks": [task("ann")], "system_prompt": "Be brief.", "preset": "quick", "sizes": {"train_size": 8, "test_size": 8},
}  # fmt: skip
FEW: dict[str, Any] = MODELS | {"budget": {"calls": 30}}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with database_server() as address:
        yield address


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("right"), "metaspo", "studio", environment={ELSEWHERE: postgres})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("wrong"), "metaspo", "studio", environment={ELSEWHERE: postgres})
    yield server
    server.stop()


@pytest.fixture
async def here(right: AgentServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=right.url) as client:
        yield client


@pytest.fixture
async def there(wrong: AgentServer) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=wrong.url) as client:
        yield client


def kept(address: str, thread: str) -> list[Any]:
    """All that is kept of a thread."""
    tables = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
    hashed = "SELECT count(*), md5(string_agg(row::text, '' ORDER BY row::text)) FROM {} row WHERE thread_id = %s"
    with psycopg.connect(address) as connection:
        return [connection.execute(hashed.format(table), [thread]).fetchone() for table in tables]


def rows(path: Path) -> list[Any]:
    store = Store(path)
    try:
        return [store.db.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("runs", "calls", "leases")]
    finally:
        store.close()


def moves(origin: Path, target: Path) -> None:
    """Take a store from one folder to another, which is made; what is there is replaced."""
    target.mkdir(exist_ok=True)
    for file in origin.glob("metaspo.db*"):
        file.replace(target / file.name)


def files(folder: Path) -> list[tuple[str, int]]:
    return [(file.name, file.stat().st_size) for file in folder.glob("metaspo.db*")]


async def known(client: LangGraphClient, thread: str, graph: str = "metaspo") -> None:
    """Have a server take a thread's id, as servers with one database of threads would."""
    await client.threads.create(thread_id=thread, if_exists="do_nothing", metadata={"graph_id": graph})


async def said(way: Callable[[], Awaitable[Any]]) -> str:
    """What a way into a thread comes to."""
    try:
        return str(await way())
    except Exception as error:
        return str((getattr(error, "response", None) and error.response.text) or error)  # type: ignore[attr-defined]


async def test_every_way_into_the_wrong_server_leaves_the_thread_as_it_was(
    here: LangGraphClient, there: LangGraphClient, right: AgentServer, wrong: AgentServer, postgres: str, tmp_path: Path
) -> None:
    whole = outcome(tmp_path / "m.db", optimize(**SMALL, **MODELS, store=tmp_path / "m.db").run)
    thread = (await here.threads.create())["thread_id"]
    assert (await goes_on(here, thread, SMALL, context=FEW))["error"] == "BudgetSpent"
    await known(there, thread)
    earlier: Any = (await here.threads.get_history(thread, limit=2))[1]["checkpoint"]
    edit = {"system_prompt": "Be kind."}

    async def copied() -> Any:
        copy: Any = await there.threads.copy(thread)
        return await goes_on(there, copy["thread_id"])

    before = kept(postgres, thread), rows(wrong.store)
    for way in (
        lambda: goes_on(there, thread),
        lambda: goes_on(there, thread, SMALL, context=MODELS),
        lambda: goes_on(there, thread, SMALL | {"seed": 9}, context=MODELS),
        lambda: goes_on(there, thread, checkpoint=earlier),
        lambda: goes_on(there, thread, command={"resume": "accept"}),
        lambda: goes_on(there, thread, command={"update": edit}),
        lambda: there.runs.wait(thread, "metaspo", input=None, raise_error=False),
        lambda: there.threads.update_state(thread, edit),
        lambda: there.threads.update_state(thread, edit, checkpoint=earlier),
        copied,
    ):
        found = await said(way)
        assert f"run {thread}, which this thread goes on with, is not in the store metaspo.db" in found, found
        assert str(wrong.store.parent) not in found and str(right.store.parent) not in found
        assert (kept(postgres, thread), rows(wrong.store)) == before
    assert f"looked for in {wrong.store}" in wrong.log
    metadata = (await here.threads.get_state(thread))["metadata"] or {}
    assert str(metadata["metaspo_store"]).startswith("metaspo.db on ")
    run = await there.runs.create(thread, "metaspo", input=None)
    await there.runs.join(thread, run["run_id"])
    await there.runs.delete(thread, run["run_id"])  # As rolling it back does.
    assert (kept(postgres, thread), rows(wrong.store)) == before
    assert await goes_on(here, thread, context={"budget": {}}) is None
    assert outcome(right.store, thread) == whole


async def test_an_approval_and_a_fork_wait_for_their_store(
    here: LangGraphClient, there: LangGraphClient, right: AgentServer, postgres: str
) -> None:
    thread = (await here.threads.create())["thread_id"]
    assert await goes_on(here, thread, PROBLEM | {"iterations": 1, "seed": 5}, context=MODELS | {"approve": "user"}) is None
    await known(there, thread)
    waits = (await here.threads.get_state(thread))["tasks"]
    before = kept(postgres, thread)
    for given in ({"command": {"resume": "accept"}}, {}):
        assert (await goes_on(there, thread, **given))["error"] == "ElsewhereError"
        assert kept(postgres, thread) == before
    assert (await here.threads.get_state(thread))["tasks"] == waits
    assert any(one["interrupts"] for one in waits)
    # Nobody's answer was kept: it is asked until the right server is told.
    assert await goes_on(here, thread) is None
    assert any(one["interrupts"] for one in (await here.threads.get_state(thread))["tasks"])
    await here.threads.update_state(thread, {"system_prompt": "Be kind."})
    assert (await goes_on(there, thread))["error"] == "ElsewhereError"
    assert await goes_on(here, thread) is None
    state: Any = await here.threads.get_state(thread)
    assert state["values"]["run"] != thread and await left(right.store, state["values"]["run"]) == "waiting"


async def test_a_generalization_and_a_thread_at_work_are_left_alone_too(
    here: LangGraphClient, there: LangGraphClient, right: AgentServer, wrong: AgentServer, postgres: str
) -> None:
    async def asks(client: LangGraphClient, thread: str, given: Any = None, **more: Any) -> Any:
        found = client.runs.stream(thread, "generalize", input=given, **more)
        return next(iter([part.data async for part in found if part.event == "error"]), None)

    thread = (await here.threads.create())["thread_id"]
    assert (await asks(here, thread, QUESTION, context=MODELS | {"budget": {"calls": 10}}))["error"] == "BudgetSpent"
    await known(there, thread, "generalize")
    before = kept(postgres, thread)
    for given in (None, QUESTION):
        assert (await asks(there, thread, given, context=MODELS))["error"] == "ElsewhereError"
    assert kept(postgres, thread) == before
    assert await asks(here, thread, context={"budget": {}}) is None

    thread = (await here.threads.create())["thread_id"]
    await known(there, thread)
    run = await here.runs.create(thread, "metaspo", input=SMALL | {"seed": 7}, context=SLOW)
    await closes_a_round(here, thread)
    for given in (None, SMALL):
        assert (await goes_on(there, thread, given, context=SLOW))["error"] == "ElsewhereError"
    await here.runs.join(thread, run["run_id"])
    assert await left(right.store, thread) == "done" and thread not in str(rows(wrong.store))


async def test_a_server_that_starts_on_an_empty_volume_begins_nothing_that_is_elsewhere(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = AgentServer(tmp_path, "metaspo", "studio", environment={ELSEWHERE: postgres})
    away = tmp_path / "away"
    try:
        async with get_client(url=server.url) as client:
            thread = (await client.threads.create())["thread_id"]
            await client.runs.create(thread, "metaspo", input=SMALL | {"seed": 8}, context=SLOW)
            await closes_a_round(client, thread)
            server.kill()
            moves(tmp_path, away)
            server.start()  # It goes on with the runs that were at work.
            await known(client, thread)
            await asyncio.sleep(2)
            assert (await goes_on(client, thread))["error"] == "ElsewhereError"
            assert rows(server.store) == [(0,)] * 3
            server.stop()
            with pytest.raises(StoreError, match=f"no run starts with '{thread}' in metaspo"):
                resume(thread, store=server.store)
            moves(tmp_path, tmp_path / "wrong")
            moves(away, tmp_path)
            server.start()
            await known(client, thread)
            error = await goes_on(client, thread)
            assert error is None or "at work" in str(error)
            assert await left(server.store, thread) == "done"
    finally:
        server.stop()
    # The command line without the PostgreSQL goes by the ledger; with it and an older store it is told so.
    copy = tmp_path / "copy.db"
    monkeypatch.setenv(ELSEWHERE, postgres)
    first = optimize(**SMALL, **FEW, store=tmp_path / "cli.db")
    store = Store(tmp_path / "cli.db")
    store.db.execute("VACUUM INTO ?", [str(copy)])
    store.close()
    resume(first.run, store=tmp_path / "cli.db", budget={})
    with pytest.raises(ElsewhereError, match=r"copy\.db is older than this thread of run"):
        resume(first.run, store=copy, budget={})
    monkeypatch.delenv(ELSEWHERE)
    assert resume(first.run, store=copy, budget={}).stopped is None


async def test_a_store_that_vanishes_under_a_server_is_missed_in_words_and_not_begun_anew(tmp_path: Path) -> None:
    server = AgentServer(tmp_path, "metaspo", "studio")
    away = tmp_path / "away"
    try:
        async with get_client(url=server.url) as client:
            thread = (await client.threads.create())["thread_id"]
            assert (await goes_on(client, thread, SMALL, context=FEW))["error"] == "BudgetSpent"
            await left(server.store, thread)
            moves(tmp_path, away)
            for empty in (False, True):
                if empty:
                    server.store.touch()
                fresh = (await client.threads.create())["thread_id"]
                for at, given in ((thread, None), (thread, SMALL), (fresh, SMALL)):
                    error = await goes_on(client, at, given, context=MODELS)
                    assert error["error"] == "StoreError" and "metaspo.db is not the store any more" in error["message"]
                    assert str(tmp_path) not in error["message"]
                assert (await client.threads.get_state(thread))["values"]
            assert files(tmp_path) == [("metaspo.db", 0)]
            assert str(server.store) in server.log
            moves(away, tmp_path)
            assert await goes_on(client, thread, context={"budget": {}}) is None
            assert status(server.store, thread) == "done"
    finally:
        server.stop()


async def test_two_servers_on_one_store_do_not_work_on_one_thread_at_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    shared = {"METASPO_STORE": str(tmp_path / "metaspo.db")}
    one, two = (AgentServer(folder, "metaspo", "studio", "--create", environment=shared) for folder in folders)
    try:
        async with get_client(url=one.url) as first, get_client(url=two.url) as second:
            thread = (await first.threads.create())["thread_id"]
            run = await first.runs.create(thread, "metaspo", input=SMALL, context=SLOW)
            await closes_a_round(first, thread)
            await known(second, thread)
            for given in (None, SMALL | {"seed": 4}):
                error = await goes_on(second, thread, given, context=SLOW)
                assert error["error"] == RunHeldError.__name__, error
            await first.runs.join(thread, run["run_id"])
            assert await left(tmp_path / "metaspo.db", thread) == "done"
    finally:
        one.stop()
        two.stop()
