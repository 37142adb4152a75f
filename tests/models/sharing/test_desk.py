"""Workers with a store each, as one study: calls, budgets, ends and attempts, over a desk within this process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.calls import Reply
from metaspo.domain.errors import BudgetSpent, ConfigError, Interrupted, ModelError, RunHeldError, RunStopped
from metaspo.models.account import Account
from metaspo.models.registry import Registry
from metaspo.models.sharing import wire
from metaspo.models.sharing.messages import KINDS, LineLost, Reason, Worker
from metaspo.store import calls

from ...helpers.endpoint import Endpoint, fail, say
from ...helpers.study_desk import Direct, Study, rows_of, until


@pytest.fixture
async def study(tmp_path: Path) -> AsyncIterator[Study]:
    found = await Study(tmp_path).open()
    yield found
    await found.close()


def slow(endpoint: Endpoint, seconds: float = 0.05) -> dict[str, Any]:
    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(seconds)
        return say(f"answer to {body['messages'][0]['content']}")

    endpoint.act = act
    return endpoint.spec(concurrency=4, timeout=30)


def asked(endpoint: Endpoint) -> Counter[str]:
    return Counter(body["messages"][0]["content"] for body in endpoint.seen)


async def test_what_several_workers_ask_is_paid_once_and_is_in_the_store_of_each(study: Study, endpoint: Endpoint) -> None:
    spec, texts = slow(endpoint), [f"call {number}" for number in range(12)]
    workers = [await study.worker(run, spec, slow=0.01) for run in ("a", "b", "c")]
    found = await asyncio.gather(*(worker.ask_all(texts) for worker in workers))
    assert found == [[f"answer to {text}" for text in texts]] * 3
    assert asked(endpoint) == Counter(texts) and endpoint.most_open <= 4
    usages = [worker.account.usage for worker in workers]
    assert sum(usage.total_calls for usage in usages) == 12 and sum(usage.cached for usage in usages) == 24
    assert study.account.usage.total_calls == 12 and study.account.reserved == 0
    there = rows_of(study.desk.store)
    for worker in workers:
        # Outcomes of a run refer to calls that are there, and what it paid for is what it paid for.
        assert rows_of(worker.store) == there
        assert calls.usage(worker.store.db, worker.account.run).total_calls == worker.account.usage.total_calls


async def test_calls_never_go_beyond_the_budget_of_all_and_idle_workers_hear_of_the_end(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    async with Study(tmp_path, calls=7) as study:
        spec = slow(endpoint)
        one, other, idle = [await study.worker(run, spec, slow=0.01) for run in ("a", "b", "idle")]
        found = await asyncio.gather(
            *(worker.ask_all([f"{worker.account.run} {n}" for n in range(10)]) for worker in (one, other))
        )
        await asyncio.wait_for(idle.account._alarm.wait(), 20)
        assert isinstance(idle.account.stopped, BudgetSpent) and "7 calls" in str(idle.account.stopped)
        assert {type(reply) for replies in found for reply in replies} == {str, BudgetSpent}
        assert len(endpoint.seen) == 7 == study.account.usage.total_calls == calls.count(study.desk.store.db)


@pytest.mark.long
@pytest.mark.parametrize(
    "reason", [Interrupted("interrupted"), ModelError("server:m: wrong key")], ids=["ctrl-c", "a wrong key"]
)
async def test_an_end_lets_calls_in_flight_finish(study: Study, endpoint: Endpoint, reason: Any) -> None:
    worker = await study.worker("a", slow(endpoint, 0.5))
    under_way = asyncio.create_task(worker.ask_all([f"call {number}" for number in range(9)]))
    await until(lambda: len(endpoint.seen) == 5)
    study.desk.stop(reason)
    found = await under_way
    # The first goes alone, and then as many as there are slots.
    assert len(endpoint.seen) == 5 and sum(isinstance(reply, str) for reply in found) == 5 == study.account.usage.total_calls
    assert {(type(reply), str(reply)) for reply in found if not isinstance(reply, str)} == {(type(reason), str(reason))}


async def test_one_worker_ends_the_study_for_all(study: Study, endpoint: Endpoint) -> None:
    endpoint.act = lambda request, body, number: fail(401, "wrong key")
    one, other = await study.worker("a", endpoint.spec()), await study.worker("b", endpoint.spec())
    [error] = await one.ask_all(["hi"])
    assert isinstance(error, ModelError)
    one.parent.end(error)  # type: ignore[attr-defined]
    await asyncio.wait_for(other.account._alarm.wait(), 20)
    assert str(other.account.stopped) == str(error) and isinstance(study.account.stopped, ModelError)


@pytest.mark.long
async def test_the_newest_attempt_counts_and_what_an_older_one_pays_late_is_kept(study: Study, endpoint: Endpoint) -> None:
    spec = slow(endpoint, 0.5)
    old = await study.worker("a", spec)
    under_way = asyncio.create_task(old.ask_all(["one", "two", "three", "four", "five", "never"]))
    await until(lambda: len(endpoint.seen) == 5 and study.account.usage.total_calls == 1)
    new = await study.worker("a", spec, attempt=2)
    found = await under_way
    assert {type(reply) for reply in found[1:]} == {RunHeldError} and "attempt 1" in str(found[1])
    assert sorted(asked(endpoint)) == ["five", "four", "one", "three", "two"] and study.account.reserved == 0
    assert await new.ask_all(["one", "two", "six"]) == ["answer to one", "answer to two", "answer to six"]
    assert len(endpoint.seen) == 6 == calls.count(study.desk.store.db) == study.account.usage.total_calls
    again = await study.worker("b", spec)
    await study.desk.forget("a", 1)  # That the first is lost is told after the second has begun.
    assert await new.ask_all(["seven"]) == ["answer to seven"]
    await study.desk.forget("a")
    assert isinstance((await new.ask_all(["eight"]))[0], RunHeldError) and not isinstance(again.account.stopped, RunHeldError)


async def test_what_a_lost_worker_had_comes_back_at_once(tmp_path: Path, endpoint: Endpoint) -> None:
    async with Study(tmp_path, calls=3) as study:

        async def act(request: Any, body: Any, number: int) -> Any:
            if number == 1:
                await asyncio.sleep(30)
            return say("yes")

        endpoint.act = act
        spec = endpoint.spec(concurrency=1, timeout=60)
        lost, other = await study.worker("lost", spec), await study.worker("other", spec)
        dead = asyncio.create_task(lost.ask_all(["same"]))
        await until(lambda: endpoint.seen)
        waiting = asyncio.create_task(other.ask_all(["same", "another", "third"]))
        await asyncio.sleep(0.2)
        assert not waiting.done() and study.account.reserved == 1 and len(endpoint.seen) == 1
        lost.line.cut.set()  # The process is gone.
        await until(lambda: lost.account.stopped)
        await study.desk.forget("lost")
        assert await waiting == ["yes"] * 3 and study.account.usage.total_calls == 3 and study.account.reserved == 0
        lost.ledger.abandon()
        await dead
        assert isinstance(lost.account.stopped, LineLost)


async def test_a_worker_that_begins_anew_without_its_disk_asks_nothing_twice_and_knows_what_it_paid(
    study: Study, endpoint: Endpoint
) -> None:
    spec, texts = slow(endpoint), [f"call {number}" for number in range(6)]
    first = await study.worker("a", spec)
    await first.ask_all(texts)
    second = await study.worker("a", spec, attempt=2)
    assert calls.usage(second.store.db, "a").total_calls == 6
    assert None not in await second.ask_all([*texts, "one more"]) and len(endpoint.seen) == 7
    assert second.account.usage.cached == 6 and second.account.usage.total_calls == 1


@pytest.mark.long
async def test_a_desk_that_is_gone_ends_every_wait_and_what_was_paid_is_not_paid_again(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    async with Study(tmp_path) as study:
        spec = slow(endpoint, 0.5)
        worker, idle = await study.worker("a", spec), await study.worker("idle", spec)
        under_way = asyncio.create_task(worker.ask_all(["one", "two", "three", "four", "five", "six"]))
        await until(lambda: len(endpoint.seen) == 5 and study.account.usage.total_calls == 1)
        worker.line.cut.set()
        idle.line.cut.set()
        found = await under_way
        await asyncio.wait_for(idle.account._alarm.wait(), 20)
        assert {type(error) for error in [*found[1:], idle.account.stopped]} == {LineLost} and len(endpoint.seen) == 5
        assert isinstance(found[1], RunStopped) and "run the same command again" in str(found[1])
    path = worker.path
    async with Study(tmp_path) as again:
        assert calls.count(again.desk.store.db) == 1
        path.rename(tmp_path / "a-2.db")
        for name in ("-wal", "-shm"):
            assert not path.with_name(path.name + name).exists()
        second = await again.worker("a", spec, attempt=2)
        assert rows_of(second.store) == rows_of(again.desk.store) and again.account.usage.total_calls == 4
        assert await second.ask_all(["one", "five", "six"]) == ["answer to one", "answer to five", "answer to six"]
        assert len(endpoint.seen) == 6


async def test_a_desk_that_says_nothing_is_gone(study: Study, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SILENCE", 0.3)

    class Deaf(Direct):
        async def ask(self, what: str, *args: Any) -> Any:
            await asyncio.Event().wait()

    line = Deaf(study.desk, Worker("a", 1))
    registry = Registry()
    parent = registry.share(line)
    with pytest.raises(LineLost, match=r"silent for 0\.3 s"):
        await registry.ledger(study.folder / "a.db")
    assert isinstance(parent.stopped, LineLost)
    await registry.close()


async def test_a_second_reply_is_kept_in_both_stores_and_counted_once_each(study: Study, endpoint: Endpoint) -> None:
    worker = await study.worker("a", endpoint.spec())
    await worker.ask("hi")
    [row] = rows_of(study.desk.store)
    late = replace(row, run="b", reply=Reply("later", input_tokens=1, output_tokens=1))
    other = await study.worker("b", endpoint.spec())
    assert await other.store.record_call(late) == row.reply
    assert rows_of(other.store) == rows_of(study.desk.store) and len(rows_of(other.store)) == 2
    assert study.account.usage.total_calls == 2
    assert await study.desk.answer(Worker("b", 1), "record", ([row],)) == [[]]  # The same once more is not paid.
    assert study.account.usage.total_calls == 2 == calls.count(study.desk.store.db)


@pytest.mark.parametrize(
    ("what", "args"), [("close", ()), ("store", ()), ("__init__", ()), ("_free", (1,)), ("find", ()), ("news", (1, 2, 3))]
)
async def test_what_comes_over_the_line_is_data(study: Study, what: str, args: Any) -> None:
    assert isinstance(await study.desk.answer(Worker("a", 1), what, args), Reason)


async def test_workers_of_another_version_and_batches_are_refused(study: Study, endpoint: Endpoint) -> None:
    refused = await study.desk.answer(Worker("a", 1), "greet", ("0.0.1",))
    assert isinstance(refused.error(), ConfigError) and "install the same on all machines" in refused.said
    with pytest.raises(ConfigError, match="batch: true gathers the calls of one process"):
        await study.worker("a", endpoint.spec(batch=True))


async def test_notes_reach_the_desk_and_later_workers(study: Study, endpoint: Endpoint) -> None:
    endpoint.act = lambda *_: {"choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]}
    told: list[str] = []
    study.account.told = told.append
    worker = await study.worker("a", endpoint.spec())
    worker.account.note("something of a run")
    await worker.close()
    assert told == ["something of a run"]
    assert (await study.worker("b", endpoint.spec())).parent.notes == told


async def test_a_limit_a_minute_holds_for_all(study: Study, endpoint: Endpoint) -> None:
    spec = endpoint.spec(requests_per_minute=10)  # One at once, and one more every six seconds.
    one, other = await study.worker("a", spec), await study.worker("b", spec)
    assert await one.ask("one") == "yes"
    waiting = asyncio.create_task(other.ask_all(["two", "three"]))
    await asyncio.sleep(0.5)
    assert len(endpoint.seen) == 1 and not waiting.done()
    study.desk.stop()
    assert {type(error) for error in await waiting} == {Interrupted} and len(endpoint.seen) == 1


def test_errors_travel_as_what_they_are() -> None:
    for name, kind in KINDS.items():
        reason = Reason.of(kind("said"))
        assert (reason.kind, type(reason.error()), str(reason.error())) == (name, kind, "said")
    lost = Reason.of(LineLost("cut")).error()
    assert type(lost) is RunStopped and "run the same command again" in str(lost)


async def test_a_reservation_is_given_back_when_the_study_refuses_or_the_asker_is_cancelled(
    study: Study, endpoint: Endpoint
) -> None:
    worker = await study.worker("a", endpoint.spec(), slow=0.05)
    asking = asyncio.create_task(worker.account.reserve("base"))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await worker.close()
    assert worker.account.reserved == 0 == study.account.reserved
    parent, child = Account(""), Account("run")
    child.under(parent)
    parent.stop()
    with pytest.raises(Interrupted):
        await child.reserve("base")
    assert child.reserved == 0
