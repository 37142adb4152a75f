"""What an endpoint did on a bad day is an outcome of that run: it stands there, and the next run asks again."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import metaspo
from metaspo.store import calls
from metaspo.store.database import Store

from ..helpers.endpoint import Endpoint, completion, fail, say

BAD_DAYS: dict[str, Callable[[], Any]] = {
    "context": lambda: fail(400, "This model's maximum context length is 10 tokens"),
    "filter": lambda: fail(400, "no", "content_filter"),
    "empty": lambda: say(""),
    "null": lambda: say(None),
    "blank": lambda: say(" \n"),
    "empty, cut off": lambda: say("", "length"),
    "half a filtered reply": lambda: say("I", "content_filter"),
    "Gemini's filter": lambda: say("I", "SAFETY"),
}


def run(make_task: Callable[..., Any], endpoint: Endpoint, store: Path, **settings: Any) -> Any:
    task = make_task("t", 45, **{key: settings.pop(key) for key in ("metric", "reader") if key in settings})
    return metaspo.optimize(
        tasks=[task], base=endpoint.spec(concurrency=4), optimizer="scripted:dice", method="outer_only", preset="quick",
        store=store, train_size=15, validation_size=0, test_size=15, **settings,
    )  # fmt: skip


def right(body: Any) -> web.Response:
    """The answer that the test's tasks want."""
    number = int(body["messages"][-1]["content"].split("Is ")[1].split()[0])
    return say("yes" if number % 2 else "no")


@pytest.mark.long
@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_new_run_asks_again_what_got_no_reply(
    day: str, make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    endpoint.act = lambda *_: BAD_DAYS[day]()
    with pytest.raises(metaspo.ModelError):
        run(make_task, endpoint, store_path)
    endpoint.act = lambda request, body, number: right(body)
    before = len(endpoint.seen)
    report = run(make_task, endpoint, store_path).report
    assert len(endpoint.seen) > before and report.tasks[0].after == 1.0 and report.splits.train == 1.0
    after = len(endpoint.seen)
    assert run(make_task, endpoint, store_path).report.tasks[0].after == 1.0 and len(endpoint.seen) == after


@pytest.mark.long
def test_a_score_that_rests_on_a_bad_moment_is_not_another_runs(
    make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    endpoint.act = lambda request, body, number: say("") if number % 3 == 0 else right(body)
    first = run(make_task, endpoint, store_path).report
    assert first.tasks[0].before < 1.0
    asked, endpoint.act = len(endpoint.seen), lambda request, body, number: right(body)
    assert run(make_task, endpoint, store_path).report.tasks[0].before == 1.0
    # Facts are not asked again: no more calls than there were empty replies, but for candidates of other examples.
    again = [str(body["messages"]) for body in endpoint.seen[asked:]]
    answered = [str(body["messages"]) for at, body in enumerate(endpoint.seen[:asked], 1) if at % 3]
    assert again and not set(again) & set(answered)


def test_a_filtered_grade_is_not_another_runs(make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        if "<grade>" not in str(body["messages"]):
            return say("an answer to " + body["messages"][-1]["content"])
        return say("", "content_filter") if filtered and "Is 1" in str(body["messages"]) else say("<grade>5</grade>")

    filtered, endpoint.act = True, act
    judged = {
        "metric": {"kind": "judge", "rubric": "Good.", "model": f"server:j,base_url={endpoint.url}"},
        "reader": {"from": "reply"},
    }
    assert run(make_task, endpoint, store_path, **judged).report.tasks[0].replies_after.ungraded > 0
    filtered = False
    assert run(make_task, endpoint, store_path, **judged).report.tasks[0].replies_after.ungraded == 0


async def test_within_a_run_an_outcome_stands(open_store: Callable[[], Store], endpoint: Endpoint) -> None:
    from metaspo import ModelSpec
    from metaspo.domain.calls import Request
    from metaspo.models.account import Account
    from metaspo.models.ledger import Ledger
    from metaspo.models.registry import Registry

    endpoint.act = lambda request, body, number: say("" if number <= 2 else "yes")
    registry, store = Registry(), open_store()
    ledger, model = Ledger(store), await registry.model(ModelSpec.parse(endpoint.spec()))
    request = Request((("user", "hi"),), 16, 0.0)

    async def ask(run: str) -> tuple[str, str]:
        key, reply = await ledger.call(model, request, "base", Account(run))
        return key, reply.text

    both = await asyncio.gather(ask("a"), ask("b"))
    assert {key.split("/")[1] for key, _ in both} == {"a", "b"} and len(endpoint.seen) == 2
    assert [await ask("a"), await ask("b")] == both and len(endpoint.seen) == 2
    fact = await ask("c")
    assert fact[1] == "yes" and "/" not in fact[0] and len(endpoint.seen) == 3
    assert await ask("d") == fact and await ask("a") == both[0] and len(endpoint.seen) == 3
    await registry.close()


def test_what_earlier_versions_recorded_as_a_fact_makes_room_for_one(open_store: Callable[[], Store]) -> None:
    from metaspo.domain.calls import Reply

    store = open_store()
    old, new = (calls.Call("k", run, "base", "m", {}, Reply(text), "now") for run, text in (("a", ""), ("b", "yes")))
    store.db.conn.execute(calls.INSERT, old.row())
    calls.record(store.db, [new])
    assert [reply and reply.text for reply in calls.find(store.db, ["k", "k/a"])] == ["yes", ""]


@pytest.mark.long
def test_a_reply_that_broke_off_is_a_fault_and_asked_again(
    make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        if number % 2:
            broken = completion("no", ("error", "ERROR", "insufficient_system_resource")[number % 3])
            broken["choices"][0]["error"] = {"code": 502, "message": "provider is down"}
            return web.json_response(broken)
        return right(body)

    endpoint.act = act
    report = run(make_task, endpoint, store_path).report
    assert report.tasks[0].after == 1.0 and report.tasks[0].replies_after.unparsed == 0
