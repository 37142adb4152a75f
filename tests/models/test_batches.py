"""Calls that go out in batches: gathered, found again, collected, and asked again where they were not answered."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from metaspo.domain.calls import Reply, Request
from metaspo.domain.errors import AwaitsBatch, BudgetSpent, EndpointUnavailable, Interrupted, MetaspoError, ModelError
from metaspo.models import batches as gathering
from metaspo.models import collecting
from metaspo.models.account import Account
from metaspo.models.budget import Budget
from metaspo.models.registry import Registry
from metaspo.models.spec import ModelSpec
from tests.helpers.batch_host import BatchHost
from tests.helpers.endpoint import completion, fail


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SETTLED", 0.1)
    monkeypatch.setattr(collecting, "FIRST_LOOK", 0.05)


@pytest.fixture
def host() -> Iterator[BatchHost]:
    host = BatchHost(lambda body: completion(f"reply to {body['messages'][-1]['content']}"))
    yield host
    host.close()


def request(text: str) -> Request:
    return Request((("system", "S"), ("user", text)), 50, 0.0)


async def asked(
    store: Path, spec: Any, texts: list[str], account: Account, within: Callable[[Account], Any] | None = None
) -> list[Reply | MetaspoError]:
    """What comes of calls that are asked at once, by a process that has just begun."""
    registry = Registry()
    async with registry.used():
        _, ledger = await registry.ledger(store)
        model = await registry.model(ModelSpec.parse(spec))
        calls = [asyncio.ensure_future(ledger.call(model, request(text), "base", account)) for text in texts]
        if within is not None:
            await within(account)
        found = await asyncio.gather(*calls, return_exceptions=True)
        await ledger.settle(account)
        return [one if isinstance(one, MetaspoError) else one[1] for one in found]  # type: ignore[misc, index]


def texts(found: list[Any]) -> list[str]:
    return [one.text if isinstance(one, Reply) else f"{type(one).__name__}: {one}" for one in found]


async def test_calls_go_out_together_and_are_paid_once_at_half_the_price(host: BatchHost, store_path: Path) -> None:
    account = Account("run")
    spec = host.spec(batch=True, input_price=1, output_price=2)
    found = await asked(store_path, spec, ["a", "b", "a", "c"], account)
    assert texts(found) == ["reply to a", "reply to b", "reply to a", "reply to c"]
    assert host.begun == 1 and len(host.lines) == 3 == account.usage.total_calls
    assert account.usage.cost == pytest.approx(3 * (10 * 1 + 2 * 2) / 1e6 / 2)
    again = Account("other")
    assert texts(await asked(store_path, spec, ["c", "a"], again)) == ["reply to c", "reply to a"]
    assert host.begun == 1 and again.usage.total_calls == 0 and again.usage.cached == 2
    # A call's key does not say how it went out.
    direct = Account("direct")
    assert texts(await asked(store_path, host.spec(), ["b"], direct)) == ["reply to b"] and direct.usage.total_calls == 0


async def test_the_body_is_the_one_that_a_single_request_would_have(store_path: Path, tmp_path: Path) -> None:
    host = BatchHost()
    try:
        for settings in ({}, {"seed": 5}):
            await asked(store_path, host.spec(batch=True, **settings), ["a"], Account("run"))
            await asked(tmp_path / "other.db", host.spec(**settings), ["a"], Account("run"))
        batched, direct, seeded, direct_seeded = host.seen
        assert {name: value for name, value in direct.items() if name != "stream"} == batched
        assert {name: value for name, value in direct_seeded.items() if name != "stream"} == seeded and seeded["seed"] == 5
    finally:
        host.close()


async def test_a_session_ends_while_its_batch_is_worked_on_and_another_collects_it(host: BatchHost, store_path: Path) -> None:
    host.looks = 10**6
    account = Account("run", exits_when_waiting=True)
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], account)
    assert {type(one) for one in found} == {AwaitsBatch} and host.begun == 1
    [batch] = host.batches
    assert f"waiting for batch {batch} at 127.0.0.1" in str(found[0]) and "metaspo resume run" in str(found[0])
    # It looks, and leaves again.
    assert {
        type(one) for one in await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run", exits_when_waiting=True))
    } == {AwaitsBatch}
    host.work(batch)
    last = Account("run", exits_when_waiting=True)
    assert texts(await asked(store_path, host.spec(batch=True), ["a", "b"], last)) == ["reply to a", "reply to b"]
    assert host.begun == 1 and last.usage.total_calls == 2 and last.reserved == 0


async def test_an_interrupt_leaves_at_once_and_loses_nothing(host: BatchHost, store_path: Path) -> None:
    host.looks = 10**6

    async def interrupt(account: Account) -> None:
        await asyncio.to_thread(host.has_begun.wait, 10)
        account.stop(Interrupted("interrupted"))

    account = Account("run")
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], account, interrupt)
    assert {type(one) for one in found} == {Interrupted} and account.reserved == 0
    host.looks = 0
    assert texts(await asked(store_path, host.spec(batch=True), ["b", "a"], Account("run"))) == ["reply to b", "reply to a"]
    assert host.begun == 1


async def test_a_batch_whose_name_was_lost_is_found_again(host: BatchHost, store_path: Path) -> None:
    host.lose_create = 1
    account = Account("run")
    assert texts(await asked(store_path, host.spec(batch=True), ["a", "b"], account)) == ["reply to a", "reply to b"]
    assert host.begun == 1 and account.usage.total_calls == 2


@pytest.mark.parametrize("end", ["expired", "cancelled", "completed"])
async def test_what_a_batch_did_not_answer_goes_out_again(host: BatchHost, store_path: Path, end: str) -> None:
    host.end_as, first = end, {}

    def left_out(key: str, number: int) -> bool:
        first.setdefault(key, number)
        return number == 1 and len(first) % 2 == 0

    host.leave_out = left_out
    account = Account("run")
    found = await asked(store_path, host.spec(batch=True), list("abcd"), account)
    assert texts(found) == [f"reply to {text}" for text in "abcd"]
    assert host.begun == 2 and len(host.lines) == 6 and account.usage.total_calls == 4


async def test_a_call_that_no_batch_answers_is_set_aside_where_others_are_answered(host: BatchHost, store_path: Path) -> None:
    def left_out(key: str, number: int) -> bool:
        return key == host.lines[0]

    host.leave_out = left_out
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run"))
    assert texts(found)[1] == "reply to b" and isinstance(found[0], Reply) and found[0].finish == "failed"
    assert host.begun == collecting.TRIES and "3 batches ended without a reply" in found[0].error


async def test_an_endpoint_that_answers_nothing_ends_the_run(host: BatchHost, store_path: Path) -> None:
    host.end_as, host.leave_out = "expired", lambda key, number: True
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run"))
    assert {type(one) for one in found} == {EndpointUnavailable} and host.begun == collecting.TRIES


async def test_one_refused_line_is_that_examples_outcome(host: BatchHost, store_path: Path) -> None:
    error = {"message": "this prompt is odd", "code": "invalid_prompt"}
    host.refuse = lambda body: (400, error) if body["messages"][-1]["content"] == "b" else None
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run"))
    assert texts(found)[0] == "reply to a" and isinstance(found[1], Reply)
    assert (found[1].finish, found[1].text) == ("refused", "") and "this prompt is odd" in found[1].error


async def test_lines_that_are_all_refused_end_the_run_in_the_endpoints_words(host: BatchHost, store_path: Path) -> None:
    host.refuse = lambda body: (404, {"message": "no model m here", "code": "model_not_found"})
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run"))
    assert {type(one) for one in found} == {ModelError} and "no model m here" in str(found[0])


async def test_a_failed_batch_ends_the_run_and_is_forgotten(host: BatchHost, store_path: Path) -> None:
    host.end_as = "failed"
    found = await asked(store_path, host.spec(batch=True), ["a"], Account("run"))
    assert isinstance(found[0], ModelError) and "The model does not exist" in str(found[0])
    host.end_as = "completed"
    assert texts(await asked(store_path, host.spec(batch=True), ["a"], Account("run"))) == ["reply to a"]
    assert host.begun == 2


async def test_batches_that_are_refused_end_the_run(host: BatchHost, store_path: Path) -> None:
    host.act = lambda request, body, number: fail(403, "batches are not for you")
    found = await asked(store_path, host.spec(batch=True), ["a"], Account("run"))
    assert isinstance(found[0], ModelError) and "batches are not for you" in str(found[0])


async def test_a_batch_that_is_gone_is_sent_again_and_said_so(host: BatchHost, store_path: Path) -> None:
    host.looks = 10**6
    await asked(store_path, host.spec(batch=True), ["a"], Account("run", exits_when_waiting=True))
    host.batches.clear()
    host.looks = 0
    account = Account("run")
    assert texts(await asked(store_path, host.spec(batch=True), ["a"], account)) == ["reply to a"]
    assert host.begun == 2 and "not at" in account.notes[0]


async def test_a_budget_of_calls_is_not_overshot_and_what_fits_is_asked(host: BatchHost, store_path: Path) -> None:
    account = Account("run", Budget(calls=2))
    found = await asked(store_path, host.spec(batch=True), list("abcd"), account)
    assert sorted(type(one).__name__ for one in found) == ["BudgetSpent", "BudgetSpent", "Reply", "Reply"]
    assert len(host.lines) == 2 == account.usage.total_calls and isinstance(account.stopped, BudgetSpent)


async def test_what_is_sent_is_collected_whatever_the_budget(host: BatchHost, store_path: Path) -> None:
    host.looks = 10**6
    await asked(store_path, host.spec(batch=True), ["a", "b"], Account("run", exits_when_waiting=True))
    host.looks = 0
    account = Account("run", Budget(calls=1))
    assert texts(await asked(store_path, host.spec(batch=True), ["a", "b"], account)) == ["reply to a", "reply to b"]
    assert account.usage.total_calls == 2


async def test_two_processes_share_a_batch(host: BatchHost, store_path: Path) -> None:
    host.looks = 8
    accounts = [Account("one"), Account("two")]
    found = await asyncio.gather(*(asked(store_path, host.spec(batch=True), ["a", "b"], one) for one in accounts))
    assert [texts(one) for one in found] == [["reply to a", "reply to b"]] * 2
    assert len(set(host.lines)) == len(host.lines) == 2 == sum(one.usage.total_calls for one in accounts)


async def test_more_calls_than_a_batch_holds_go_out_in_several(
    host: BatchHost, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST_REQUESTS", 2)
    found = await asked(store_path, host.spec(batch=True), list("abcde"), Account("run"))
    assert texts(found) == [f"reply to {text}" for text in "abcde"] and host.begun >= 3


def test_batches_are_for_endpoints_that_have_them() -> None:
    with pytest.raises(ModelError, match="batch=true is for 'openai' and 'server'"):
        ModelSpec.parse("scripted:dice,batch=true")


async def test_a_session_does_not_leave_while_it_collects(host: BatchHost, store_path: Path) -> None:
    host.looks = 0
    # A download that takes longer than a session waits before it leaves.
    host.when_downloaded = lambda: time.sleep(1.0)
    account = Account("run", exits_when_waiting=True)
    found = await asked(store_path, host.spec(batch=True), ["a", "b"], account)
    assert texts(found) == ["reply to a", "reply to b"] and host.begun == 1
