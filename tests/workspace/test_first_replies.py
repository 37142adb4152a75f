"""A run that gets no answers stops early, with the cause and the setting; one that gets some goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo.store import calls
from metaspo.store.database import open_store

from ..helpers.endpoint import Endpoint, fail, say

TOOL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def tool_call() -> Any:
    from aiohttp import web

    choice = {"index": 0, "message": TOOL, "finish_reason": "tool_calls"}
    return web.json_response({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


CAUSES: dict[str, tuple[Callable[[], Any], str]] = {
    "empty": (lambda: say(""), "max_tokens"),
    "thoughts alone": (lambda: say("<think>what could it be"), "reasoning"),
    "cut off": (lambda: say("Let me see", "length"), "max_tokens"),
    "too long": (lambda: fail(400, "This model's maximum context length is 10 tokens"), "context"),
    "filtered": (lambda: fail(400, "no", "content_filter"), "content filter"),
    "tools": (tool_call, "tools"),
}


def run(make_task: Callable[..., Any], endpoint: Endpoint, store: Path, size: int = 60, **settings: Any) -> Any:
    sizes = {"train_size": size // 3, "validation_size": 0, "test_size": size // 3}
    task = make_task("t", size, **settings)
    base = endpoint.spec(concurrency=4)
    return metaspo.optimize(
        tasks=[task], base=base, optimizer="scripted:dice", method="outer_only", preset="quick", store=store, **sizes
    )


@pytest.mark.long
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("size", [60, 12])
def test_a_run_without_answers_stops_and_says_why(
    cause: str, size: int, make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    act, word = CAUSES[cause]
    endpoint.act = lambda *_: act()
    with pytest.raises(metaspo.ModelError, match=word) as raised:
        run(make_task, endpoint, store_path, size)
    assert len(endpoint.seen) <= 24 and "none of the first" in str(raised.value)


@pytest.mark.long
def test_a_few_answers_are_enough_to_go_on(make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path) -> None:
    endpoint.act = lambda request, body, number: say("yes" if number % 10 == 0 else "")
    assert run(make_task, endpoint, store_path).report.run.status == "done"


@pytest.mark.long
@pytest.mark.parametrize(
    ("reply", "finish"), [("I cannot grade that.", "stop"), ("<think><grade>4</grade>", "stop"), ("<grade>4</grade>", "length")]
)
def test_a_run_without_grades_stops_and_says_what_the_judge_said(
    reply: str, finish: str, make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    endpoint.act = lambda request, body, number: say(reply, finish) if "<grade>" in str(body["messages"]) else say("an answer")
    judged = {
        "metric": {"kind": "judge", "rubric": "Good.", "model": f"server:j,base_url={endpoint.url}"},
        "reader": {"from": "reply"},
    }
    with pytest.raises(metaspo.ModelError, match="judge"):
        run(make_task, endpoint, store_path, **judged)
    assert len(endpoint.seen) <= 60


def test_an_answer_without_a_grade_counts_for_nothing(
    make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    def act(request: Any, body: Any, number: int) -> Any:
        text = str(body["messages"])
        if "<grade>" not in text:
            return say("an answer")
        return say("No grade for that." if "Is 1" in text else "<grade>4/5</grade>")

    endpoint.act = act
    judged = {
        "metric": {"kind": "judge", "rubric": "Good.", "model": f"server:j,base_url={endpoint.url}"},
        "reader": {"from": "reply"},
    }
    report = run(make_task, endpoint, store_path, **judged).report
    assert report.tasks[0].after == 0.75 and 0 < report.tasks[0].replies_after.ungraded < 1
    assert report.source is not None and report.source.value == 0


@pytest.mark.long
@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("size", [60, 12])
def test_a_run_whose_cause_was_mended_begins_afresh(
    cause: str, size: int, make_task: Callable[..., Any], endpoint: Endpoint, store_path: Path
) -> None:
    endpoint.act = lambda *_: CAUSES[cause][0]()
    for _ in range(2):  # What the first run recorded is no reason for the second to be done.
        with pytest.raises(metaspo.ModelError, match="none of the first"):
            run(make_task, endpoint, store_path, size)
        assert metaspo.verify(store=store_path).well
    endpoint.act = lambda request, body, number: say("yes")
    asked = len(endpoint.seen)
    for row in metaspo.verify(store=store_path).runs:
        done = metaspo.resume(row, store=store_path)
        assert done.stopped is None and done.report.tasks[0].before == pytest.approx(0.5, abs=0.25)
    assert len(endpoint.seen) > asked
    with open_store(store_path) as store:
        assert calls.count(store.db) >= len(endpoint.seen)
    assert metaspo.verify(store=store_path).well
