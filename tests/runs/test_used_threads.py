"""New input on a thread that has been at work: a run of its own, read as it is written, beside those that were there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from metaspo import verify
from metaspo.domain.errors import RunHeldError
from metaspo.reports.history import history
from metaspo.reports.report import open_report
from metaspo.runs.optimize import aoptimize, aresume
from metaspo.store import dealt, evaluations, leases, runs
from metaspo.store.database import Store, now, open_store

from ..helpers.agent_server import AgentServer
from .test_threads import MODELS, SLOW, closes_a_round, goes_on, left, outcome, status, task

SMALL: dict[str, Any] = {"preset": "quick", "method": "metaspo", "iterations": 1, "test_size": 4, "system_candidates": 2}
FIRST: dict[str, Any] = SMALL | {"tasks": [task("ann"), task("bob")], "seed": 5}
SECOND: dict[str, Any] = {"tasks": [task("cleo")], "preset": "quick", "iterations": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("server"), "metaspo", "studio")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a problem comes to in a thread and a store of its own."""
    known: dict[str, Any] = {}

    async def alone(problem: dict[str, Any], **settings: Any) -> Any:
        key = json.dumps(problem, sort_keys=True)
        if key not in known:
            store = tmp_path_factory.mktemp("alone") / "m.db"
            known[key] = outcome(store, (await aoptimize(**problem, **{**MODELS, **settings}, store=store)).run)
        return known[key]

    return alone


def in_thread(path: Path, thread: str) -> list[runs.Run]:
    with open_store(path) as store:
        return runs.in_thread(store.db, thread)


async def begun(client: LangGraphClient, given: dict[str, Any] = FIRST, **context: Any) -> str:
    thread: str = (await client.threads.create())["thread_id"]
    assert await goes_on(client, thread, given, context=MODELS | context) is None
    return thread


@pytest.mark.long
async def test_another_problem_is_a_run_of_its_own_with_the_defaults_of_what_it_leaves_out(
    client: LangGraphClient, server: AgentServer, alone: Any
) -> None:
    thread = await begun(client, budget={"calls": 5000})
    before = outcome(server.store, thread)
    assert await goes_on(client, thread, SECOND) is None  # at once, and without a context
    first, second = in_thread(server.store, thread)
    assert first.id == thread and second.thread == thread and second.id != thread
    # Nothing is left of the old input, in the state or in the run; the models and the budget are those of the thread.
    assert second.config["problem"]["seed"] == 0 and second.config["problem"]["method"] == "common_first"
    assert second.config["context"]["base"]["name"] == MODELS["base"].partition(":")[2]
    assert second.config["context"]["budget"]["calls"] == 5000
    assert await left(server.store, second.id) == "done"
    assert outcome(server.store, second.id) == await alone(SECOND)
    state: Any = await client.threads.get_state(thread)
    assert state["values"]["run"] == second.id and {*state["values"]["kept"]} == {"cleo"}
    assert state["values"]["seed"] == 0 and state["values"]["test_size"] is None
    # The old run is as it was, and so is its history.
    assert outcome(server.store, thread) == before == await alone(FIRST)
    for run in (thread, second.id):
        shown = history(server.store, run)
        assert [row["round"] for row in shown] == [row.round for row in open_report(server.store, run).rounds]
        assert all(row["checkpoint"] for row in shown) and verify(run, store=server.store).well
    ids = [{row["checkpoint"] for row in history(server.store, run)} for run in (thread, second.id)]
    assert not ids[0] & ids[1]
    listed = [found["thread_id"] for found in await client.threads.search(limit=1000)]
    assert listed.count(thread) == 1 and second.id not in listed


@pytest.mark.long
async def test_other_data_under_an_old_name_is_another_task(client: LangGraphClient, server: AgentServer, alone: Any) -> None:
    given = SMALL | {"tasks": [task("dan")]}
    other = SMALL | {"tasks": [task("eve") | {"name": "dan"}]}
    thread = await begun(client, given)
    assert await goes_on(client, thread, other) is None
    first, second = in_thread(server.store, thread)
    with open_store(server.store) as store:
        [old], [new] = (evaluations.run_tasks(store.db, run.id) for run in (first, second))
        assert (old.name, new.name) == ("dan", "dan") and old.task != new.task
        assert not {*map(str, dealt.selected_on(store.db, first.id))} & {*map(str, dealt.selected_on(store.db, second.id))}
    assert outcome(server.store, first.id) == await alone(given) and outcome(server.store, second.id) == await alone(other)


@pytest.mark.long
async def test_the_same_problem_however_it_is_written_begins_the_same_run_anew(
    client: LangGraphClient, server: AgentServer, alone: Any
) -> None:
    thread = await begun(client)
    with open_store(server.store) as store:
        paid = store.db.execute("SELECT count(*) FROM calls").fetchone()
    again = {key: FIRST[key] for key in reversed(FIRST)} | {"curve": None, "targets": []}
    again["tasks"] = [{key: one[key] for key in reversed(one)} for one in FIRST["tasks"]]
    assert await goes_on(client, thread, again, context={"budget": {"calls": 0}}) is None
    assert [run.id for run in in_thread(server.store, thread)] == [thread]
    with open_store(server.store) as store:
        assert store.db.execute("SELECT count(*) FROM calls").fetchone() == paid
    assert outcome(server.store, thread) == await alone(FIRST)
    assert all(row["checkpoint"] for row in history(server.store, thread))


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["interrupt", "enqueue"])
async def test_input_in_the_middle_of_a_search_leaves_both_runs_whole(
    strategy: Any, client: LangGraphClient, server: AgentServer, alone: Any
) -> None:
    slow = SMALL | {"tasks": [task(f"slow_{strategy}")]}
    thread = (await client.threads.create())["thread_id"]
    await client.runs.create(thread, "metaspo", input=slow, context=SLOW)
    await closes_a_round(client, thread)
    assert await goes_on(client, thread, SECOND, context=MODELS, multitask_strategy=strategy) is None
    first, second = in_thread(server.store, thread)
    assert outcome(server.store, second.id) == await alone(SECOND)
    assert await left(server.store, first.id) == ("stopped" if strategy == "interrupt" else "done")
    done = await aresume(first.id, store=server.store, **MODELS)
    assert done.stopped is None and outcome(server.store, first.id) == await alone(slow)
    state: Any = await client.threads.get_state(thread)
    assert state["values"]["run"] == (first.id if strategy == "interrupt" else second.id)
    # Both are still found where they stand.
    assert (await aresume(second.id, store=server.store)).stopped is None
    assert {run.status for run in in_thread(server.store, thread)} == {"done"}


@pytest.mark.long
async def test_a_mistake_leaves_no_run_behind_and_the_next_input_is_read_alone(
    client: LangGraphClient, server: AgentServer, alone: Any
) -> None:
    thread = await begun(client)
    error = await goes_on(client, thread, {"tasks": ["no such task"], "seed": 9})
    assert error["error"] == "TaskError"
    error = await goes_on(client, thread, SECOND | {"method": "no such method", "test_size": 5})
    assert error["error"] == "ConfigError"
    assert [run.id for run in in_thread(server.store, thread)] == [thread]
    assert (await aresume(thread, store=server.store)).stopped is None
    assert await goes_on(client, thread, SECOND) is None
    [_, second] = in_thread(server.store, thread)
    assert outcome(server.store, second.id) == await alone(SECOND)


@pytest.mark.long
async def test_two_runs_of_one_thread_are_not_at_work_at_once(client: LangGraphClient, server: AgentServer, alone: Any) -> None:
    thread = await begun(client)
    await left(server.store, thread)
    store = Store(server.store)
    lease = leases.acquire(store.db, thread, now())
    error = await goes_on(client, thread, SECOND)
    assert error["error"] == "RunHeldError" and f"run {thread} is at work in the same thread" in error["message"]
    assert [run.id for run in in_thread(server.store, thread)] == [thread]
    leases.release(store.db, lease)
    store.close()
    # The input is there; taken up again, it is the run that it would have been.
    checkpoint = (await client.threads.get_state(thread))["checkpoint"]["checkpoint_id"]
    assert await goes_on(client, thread) is None
    second = in_thread(server.store, thread)[1]
    assert second.id == runs.id_in_thread(thread, str(checkpoint))
    assert outcome(server.store, second.id) == await alone(SECOND)


@pytest.mark.long
async def test_the_command_line_waits_for_the_other_run_of_a_thread(client: LangGraphClient, server: AgentServer) -> None:
    thread = await begun(client, FIRST | {"seed": 8})
    working = await client.runs.create(thread, "metaspo", input=SECOND | {"seed": 8}, context=SLOW)
    for _ in range(1000):
        if len(in_thread(server.store, thread)) == 2:
            break
        await asyncio.sleep(0.01)
    second = in_thread(server.store, thread)[1].id
    with pytest.raises(RunHeldError, match=f"run {second} is at work in the same thread"):
        await aresume(thread, store=server.store)
    await client.runs.cancel(thread, working["run_id"], wait=True)
    assert await left(server.store, second) == "stopped"
    assert (await aresume(thread, store=server.store)).stopped is None
    # It was done: the thread stays with the run that is not.
    assert (await client.threads.get_state(thread))["values"]["run"] == second  # type: ignore[call-overload]


@pytest.mark.long
async def test_a_person_answers_the_earlier_run_of_a_thread(client: LangGraphClient, server: AgentServer, alone: Any) -> None:
    given = FIRST | {"seed": 6, "system_candidates": 9}
    thread = (await client.threads.create())["thread_id"]
    assert await goes_on(client, thread, given, context=MODELS | {"approve": "user"}) is None
    assert await left(server.store, thread) == "waiting"
    assert await goes_on(client, thread, SECOND, context={"approve": "none"}) is None
    second = in_thread(server.store, thread)[1]
    assert outcome(server.store, second.id) == await alone(SECOND)
    answered = await aresume(thread, answer="accept", store=server.store, approve="none")
    assert answered.stopped is None and status(server.store, thread) == "done"
    assert outcome(server.store, thread) == await alone(given)
    assert await left(server.store, second.id) == "done"


@pytest.mark.long
async def test_a_context_counts_at_once_also_where_it_says_what_is_the_default(
    client: LangGraphClient, server: AgentServer
) -> None:
    given = FIRST | {"seed": 7, "system_candidates": 9}
    thread = (await client.threads.create())["thread_id"]
    context = MODELS | {"approve": "user", "budget": {"calls": 4000, "minutes": 90}}
    assert await goes_on(client, thread, given, context=context) is None
    # Within the second, each time.
    assert await goes_on(client, thread, context={"budget": {"calls": 5000}}) is None
    [run] = in_thread(server.store, thread)
    assert run.config["context"]["approve"] == "user" and run.status == "waiting"
    assert run.config["context"]["budget"] | {"calls": 5000, "minutes": 90} == run.config["context"]["budget"]
    assert await goes_on(client, thread, context={"approve": "none", "budget": {}}) is None
    [run] = in_thread(server.store, thread)
    assert run.config["context"]["approve"] == "none" and run.status == "done"
    assert run.config["context"]["budget"]["calls"] is run.config["context"]["budget"]["minutes"] is None
    # The same problem with other models, at once: they count.
    assert await goes_on(client, thread, given, context={"base": "scripted:tests.helpers.scripts:always_yes"}) is None
    [run] = in_thread(server.store, thread)
    assert run.config["context"]["base"]["name"].endswith("always_yes")
    assert run.config["context"]["optimizer"]["name"].endswith("uneven")


@pytest.mark.long
async def test_a_killed_server_finds_the_same_run(server: AgentServer, client: LangGraphClient, alone: Any) -> None:
    # By the command line: a run whose end the server has not written to disk yet, it would begin again after the kill.
    thread = (await aoptimize(**FIRST, **MODELS, store=server.store)).run
    await client.threads.get(thread)
    await client.runs.create(thread, "metaspo", input=SECOND, context=SLOW)
    for _ in range(1000):
        if len(in_thread(server.store, thread)) == 2:
            break
        await asyncio.sleep(0.01)
    server.kill()
    second = in_thread(server.store, thread)[1]
    assert status(server.store, second.id) == "killed"
    server.start()
    assert await goes_on(client, thread, SECOND, context=MODELS, multitask_strategy="enqueue") is None
    assert [run.id for run in in_thread(server.store, thread)] == [thread, second.id]
    assert await left(server.store, second.id) == "done" and outcome(server.store, second.id) == await alone(SECOND)
    assert outcome(server.store, thread) == await alone(FIRST)
