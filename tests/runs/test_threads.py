"""One history: what the command line began goes on in the server and the other way round, under one lease."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from metaspo import aoptimize, branch, optimize
from metaspo.domain.errors import BudgetSpent, RunHeldError
from metaspo.reports.history import history
from metaspo.reports.listing import list_runs
from metaspo.reports.report import open_report
from metaspo.runs.optimize import aresume, resume
from metaspo.store import leases
from metaspo.store.database import Store, now

from ..helpers.agent_server import AgentServer

MODELS = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:uneven")
SLOW = dict.fromkeys(("base", "optimizer"), "scripted:tests.helpers.scripts:slow,concurrency=2")


def task(name: str) -> dict[str, Any]:
    rows = [{"question": f"Does {name} like {n}?", "answer": "yes" if n % 2 else "no"} for n in range(30)]
    reader = {"kind": "choice", "labels": ["yes", "no"], "from": "reply"}
    return {"name": name, "examples": rows, "user_prompt": "Say yes or no.\n{question}", "reader": reader}


PROBLEM: dict[str, Any] = {"tasks": [task("ann"), task("bob")], "preset": "quick", "method": "metaspo", "test_size": 8}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("server"), "metaspo", "studio")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What every run of the problem must come to."""
    store = tmp_path_factory.mktemp("undisturbed") / "m.db"
    return outcome(store, optimize(**PROBLEM, **MODELS, store=store).run)


def outcome(store: Path, run: str) -> Any:
    report = open_report(store, run)
    tasks = [(row.name, row.before, row.after) for row in report.tasks]
    return report.system_after, report.user_after, [(row.round, row.level, row.score) for row in report.rounds], tasks


def status(store: Path, run: str) -> str:
    return next(str(row["status"]) for row in list_runs(store) if row["run"] == run)


async def left(store: Path, run: str) -> str:
    """The status of a run once nobody works on it."""
    for _ in range(100):
        if status(store, run) != "running":
            break
        await asyncio.sleep(0.05)
    return status(store, run)


async def goes_on(client: LangGraphClient, run: str, given: Any = None, **options: Any) -> Any:
    """Run a thread; the error it ends with, or None."""
    errors = [part.data async for part in client.runs.stream(run, "metaspo", input=given, **options) if part.event == "error"]
    return errors[0] if errors else None


async def closes_a_round(client: LangGraphClient, run: str) -> None:
    state: Any = {"values": {}}
    while not state["values"].get("rounds"):
        await asyncio.sleep(0.05)
        state = await client.threads.get_state(run)


async def pays(path: Path, run: str, role: str, calls: int) -> None:
    store, paid = Store(path), 0
    while paid < calls:
        await asyncio.sleep(0.02)
        paid = store.db.execute("SELECT count(*) FROM calls WHERE run = ? AND role = ?", [run, role]).fetchone()[0]
    store.close()


@pytest.mark.long
async def test_a_run_of_the_command_line_goes_on_in_the_server(
    client: LangGraphClient, server: AgentServer, undisturbed: Any
) -> None:
    begun = await aoptimize(**PROBLEM, **MODELS, store=server.store, budget={"calls": 250})
    assert isinstance(begun.stopped, BudgetSpent)
    found = await client.threads.search(metadata={"graph_id": "metaspo"})
    assert begun.run in {thread["thread_id"] for thread in found}
    before = await client.threads.get_history(begun.run, limit=100)
    assert len(before) > 3 and before[0]["next"]
    # Without a context it is the run's own one: its models, and its budget, which is spent.
    error = await goes_on(client, begun.run)
    assert error["error"] == "BudgetSpent" and error["message"] == "the budget of 250 calls is spent"
    assert await left(server.store, begun.run) == "stopped"
    assert await goes_on(client, begun.run, context={"budget": {"calls": 10**6}}) is None
    assert outcome(server.store, begun.run) == undisturbed and status(server.store, begun.run) == "done"
    after = await client.threads.get_history(begun.run, limit=100)
    assert len(after) > len(before)


@pytest.mark.long
async def test_a_thread_of_the_server_goes_on_at_the_command_line(
    client: LangGraphClient, server: AgentServer, undisturbed: Any
) -> None:
    run = (await client.threads.create())["thread_id"]
    # A seed of its own makes its own calls.
    given = PROBLEM | {"seed": 1}
    error = await goes_on(client, run, given, context=MODELS | {"budget": {"calls": 100}})
    assert error["error"] == "BudgetSpent"
    assert await left(server.store, run) == "stopped"
    done = await aresume(run, store=server.store, budget={})
    assert done.stopped is None and status(server.store, run) == "done"
    state: Any = await client.threads.get_state(run)
    assert state["values"]["level"] == "done" and state["values"]["incumbent"]["text"] == done.system_prompt
    other = await asyncio.to_thread(branch, run, at=1, store=server.store, iterations=1)
    assert other.report.run.parent == run and other.stopped is None
    assert (await client.threads.get(other.run))["metadata"]["graph_id"] == "metaspo"


@pytest.mark.long
async def test_the_lease_holds_both_ways_and_a_cancelled_run_lets_it_go(
    client: LangGraphClient, server: AgentServer, undisturbed: Any
) -> None:
    run = (await client.threads.create())["thread_id"]
    working = await client.runs.create(run, "metaspo", input=PROBLEM, context=SLOW)
    await closes_a_round(client, run)
    # On to the evaluations of the next round, which take a second: between two nodes a run cannot know that it is cancelled.
    await pays(server.store, run, "base", 2 * 16 + 4)
    assert status(server.store, run) == "running"
    with pytest.raises(RunHeldError, match=f"run {run} is being worked on by process {server.pid} on .* since 20"):
        await aresume(run, store=server.store)
    await client.runs.cancel(run, working["run_id"], wait=True)
    assert await left(server.store, run) == "stopped"
    store = Store(server.store)
    paid = store.db.execute("SELECT count(*) FROM calls WHERE run = ?", [run]).fetchone()[0]
    assert store.db.execute("SELECT reason FROM runs WHERE id = ?", [run]).fetchone()[0] == "it was cancelled"
    lease = leases.acquire(store.db, run, now())
    error = await goes_on(client, run, context=MODELS)
    assert error["error"] == "RunHeldError" and f"is being worked on by process {os.getpid()} on " in error["message"]
    leases.release(store.db, lease)
    # Nothing was called after the run was cancelled.
    assert store.db.execute("SELECT count(*) FROM calls WHERE run = ?", [run]).fetchone()[0] == paid
    store.close()
    # Input in the middle of the search starts it anew.
    assert await goes_on(client, run, PROBLEM, context=MODELS) is None
    assert await left(server.store, run) == "done" and outcome(server.store, run) == undisturbed


@pytest.mark.long
async def test_a_run_goes_back_and_on_and_the_store_goes_with_it(
    client: LangGraphClient, server: AgentServer, undisturbed: Any
) -> None:
    run = (await client.threads.create())["thread_id"]
    assert await goes_on(client, run, PROBLEM, context=MODELS) is None
    assert outcome(server.store, run) == undisturbed
    after_round = {row["round"]: row["checkpoint"] for row in history(server.store, run)}
    at: Any = {"thread_id": run, "checkpoint_ns": "", "checkpoint_id": after_round[1]}
    await client.threads.update_state(run, None, checkpoint=at)
    # With a budget of nothing it gets as far as recorded calls carry it: everything was paid before.
    assert await goes_on(client, run, context={"budget": {"calls": 0}}) is None
    assert await left(server.store, run) == "done" and outcome(server.store, run) == undisturbed
    again = {row["round"]: row["checkpoint"] for row in history(server.store, run)}
    assert again[0] == after_round[0] and again[1] != after_round[2] and again[5] > after_round[5]
    assert len(set(again.values())) == 6


@pytest.mark.long
async def test_a_stopped_server_gives_back_what_its_runs_held(server: AgentServer) -> None:
    """A container that is stopped and replaced has another name: nobody could see that whoever held the lease is gone."""
    async with get_client(url=server.url) as client:
        run = (await client.threads.create())["thread_id"]
        # Fast: a node begins at any moment, also while the server is stopping.
        await client.runs.create(run, "metaspo", input={"preset": "paper"}, context=dict.fromkeys(MODELS, "scripted:dice"))
        await pays(server.store, run, "optimizer", 1)
    server.stop()
    store = Store(server.store)
    held = store.db.execute("SELECT run FROM leases").fetchall()
    store.close()
    assert not held and status(server.store, run) == "stopped"
    server.start()


@pytest.mark.long
async def test_a_killed_server_is_gone_on_from_on_both_sides(server: AgentServer, undisturbed: Any) -> None:
    runs = [str(uuid4()), str(uuid4())]
    async with get_client(url=server.url) as client:
        for seed, run in enumerate(runs, 20):
            await client.threads.create(thread_id=run)
            await client.runs.create(run, "metaspo", input=PROBLEM | {"seed": seed}, context=SLOW)
        for run in runs:
            await closes_a_round(client, run)
    server.kill()
    assert {status(server.store, run) for run in runs} == {"killed"}
    assert (await asyncio.to_thread(resume, runs[0], store=server.store, **MODELS)).stopped is None
    server.start()
    async with get_client(url=server.url) as client:
        options: Any = {"multitask_strategy": "enqueue"}
        assert await goes_on(client, runs[1], context=MODELS, **options) is None
    for seed, run in enumerate(runs, 20):
        assert await left(server.store, run) == "done"
        alone = optimize(**PROBLEM | {"seed": seed}, **MODELS, store=server.store.with_name(f"{seed}.db"))
        assert outcome(server.store, run) == outcome(Path(alone.report.store), alone.run)
