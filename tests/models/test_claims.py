"""Several processes on one store: a call in flight is asked by one of them, and the others wait for it."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

import metaspo
from metaspo.domain.errors import BudgetSpent, Interrupted
from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.registry import Registry
from metaspo.store import calls, claims
from metaspo.store.database import Store

from ..helpers import forked
from ..helpers.endpoint import Endpoint, fail, say
from .test_ledger import Desk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def slow(seconds: float) -> Callable[..., Any]:
    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(seconds)
        return say(f"answer to {body['messages'][0]['content']}")

    return act


def asked(endpoint: Endpoint) -> list[str]:
    return [body["messages"][0]["content"] for body in endpoint.seen]


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@pytest.fixture
def start(store_path: Path, endpoint: Endpoint) -> Iterator[Callable[..., "forked.Popen[str]"]]:
    """Starts processes that ask; those that are left at the end are killed."""
    started: list[forked.Popen[str]] = []

    def begin(calls: int, *, processes: int = 1, stale: float = 30, run: str = "run", **spec: Any) -> "forked.Popen[str]":
        job = {
            "store": str(store_path),
            "spec": endpoint.spec(**{"timeout": 60, **spec}),
            "calls": calls,
            "stale": stale,
            "run": run,
            "processes": processes,
        }
        words = [sys.executable, "-m", "tests.helpers.asker", json.dumps(job)]
        started.append(forked.Popen(words, cwd=ROOT, stdout=forked.PIPE, text=True))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def ends_of(process: "forked.Popen[str]") -> list[dict[str, Any]]:
    # Not communicate: it leaves out what readline has read beyond its line.
    output = cast(IO[str], process.stdout).read()
    assert process.wait(120) == 0
    return [json.loads(line) for line in output.splitlines() if line != "ready"]


def end_of(process: "forked.Popen[str]") -> dict[str, Any]:
    [end] = ends_of(process)
    return end


def rows(path: Path, query: str) -> list[Any]:
    store = Store(path)
    found = store.db.execute(query).fetchall()
    store.close()
    return found


def test_processes_that_ask_the_same_pay_once(start: Any, endpoint: Endpoint, store_path: Path) -> None:
    endpoint.act = slow(0.1)
    ends = ends_of(start(80, processes=4, concurrency=4))
    assert len(ends) == 4
    assert len(endpoint.seen) == len(set(asked(endpoint))) == 80
    assert sum(end["paid"] for end in ends) == 80 == rows(store_path, "SELECT count(*) FROM calls")[0][0]
    assert {tuple(end["replies"]) for end in ends} == {tuple(f"answer to call {number}" for number in range(80))}
    assert rows(store_path, "SELECT count(*) FROM claims") == rows(store_path, "SELECT count(*) FROM processes") == [(0,)]


def test_a_killed_process_s_calls_are_taken_over(start: Any, endpoint: Endpoint, store_path: Path) -> None:
    endpoint.act = slow(0.3)
    killed = start(40, concurrency=4)
    until(lambda: len(endpoint.seen) >= 10)
    other = start(40, concurrency=4)
    assert other.stdout.readline() == "ready\n"
    time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)  # Not waited for: a zombie is as dead, also where nobody collects it.
    began = time.monotonic()
    time.sleep(0.05)
    recorded = {json.loads(request)["messages"][0]["content"] for (request,) in rows(store_path, "SELECT request FROM calls")}
    before = len(endpoint.seen)
    end = end_of(other)
    assert time.monotonic() - began < 60 and not end["errors"] and len(end["replies"]) == 40
    twice = [text for text in set(asked(endpoint)) if asked(endpoint).count(text) > 1]
    assert len(twice) <= 4  # what was in flight in the process that died
    assert not recorded.intersection(asked(endpoint)[before:])
    assert rows(store_path, "SELECT count(*) FROM calls") == [(40,)]


def test_a_paused_process_s_calls_are_taken_over_and_what_it_pays_late_is_recorded(
    start: Any, endpoint: Endpoint, store_path: Path
) -> None:
    endpoint.act = slow(0.4)
    paused = start(20, concurrency=2, timeout=60, stale=3, run="paused")
    until(lambda: len(endpoint.seen) >= 5)
    paused.send_signal(signal.SIGSTOP)
    other = end_of(start(20, concurrency=2, stale=3, run="other"))
    assert not other["errors"] and len(other["replies"]) == 20
    paused.send_signal(signal.SIGCONT)
    first = end_of(paused)
    assert first["replies"] == other["replies"]
    # At most what was in flight when it was paused was asked twice, and then both requests are on record.
    assert len(endpoint.seen) <= 22
    store = Store(store_path)
    paid = [calls.usage(store.db, run).total_calls for run in ("paused", "other")]
    store.close()
    assert paid == [first["paid"], other["paid"]] and sum(paid) == len(endpoint.seen)


def test_a_process_that_was_refused_leaves_its_calls_to_others(
    start: Any, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(3 if number == 1 else 0)
        return fail(401) if "wrong" in request.headers["Authorization"] else say("yes")

    endpoint.act = act
    monkeypatch.setenv("MY_KEY", "wrong-key-wrong-key")
    refused = start(5, api_key_env="MY_KEY", timeout=30)
    until(lambda: endpoint.seen)
    monkeypatch.setenv("MY_KEY", "right-key-right-key")
    other = end_of(start(5, api_key_env="MY_KEY"))
    assert other["replies"] == ["yes"] * 5 and other["paid"] == 5
    assert len(end_of(refused)["errors"]) == 5 and len(endpoint.seen) == 6


def optimizing(tmp_path: Path, make_task: Any, endpoint: Endpoint, processes: int) -> "list[forked.Popen[str]]":
    """The same run, begun by several processes on one store at once."""
    config = {
        "tasks": [make_task(name).model_dump(mode="json", exclude_unset=True) for name in "ab"],
        "base": (spec := endpoint.spec(concurrency=8, timeout=60)), "optimizer": spec, "preset": "quick",
        "train_size": 16, "test_size": 16, "store": str(tmp_path / "m.db"),
    }  # fmt: skip
    (tmp_path / "m.yaml").write_text(json.dumps(config))
    words = [sys.executable, "-m", "metaspo", "optimize", str(tmp_path / "m.yaml"), "--json"]
    pipes: Any = {"stdout": forked.DEVNULL, "stderr": forked.PIPE, "text": True}
    return [forked.Popen(words, **pipes) for _ in range(processes)]


def test_optimizations_at_once_pay_what_one_does(tmp_path: Path, make_task: Any, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: say(_reply(body["messages"][-1]["content"]))
    for process in optimizing(tmp_path, make_task, endpoint, 2):
        error = process.communicate(timeout=200)[1]
        assert process.returncode == 0, error
    bodies = [json.dumps(body, sort_keys=True) for body in endpoint.seen]
    assert len(bodies) == len(set(bodies)) > 50
    assert rows(tmp_path / "m.db", "SELECT count(*) FROM calls") == [(len(bodies),)]
    assert rows(tmp_path / "m.db", "SELECT status, count(*) FROM runs GROUP BY status") == [("done", 2)]


def test_of_two_optimizations_one_is_killed_and_the_other_pays_for_what_was_in_flight(
    tmp_path: Path, make_task: Any, endpoint: Endpoint
) -> None:
    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(0.05)
        return say(_reply(body["messages"][-1]["content"]))

    endpoint.act = act
    killed, other = optimizing(tmp_path, make_task, endpoint, 2)
    until(lambda: len(endpoint.seen) > 60)
    killed.kill()
    killed.communicate()
    error = other.communicate(timeout=200)[1]
    assert other.returncode == 0, error
    bodies = [json.dumps(body, sort_keys=True) for body in endpoint.seen]
    # Eight in flight, and as many that were answered: a slot is free while the reply before is written to a busy disk.
    assert len(bodies) <= len(set(bodies)) + 16
    assert rows(tmp_path / "m.db", "SELECT count(*) FROM calls") == [(len(set(bodies)),)]
    before = len(endpoint.seen)
    metaspo.resume(rows(tmp_path / "m.db", "SELECT id FROM runs WHERE status = 'running'")[0][0], store=tmp_path / "m.db")
    assert len(endpoint.seen) == before


def _reply(text: str) -> str:
    number = sum(map(ord, text))
    if "between <prompt> and </prompt>" in text:
        return f"<prompt>Prompt number {number}.{chr(10) + '{question}' if '{question} exactly once' in text else ''}</prompt>"
    return "yes" if number % 3 else "no"


@pytest.fixture
async def desks(store_path: Path, endpoint: Endpoint) -> AsyncIterator[list[Desk]]:
    """Two ledgers on one store that know nothing of each other, as two processes have."""
    registries = [Registry(), Registry()]
    yield [await Desk(registry, store_path).open(endpoint.spec(concurrency=1)) for registry in registries]
    for registry in registries:
        await registry.close()


async def in_flight(endpoint: Endpoint, count: int = 1) -> None:
    await asyncio.to_thread(until, lambda: len(endpoint.seen) >= count)


async def one_asks_one_waits(
    first: Desk, second: Desk, endpoint: Endpoint, text: str = "hi"
) -> tuple["asyncio.Task[Any]", "asyncio.Task[Any]"]:
    """The same call asked twice: by one whose request has arrived, and by one who waits for it."""
    asking = asyncio.create_task(first.ask(text))
    await in_flight(endpoint)
    waiting = asyncio.create_task(second.ask(text))
    await asyncio.sleep(0.2)
    return asking, waiting


async def test_whoever_waits_pays_nothing_and_needs_no_budget(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = slow(0.5)
    first, second = desks
    second.account = Account("second", Budget(calls=0))
    asking = asyncio.create_task(first.ask())
    await in_flight(endpoint)
    assert await second.ask() == await asking
    assert len(endpoint.seen) == 1 and second.account.usage.total_calls == 0 and second.account.usage.cached == 1
    with pytest.raises(BudgetSpent):
        await second.ask("another")
    assert (await first.ask("another")).text == "answer to another"


async def test_whoever_waits_holds_no_slot(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: slow(2 if number == 1 else 0)(request, body, number)
    first, second = desks
    asking, waiting = await one_asks_one_waits(first, second, endpoint, "slow")
    await second.ask("quick")
    assert not waiting.done()
    assert await waiting == await asking and len(endpoint.seen) == 2


async def test_two_that_wait_for_each_other_both_get_on(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = slow(0.05)
    first, second = desks
    texts = [str(number) for number in range(20)]
    replies = await asyncio.gather(*(first.ask(text) for text in texts), *(second.ask(text) for text in reversed(texts)))
    assert len(endpoint.seen) == 20 and [reply.text for reply in replies[:20]] == [f"answer to {text}" for text in texts]


async def test_a_run_that_is_stopped_waits_no_longer(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = slow(2)
    first, second = desks
    asking, waiting = await one_asks_one_waits(first, second, endpoint)
    second.account.stop()
    with pytest.raises(Interrupted):
        await waiting
    assert not asking.done() and (await asking).text == "answer to hi"


async def test_what_was_abandoned_is_asked_by_whoever_waits(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: slow(60 if number == 1 else 0)(request, body, number)
    first, second = desks
    asking, waiting = await one_asks_one_waits(first, second, endpoint)
    first.ledger.abandon()
    assert (await waiting).text == "answer to hi" and len(endpoint.seen) == 2
    assert isinstance((await asyncio.gather(asking, return_exceptions=True))[0], asyncio.CancelledError)


async def test_draws_of_the_same_request_are_calls_of_their_own(desks: list[Desk], endpoint: Endpoint) -> None:
    endpoint.act = slow(0.1)
    await asyncio.gather(*(desk.ask(sample=f"draw {number}") for number in range(3) for desk in desks))
    assert len(endpoint.seen) == 3


async def test_a_budget_that_ends_one_run_does_not_end_another_that_waits(desks: list[Desk], endpoint: Endpoint) -> None:
    """Two runs of one process: the first one asks, and may not."""
    [desk, _] = desks
    one, other = Account("one", Budget(calls=0)), Account("other")
    desk.account = one
    asking = asyncio.create_task(desk.ask())
    await asyncio.sleep(0)
    desk.account = other
    assert (await desk.ask()).text == "yes"
    with pytest.raises(BudgetSpent):
        await asking
    assert len(endpoint.seen) == 1 and other.usage.total_calls == 1


@pytest.mark.parametrize("name", ["elsewhere", "here"])
async def test_the_claims_of_a_process_that_cannot_be_seen_end_with_its_signs_of_life(
    name: str, desks: list[Desk], endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine, or in another container of this one, where pids mean other processes."""
    from metaspo.domain.processes import host

    monkeypatch.setattr(claims, "STALE_AFTER", 1.0)
    desk, other = desks
    asking = asyncio.create_task(desk.ask())
    await asking
    host_name = host() if name == "here" else "another-machine"
    other.store.db.execute("INSERT INTO processes VALUES ('far', 1, ?, '5@boot.1', 0, 0)", [host_name])
    key = await _key(desk, "far away")
    other.store.db.execute("INSERT INTO claims VALUES (?, 'far', 0)", [key])
    waiting = asyncio.create_task(desk.ask("far away"))
    for _ in range(5):
        await asyncio.sleep(0.4)
        assert not waiting.done()
        await other.store.run(lambda db: db.execute("UPDATE processes SET beat = beat + 1 WHERE id = 'far'"))
    assert (await waiting).text == "yes" and len(endpoint.seen) == 2


async def _key(desk: Desk, text: str) -> str:
    from metaspo.domain.calls import Request, call_key

    return call_key(desk.model.identity, Request((("user", text),), 16, 0.0).content())
