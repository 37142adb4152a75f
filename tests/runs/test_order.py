"""What an endpoint sees of a run: pairs one after another, and nothing at all the second time."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import metaspo
from metaspo import Task

from ..helpers.endpoint import Endpoint, say
from ..helpers.scripts import uneven


def _answers(endpoint: Endpoint) -> None:
    from metaspo.domain.calls import Request

    async def act(request: Any, body: Any, number: int) -> Any:
        await asyncio.sleep(0.01)
        messages = tuple((message["role"], message["content"]) for message in body["messages"])
        return say(uneven(Request(messages, 0, 0.0)))

    endpoint.act = act


def _run(make_task: Callable[..., Task], endpoint: Endpoint, store: Path, **settings: Any) -> metaspo.Result:
    tasks = [make_task("a", user_prompt="Say yes or no.\n\n{question}"), make_task("b", answer_format="One word.")]
    spec = endpoint.spec(concurrency=4)
    sizes: dict[str, Any] = {"preset": "quick", "method": "metaspo", "iterations": 1, "system_candidates": 3, "test_size": 8}
    return metaspo.optimize(tasks=tasks, base=spec, optimizer=spec, store=store, **(sizes | settings))


@pytest.mark.long
def test_requests_of_one_pair_arrive_together_with_the_question_last(
    make_task: Callable[..., Task], endpoint: Endpoint, store_path: Path
) -> None:
    _answers(endpoint)
    _run(make_task, endpoint, store_path)
    base = [body["messages"] for body in endpoint.seen if body["messages"][0]["role"] == "system"]
    assert all(messages[-1]["content"].rsplit("\n", 1)[-1].startswith("Is ") for messages in base)
    pairs = [(messages[0]["content"], messages[-1]["content"].rsplit("\n", 1)[0]) for messages in base]
    assert len(set(pairs)) >= 2 + 4 + 2
    places: dict[Any, list[int]] = {}
    for at, pair in enumerate(pairs):
        places.setdefault(pair, []).append(at)
    for pair, found in places.items():
        # A pair comes once per split; between its requests at most those that were in flight beside them.
        runs = 1 + sum(after - before > 8 for before, after in itertools.pairwise(found))
        assert runs <= 2, pair


@pytest.mark.long
def test_the_same_run_again_asks_for_nothing(make_task: Callable[..., Task], endpoint: Endpoint, store_path: Path) -> None:
    _answers(endpoint)
    first = _run(make_task, endpoint, store_path)
    asked = len(endpoint.seen)
    again = _run(make_task, endpoint, store_path)
    assert asked > 200 and len(endpoint.seen) == asked and again.report.usage.total_calls == 0
    assert again.run != first.run and again.system_prompt == first.system_prompt and again.user_prompts == first.user_prompts
    assert again.report.tasks == first.report.tasks
    assert [row.score for row in again.report.rounds] == [row.score for row in first.report.rounds]


@pytest.mark.long
def test_the_same_run_again_without_its_scores_asks_for_nothing_either(
    make_task: Callable[..., Task], endpoint: Endpoint, store_path: Path, open_store: Any
) -> None:
    _answers(endpoint)
    first = _run(make_task, endpoint, store_path)
    asked = len(endpoint.seen)
    with open_store().db.conn as connection:
        connection.execute("DELETE FROM run_evaluations")
        connection.execute("DELETE FROM outcomes")
        connection.execute("DELETE FROM evaluations")
    again = _run(make_task, endpoint, store_path)
    assert len(endpoint.seen) == asked and again.report.tasks == first.report.tasks
