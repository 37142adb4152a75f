"""Edit and run again, as Studio does it: what goes on is a fork, which comes out as a branch with the same edit would."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import APIStatusError, BadRequestError

from metaspo import aoptimize, aresume, averify, branch
from metaspo.reports.history import history
from metaspo.reports.report import open_report

from ..helpers.agent_server import AgentServer
from .test_threads import MODELS, PROBLEM, SLOW, goes_on, left, outcome, pays, task

pytestmark = pytest.mark.slow

DICE = dict.fromkeys(("base", "optimizer"), "scripted:dice")
X = "You are somebody else."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    server = AgentServer(tmp_path_factory.mktemp("server"), "metaspo", "studio")
    yield server
    server.stop()


@pytest.fixture
async def parent(client: LangGraphClient, server: AgentServer) -> AsyncIterator[str]:
    """A finished run of the problem in a thread of its own; whatever is made of it, it stays as it was."""
    run = (await client.threads.create())["thread_id"]
    assert await goes_on(client, run, PROBLEM, context=MODELS) is None
    assert await left(server.store, run) == "done"
    before = rows(server.store, run)
    yield run
    assert rows(server.store, run) == before


def rows(path: Path, run: str) -> Any:
    """All that the store says of a run but when somebody last looked at it, and how long."""
    with sqlite3.connect(path) as db:
        found = {
            table: sorted(db.execute(f"SELECT * FROM {table} WHERE run = ?", [run]).fetchall(), key=repr)
            for table in ("rounds", "candidates", "standing", "run_evaluations", "run_tasks", "dealt", "calls")
        }
        found["runs"] = db.execute("SELECT parent, parent_round, config, status FROM runs WHERE id = ?", [run]).fetchall()
    db.close()
    return found


def counts(path: Path) -> list[int]:
    """How much there is of what an edit may write."""
    with sqlite3.connect(path) as db:
        tables = ("runs", "checkpoints", "writes", "calls", "rounds", "prompts", "leases", "evaluations")
        found = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    db.close()
    return found


def copied(server: AgentServer, name: str) -> Path:
    """A copy of the server's store as it is now."""
    path = server.store.with_name(name)
    with sqlite3.connect(server.store) as source, sqlite3.connect(path) as target:
        source.backup(target)
    source.close()
    target.close()
    return path


def family(path: Path, run: str) -> tuple[str | None, int | None]:
    with sqlite3.connect(path) as db:
        found: tuple[str | None, int | None] = db.execute(
            "SELECT parent, parent_round FROM runs WHERE id = ?", [run]
        ).fetchone()
    db.close()
    return found


def paid(path: Path, run: str) -> int:
    with sqlite3.connect(path) as db:
        found = int(db.execute("SELECT count(*) FROM calls WHERE run = ?", [run]).fetchone()[0])
    db.close()
    return found


async def steps(client: LangGraphClient, thread: str) -> list[Any]:
    """The checkpoints of a thread, oldest first."""
    return [*reversed(await client.threads.get_history(thread, limit=200))]


async def edit(client: LangGraphClient, thread: str, values: Any, at: Any = None, **more: Any) -> Any:
    checkpoint = at and at["checkpoint"]
    return (await client.threads.update_state(thread, values, checkpoint=checkpoint, **more))["checkpoint"]


async def run_on(client: LangGraphClient, thread: str, checkpoint: Any = None, **more: Any) -> str:
    """Run a thread on without input; the run that has worked then."""
    error = await goes_on(client, thread, checkpoint=checkpoint, **more)
    assert error is None, error
    state: Any = await client.threads.get_state(thread)
    return str(state["values"]["run"])


def closed(state: Any, least: int = 0) -> int:
    """The last round of the search that is closed in a state, 0 where none is."""
    rounds = [row["round"] for row in state["values"].get("rounds", []) if row["level"] not in ("confirm", "test")]
    return max([least, *rounds])


EDITS: list[dict[str, Any]] = [
    {"system_prompt": X},
    {"seed": 7},
    {"iterations": 3, "user_candidates": 2},
    {"method": "outer_only"},
    {"tasks": [task("ann"), task("cid")]},
    {"tasks": [{**task("ann"), "user_prompt": "Is it so?\n{question}"}, task("bob")]},
]


async def test_a_fork_comes_out_as_a_branch_with_the_same_edit(
    client: LangGraphClient, server: AgentServer, parent: str
) -> None:
    every = await steps(client, parent)
    # The first checkpoint, one with tasks to score, one that waits to close a round, one in the middle of a round, the end.
    for number, at in enumerate((0, 1, 6, 9, len(every) - 1, 3)):
        given = EDITS[number % len(EDITS)]
        before = copied(server, f"before{number}.db")
        thread = (await edit(client, parent, given, every[at]))["thread_id"]
        fork = await run_on(client, thread)
        assert await left(server.store, fork) == "done"
        other = await asyncio.to_thread(branch, parent, at=closed(every[at]), store=before, **given)
        assert outcome(server.store, fork) == outcome(before, other.run), (at, given)
        assert paid(server.store, fork) == paid(before, other.run), (at, given)
        assert family(server.store, fork) == (parent, closed(every[at]))
        assert (await averify(fork, store=server.store)).well


async def test_prompts_in_force_are_edited(client: LangGraphClient, server: AgentServer, parent: str) -> None:
    every = await steps(client, parent)
    at = next(one for one in every if closed(one) == 2)
    kept = at["values"]["kept"]
    mine = {**kept, "ann": [{**kept["ann"][0], "text": "Ann, yes or no?\n{question}"}]}
    before = copied(server, "inforce.db")
    await edit(client, parent, {"incumbent": {**at["values"]["incumbent"], "text": X}, "kept": mine}, at)
    shown: Any = await client.threads.get_state(parent)
    assert shown["values"]["incumbent"]["text"] == X and shown["next"] == ["__start__"]
    fork = await run_on(client, parent)
    other = await asyncio.to_thread(
        branch,
        parent,
        at=2,
        store=before,
        **{
            "system_prompt": X,
            "start.user_prompts": {"ann": ["Ann, yes or no?\n{question}"], "bob": [one["text"] for one in kept["bob"]]},
        },
    )
    assert outcome(server.store, fork) == outcome(before, other.run) and paid(server.store, fork) == paid(before, other.run)


REFUSED: list[tuple[Any, str]] = [
    ({"kept": {}}, "a task keeps at least one user prompt"),
    ({"rounds": []}, "rounds follows from what the search has found, and cannot be edited; edit prompts"),
    ({"level": "done"}, "level follows from"),
    ({"round": 3}, "round follows from"),
    ({"run": "abc"}, "run follows from"),
    ({"stage": 1}, "stage follows from"),
    ({"scores": [{"score": 1.0}]}, "scores follows from"),
    ({"candidates": [{"text": "x"}]}, "candidates follows from"),
    ({"judged": [{}]}, "judged follows from"),
    ({"ended": "enough"}, "ended follows from"),
    ({"began": {"ann": 1.0}}, "began follows from"),
    ({"beam": [{"text": "x"}]}, "beam follows from"),
    ({"review": {"": "accept"}}, "review follows from"),
    ({"fork_of": "abc"}, "fork_of follows from"),
    ({"sytem_prompt": "x"}, "there is no 'sytem_prompt' to edit; is system_prompt meant"),
    ({"system_prompt": ""}, "system_prompt: the edited text is empty"),
    ({"system_prompt": 5}, "system_prompt: 5 is no text"),
    ({"system_prompt": "Be kind."}, "does not keep the locked parts word for word"),
    ({"system_prompt": "Never lie. " + "So. " * 40}, "characters long, more than 80"),
    ({"incumbent": {"text": "Never lie. Yes.", "score": 1.0}}, "incumbent: score is measured"),
    ({"system_prompt": "Never lie. A.", "incumbent": {"text": "Never lie. B."}}, "edited to different texts"),
    ({"kept": {"zed": [{"text": "{question}"}]}}, "kept: there is no task 'zed'; there are ann, bob"),
    ({"kept": "x"}, "kept: holds a list of user prompts for each task"),
    ({"seed": "many"}, "seed: 'many' is no whole number"),
    ({"seed": -1, "test_size": 4}, "seed: -1 is too small"),
    ({"method": "magic"}, "unknown method 'magic'"),
    ({"tasks": []}, "tasks: is empty"),
    ({"tasks": ["nowhere"]}, "no built-in task 'nowhere'"),
    ({"tasks": [{**task("ann"), "user_prompt": "Well?"}]}, "user_prompt holds {question} 0 times"),
    ({"train_size": 10**6}, "no example left to test"),
    ({"system_length": 3}, "system_prompt breaks its own rules"),
    ("text", ""),
]
LOCKED = PROBLEM | {"system_prompt": "Be kind. <locked>Never lie.</locked>", "system_length": 80, "iterations": 1}
NODES = (None, "__start__", "__input__", "__copy__", "evaluate", "select", "analyze_failures", "propose_user_prompts")


async def test_what_cannot_be_a_fork_is_refused_before_anything_is_written(
    client: LangGraphClient, server: AgentServer
) -> None:
    run = (await client.threads.create())["thread_id"]
    assert await goes_on(client, run, LOCKED, context=MODELS) is None
    assert await left(server.store, run) == "done"
    every, before = await steps(client, run), counts(server.store)
    at = next(one for one in every if closed(one) == 1 and one["next"][0] == "propose_system_prompts")
    kept = at["values"]["kept"]
    lost = [{**kept["ann"][0], "text": "Yes or no?"}]
    better = [{**kept["ann"][0], "score": 1.0}]
    mine: list[tuple[Any, str]] = [
        ({"kept": {**kept, "ann": lost}}, "the edited text holds {question} 0 times, not exactly once"),
        ({"kept": {**kept, "ann": better}}, "kept of task 'ann': score is measured, only 'text' can be edited"),
        ({"kept": {**kept, "bob": []}}, "a task keeps at least one user prompt, and 'bob' has none"),
    ]
    for number, (values, said) in enumerate([*REFUSED, *mine]):
        for node in (NODES[number % len(NODES)], NODES[(number + 3) % len(NODES)]):
            with pytest.raises(APIStatusError) as refused:
                await edit(client, run, values, at, as_node=node)
            assert refused.value.status_code in (400, 422) and said in str(refused.value), (values, node)
    for node, said in (
        ("__end__", "cannot be edited to its end"),
        ("nowhere", "there is no node 'nowhere'; there are evaluate"),
    ):
        for values in (None, {"seed": 5}):
            with pytest.raises(BadRequestError, match=said):
                await edit(client, run, values, at, as_node=node)
    # The first checkpoints have no records yet: these are no part of what is begun with.
    for first in every[:3]:
        for values in ({"kept": {}}, {"rounds": []}, {"level": "done"}, {"round": 3}, {"run": "abc"}):
            with pytest.raises(BadRequestError, match=r"follows from|no user prompts are kept"):
                await edit(client, run, values, first)
    shapes: list[Any] = [[[[{}, 1]]], [["seed"]], [5], [[5]], [None, 5]]
    for shape in shapes:
        with pytest.raises(BadRequestError, match="an edit is an object with new values by name"):
            await edit(client, run, shape, at, as_node="__copy__")
    with pytest.raises(BadRequestError, match="an edit is an object with new values by name"):
        await edit(client, run, [[{}, 1]], at)
    nowhere: Any = {**at["checkpoint"], "checkpoint_id": "1f1e96d4-c3e9-6929-803a-e118b804bff5"}
    for values in (None, {"seed": 5}):
        with pytest.raises(BadRequestError, match=f"thread {run} has no checkpoint 1f1e96d4"):
            await client.threads.update_state(run, values, checkpoint=nowhere)
    error = await goes_on(client, run, checkpoint=nowhere)
    assert error["error"] == "EditError" and "has no checkpoint 1f1e96d4" in error["message"]
    commands: list[tuple[Any, str]] = [
        ({"update": {"round": 3}}, "round follows from"),
        ({"update": {"kept": {}}, "goto": "select"}, "leave 'goto' out"),
        ({"goto": "evaluate"}, "leave 'goto' out"),
        ({"update": {"seed": 5}, "resume": "accept"}, "answer first"),
    ]
    for command, said in commands:
        error = await goes_on(client, run, command=command, checkpoint=at["checkpoint"])
        assert error["error"] == "EditError" and said in error["message"]
    for given in ({"kept": {}}, {"rounds": [], "seed": 3}):
        error = await goes_on(client, run, given, checkpoint=at["checkpoint"])
        assert error["error"] == "EditError" and "is nothing that a run is given" in error["message"]
    supersteps: Any = [
        {"updates": [{"values": {"seed": 5}, "as_node": "select"}, {"values": {"round": 7}, "as_node": "select"}]}
    ]
    with pytest.raises(BadRequestError, match="round follows from"):
        await client.threads.create(thread_id=run, if_exists="do_nothing", supersteps=supersteps)
    assert counts(server.store) == before


async def test_nothing_is_known_of_an_edit_before_it_is_run(client: LangGraphClient, server: AgentServer, parent: str) -> None:
    every, known = await steps(client, parent), counts(server.store)[0]
    at = next(one for one in every if closed(one) == 2)
    ways = [await edit(client, parent, {"system_prompt": f"Number {number}."}, at, as_node="__start__") for number in range(4)]
    assert counts(server.store)[0] == known
    # An edit of what has not begun is one edit more; it says what was edited first as well.
    both = await edit(client, parent, {"seed": 3})
    shown: Any = await client.threads.get_state(parent)
    assert shown["values"]["system_prompt"] == "Number 3." and shown["values"]["seed"] == 3
    fork = await run_on(client, parent, both)
    assert family(server.store, fork) == (parent, 2) and counts(server.store)[0] == known + 1
    report = open_report(server.store, fork)
    assert report.run.config["problem"]["start"]["system_prompt"] == "Number 3." and report.run.config["problem"]["seed"] == 3
    assert report.base == MODELS["base"]
    # The others are still there: two edits of one checkpoint are two forks.
    others = [await run_on(client, parent, ways[number]) for number in (0, 1)]
    assert len({fork, *others}) == 3 and {family(server.store, other) for other in others} == {(parent, 2)}
    # An edit of a fork is a fork of the fork.
    newest: Any = await client.threads.get_state(parent)
    assert newest["values"]["run"] == others[1]
    await edit(client, parent, {"incumbent": {**newest["values"]["incumbent"], "text": X}})
    child = await run_on(client, parent)
    assert family(server.store, child) == (others[1], 4)
    assert [row["round"] for row in history(server.store, child)] == [4, 5]
    assert [row["round"] for row in history(server.store, parent)] == [0, 1, 2, 3, 4, 5]


async def test_a_fork_by_a_command_is_made_and_run_at_once(client: LangGraphClient, server: AgentServer, parent: str) -> None:
    every = await steps(client, parent)
    at = next(one for one in every if closed(one) == 3)
    fork = await run_on(client, parent, at["checkpoint"], command={"update": {"seed": 11}})
    assert family(server.store, fork) == (parent, 3) and open_report(server.store, fork).run.config["problem"]["seed"] == 11


async def test_what_changes_nothing_is_no_edit(client: LangGraphClient, server: AgentServer) -> None:
    parent = (await client.threads.create())["thread_id"]
    assert await goes_on(client, parent, PROBLEM, context=MODELS) is None
    every, known = await steps(client, parent), counts(server.store)[0]
    for at, node in zip((0, 1, 5, 9), (None, "select", "__start__", "evaluate"), strict=True):
        before = every[at]
        for values in (None, dict(before["values"]), {"seed": 0, "preset": "quick"} if at else None):
            new = await edit(client, parent, values, before, as_node=node)
            now: Any = await client.threads.get_state(parent, checkpoint=new)
            assert now["values"] == before["values"] and now["next"] == before["next"]
        # What was paid is enough to come to the end again.
        assert await run_on(client, parent, new, context={"budget": {"calls": 0}}) == parent
        assert await left(server.store, parent) == "done"
    assert counts(server.store)[0] == known


async def test_a_run_of_the_command_line_is_forked_with_its_own_files_and_models(
    client: LangGraphClient, server: AgentServer, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(
        json.dumps({**task("mine"), "examples": [*task("mine")["examples"], *task("more")["examples"]]})
    )
    begun = await aoptimize(
        tasks=[tmp_path / "mine.yaml"], preset="quick", method="metaspo", test_size=4, iterations=1, base="program:tests.helpers.programs:make", optimizer=MODELS["optimizer"],
        store=server.store,
    )  # fmt: skip
    every, before = await steps(client, begun.run), copied(server, "own.db")
    at = next(one for one in every if closed(one) == 1)
    await edit(client, begun.run, {"system_prompt": X, "iterations": 2}, at)
    fork = await run_on(client, begun.run)
    other = await asyncio.to_thread(branch, begun.run, at=1, store=before, system_prompt=X, iterations=2)
    assert outcome(server.store, fork) == outcome(before, other.run) and paid(server.store, fork) == paid(before, other.run)
    assert open_report(server.store, fork).base == open_report(server.store, begun.run).base
    # A fork of what the command line has branched off is one as well.
    child = await asyncio.to_thread(branch, fork, at=2, store=server.store, seed=3)
    await edit(client, child.run, {"seed": 4})
    grandchild = await run_on(client, child.run)
    assert family(server.store, grandchild)[0] == child.run


async def test_a_fork_of_what_waits_for_approval_leaves_it_waiting(client: LangGraphClient, server: AgentServer) -> None:
    run = (await client.threads.create())["thread_id"]
    assert await goes_on(client, run, PROBLEM | {"iterations": 1, "seed": 5}, context=MODELS | {"approve": "user"}) is None
    assert await left(server.store, run) == "waiting"
    await edit(client, run, {"system_prompt": X})
    fork = await run_on(client, run)
    assert fork != run and await left(server.store, fork) == "waiting" and await left(server.store, run) == "waiting"
    for one, other in ((run, fork), (fork, None)):
        await given_back(server.store)
        assert (await aresume(one, answer="accept", store=server.store)).stopped is None
        assert other is None or await left(server.store, other) == "waiting"
    assert family(server.store, fork) == (run, 0)


@pytest.mark.parametrize("graph", ["adapt", "generalize"])
async def test_the_other_graphs_threads_are_forked_too(client: LangGraphClient, server: AgentServer, graph: str) -> None:
    thread = (await client.threads.create())["thread_id"]
    sizes: dict[str, Any] = {"tasks": [task("ann"), task("bob")], "preset": "quick", "test_size": 6}
    sizes |= {"prompts": 2} if graph == "generalize" else {"iterations": 1}
    await client.runs.wait(thread, graph, input=sizes, context=MODELS)
    before, every = rows(server.store, thread), await steps(client, thread)
    for at in (every[0], every[2], every[-1]):
        with pytest.raises(BadRequestError, match=r"follows from|there is no"):
            await edit(client, thread, {"results": {}, "rounds": []}, at)
        await edit(client, thread, {"system_prompt": X, "test_size": 4}, at)
        found: Any = await client.runs.wait(thread, graph)
        fork = found["run"]
        assert fork != thread and await left(server.store, fork) == "done" and family(server.store, fork)[0] == thread
        with sqlite3.connect(server.store) as db:
            [(config,)] = db.execute("SELECT config FROM runs WHERE id = ?", [fork]).fetchall()
        db.close()
        given = json.loads(config)
        asked = given["problem"]["start"]["system_prompt"] if graph == "adapt" else given["problem"]["system_prompt"]
        assert (
            asked == X
            and given["problem"]["test_size"] == 4
            and given["context"]["base"]["name"] == "tests.helpers.scripts:uneven"
        )
        assert (await averify(fork, store=server.store)).well
    assert rows(server.store, thread) == before


async def test_a_copied_thread_is_a_fork_of_its_source(client: LangGraphClient, server: AgentServer, parent: str) -> None:
    # In the middle of a round, before the first one has closed, and at the end.
    begun = await aoptimize(**PROBLEM, **MODELS, store=server.store, seed=3, budget={"calls": 250})
    young = await aoptimize(**PROBLEM, **MODELS, store=server.store, seed=4, budget={"calls": 20})
    for source in (begun.run, young.run):
        before = rows(server.store, source)
        copy = await copy_of(client, source)
        known = counts(server.store)[0]
        fork = await run_on(client, copy, context={"budget": {"calls": 10**6}})
        assert fork == copy and counts(server.store)[0] == known + 1 and await left(server.store, fork) == "done"
        assert rows(server.store, source) == before
        assert family(server.store, fork)[0] == source
        assert (await averify(fork, store=server.store)).well
        assert all(row["checkpoint"] for row in history(server.store, fork))
        # What its source comes to is the same, and it pays for nothing that the copy has paid.
        done = await aresume(source, store=server.store, budget={})
        assert paid(server.store, source) == len(before["calls"])
        assert (done.system_prompt, done.report.user_after) == outcome(server.store, fork)[:2]
    copy = await copy_of(client, parent)
    assert await goes_on(client, copy) is None and counts(server.store)[0] == known + 1
    # New input there begins with the models of what the copy shows, never with the demo's.
    assert await goes_on(client, copy, PROBLEM | {"seed": 13, "iterations": 1}) is None
    assert open_report(server.store, copy).base == open_report(server.store, parent).base
    copy = await copy_of(client, parent)
    at = next(one for one in await steps(client, copy) if closed(one) == 2)
    await edit(client, copy, {"seed": 12}, at)
    # An edit that is copied before it is run is a fork of the same round in both threads, and in a copy edited further.
    again = [await copy_of(client, copy) for _ in range(2)]
    fork, other = await run_on(client, again[0]), await run_on(client, copy)
    await edit(client, again[1], {"iterations": 1})
    third = await run_on(client, again[1])
    assert len({fork, other, third}) == 3
    assert [family(server.store, one) for one in (fork, other, third)] == [(parent, 2)] * 3


async def test_the_copy_of_a_thread_that_waits_is_answered_for_itself(client: LangGraphClient, server: AgentServer) -> None:
    run = (await client.threads.create())["thread_id"]
    assert await goes_on(client, run, PROBLEM | {"iterations": 1, "seed": 6}, context=MODELS | {"approve": "user"}) is None
    assert await left(server.store, run) == "waiting"
    copies = [await copy_of(client, run) for _ in range(2)]
    shown: Any = await client.threads.get_state(copies[0])
    assert shown["interrupts"]
    # A copy asks for itself, also where somebody answers what its source has asked.
    assert await run_on(client, copies[0]) == copies[0] and await left(server.store, copies[0]) == "waiting"
    assert await goes_on(client, copies[1], command={"resume": {"decision": "reject"}}) is None
    asked: Any = await client.threads.get_state(copies[1])
    assert "look at what is asked now" in asked["interrupts"][0]["value"]["problem"]
    for copy in copies:
        asked = (await client.threads.get_state(copy))["interrupts"][0]["value"]
        assert asked["run"] == copy
        assert await goes_on(client, copy, command={"resume": {"decision": "reject", "id": asked["id"]}}) is None
        assert await left(server.store, copy) == "done" and family(server.store, copy) == (run, 0)
    assert await left(server.store, run) == "waiting"
    await given_back(server.store)
    assert (await aresume(run, answer="accept", store=server.store)).stopped is None


async def given_back(path: Path) -> None:
    """Wait until the server holds no run any more."""
    for _ in range(100):
        if not counts(path)[6]:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a run is still held")


async def copy_of(client: LangGraphClient, thread: str) -> str:
    copy: Any = await client.http.post(f"/threads/{thread}/copy", json=None)
    return str(copy["thread_id"])


async def lasting(client: LangGraphClient, server: AgentServer, run: str, given: Any, **more: Any) -> Any:
    """A server's run that is at work, and has paid for something."""
    before = paid(server.store, run)
    working = await client.runs.create(run, "metaspo", input=given, context=SLOW, **more)
    await pays(server.store, run, "base", before + 10)
    return working


async def test_a_run_of_the_server_is_taken_back(client: LangGraphClient, server: AgentServer) -> None:
    run = (await client.threads.create())["thread_id"]
    # The first one: neither the thread nor the store knows of it afterwards, but for what it has paid.
    working = await lasting(client, server, run, PROBLEM | {"seed": 30})
    await client.runs.cancel(run, working["run_id"], wait=True, action="rollback")
    await gone(client, run, working["run_id"])
    calls = paid(server.store, run)
    assert rows(server.store, run)["runs"] == [] and calls >= 10
    assert await client.threads.get_history(run) == []
    # One that goes back and on in another way, and is replaced by the next: the rounds that it left are there again.
    assert await goes_on(client, run, PROBLEM | {"seed": 30}, context=MODELS) is None
    assert await left(server.store, run) == "done"
    before, state = rows(server.store, run), await client.threads.get_state(run)
    at = next(one for one in await steps(client, run) if closed(one) == 1)
    slow = await client.runs.create(run, "metaspo", checkpoint=at["checkpoint"], context=SLOW | {"budget": {"calls": 10**6}})
    await differs(server.store, run, before)
    error = await goes_on(client, run, command={"update": {"seed": 31}}, multitask_strategy="rollback", context=MODELS)
    assert error is None
    await gone(client, run, slow["run_id"])
    fork: Any = await client.threads.get_state(run)
    assert family(server.store, fork["values"]["run"]) == (run, 4)
    assert without_calls(rows(server.store, run)) == without_calls(before)
    # A finished one is deleted: what was before it is the newest again.
    last = (await client.runs.list(run))[0]["run_id"]
    await client.runs.delete(run, last)
    again = await client.threads.get_state(run)
    assert again["values"] == state["values"] and again["checkpoint"] == state["checkpoint"]
    assert rows(server.store, fork["values"]["run"])["runs"] == []


async def gone(client: LangGraphClient, thread: str, run: str) -> None:
    """Wait until a server's run has been taken back."""
    for _ in range(100):
        if all(one["metadata"].get("run_id") != run for one in await client.threads.get_history(thread, limit=200)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it is still there")


async def differs(path: Path, run: str, before: Any) -> None:
    for _ in range(200):
        if without_calls(rows(path, run)) != without_calls(before):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing has come of it")


def without_calls(found: Any) -> Any:
    return {table: there for table, there in found.items() if table != "calls"}


@pytest.mark.slow
async def test_a_killed_server_is_gone_on_from_with_the_same_fork(server: AgentServer) -> None:
    # The server tries its own runs again when it is started, also those whose end it had no time to write down.
    run = (await aoptimize(**PROBLEM, **SLOW, store=server.store, seed=40, iterations=1)).run
    async with get_client(url=server.url) as client:
        at = next(one for one in await steps(client, run) if closed(one) == 1)
        await edit(client, run, {"system_prompt": X}, at)
        # Killed while nothing is known of the fork, and while it is at work.
    before = copied(server, "killed.db")
    server.kill()
    server.start()
    async with get_client(url=server.url) as client:
        shown: Any = await client.threads.get_state(run)
        fork = shown["values"]["run"]
        assert shown["values"]["system_prompt"] == X and rows(server.store, fork)["runs"] == []
        await client.runs.create(run, "metaspo")
        await pays(server.store, fork, "base", 40)
    server.kill()
    server.start()
    async with get_client(url=server.url) as client:
        assert await run_on(client, run, multitask_strategy="enqueue") == fork
        assert await left(server.store, fork) == "done"
    other = await asyncio.to_thread(branch, run, at=1, store=before, system_prompt=X)
    assert outcome(server.store, fork) == outcome(before, other.run) and paid(server.store, fork) == paid(before, other.run)
    assert family(server.store, fork) == (run, 1)
