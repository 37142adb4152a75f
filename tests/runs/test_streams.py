"""What a server's streams bring: small parts, and the problem with its examples not again and again."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient

from ..helpers.agent_server import AgentServer
from ..helpers.stream_sizes import APART, DICE, TOGETHER, begun, measured, streamed, told


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentServer]:
    server = begun(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.mark.long
async def test_the_page_tells_what_each_mode_brings(client: LangGraphClient) -> None:
    calls, sizes = await measured(client)
    said, figures = told()
    assert set(sizes) == set(figures) == {*TOGETHER, *APART} - {"messages-tuple"}
    off = [mode for mode, size in sizes.items() if abs(size / 1000 - figures[mode]) > 1 + figures[mode] / 10]
    assert calls == said and not off, "run: python -m tests.helpers.stream_sizes"


INLINE = 2000
LAST = "Is 1999 a number that people like?"
BLOCK = {
    "name": "numbers",
    "user_prompt": "Say yes or no.\n{question}",
    "examples": [
        {"question": f"Is {n} a number that people like?", "answer": "no" if n % 2 else "yes", "split": "test" if n > 99 else "train"}
        for n in range(INLINE)
    ],
    "reader": {"kind": "choice", "labels": ["yes", "no"]},
}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "metaspo": {"preset": "quick", "method": "metaspo", "iterations": 2, "train_size": 4, "test_size": 4},
    "adapt": {"preset": "quick", "iterations": 2, "train_size": 4, "test_size": 4},
    "generalize": {"preset": "quick", "prompts": 3, "train_size": 20, "test_size": 4},
}


@pytest.mark.long
@pytest.mark.parametrize("graph", GIVEN)
async def test_no_mode_repeats_the_examples_of_a_task(graph: str, client: LangGraphClient) -> None:
    for modes in (TOGETHER, APART):
        found = Counter[str]()
        async for mode, data in streamed(client, graph, {**GIVEN[graph], "tasks": [BLOCK]}, modes):
            found[mode] += json.dumps(data).count(LAST)
        # Of events the first says what the whole run was given.
        assert set(modes) - {"messages-tuple"} <= set(found) and +found == ({"events": 1} if modes is APART else {})


@pytest.mark.long
async def test_a_fork_by_edit_repeats_them_neither(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "metaspo", input={**GIVEN["metaspo"], "tasks": [BLOCK]}, context=DICE)
    for seed, modes in enumerate((TOGETHER, APART), 1):
        await client.threads.update_state(thread, {"seed": seed})
        found, sizes = Counter[str](), Counter[str]()
        async for part in client.runs.stream(thread, "metaspo", input=None, stream_mode=modes):
            text = json.dumps(part.data)
            assert part.event != "error", text
            found[part.event] += text.count(LAST)
            sizes[part.event] += len(text)
        assert not +found and sizes["debug" if modes is TOGETHER else "events"] > 20_000


@pytest.mark.long
async def test_the_state_has_all_that_was_given(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, "metaspo", input={**GIVEN["metaspo"], "tasks": [BLOCK]}, context=DICE)
    state: Any = await client.threads.get_state(thread)
    history: Any = await client.threads.get_history(thread, limit=3)
    assert all(known["values"]["tasks"] == [BLOCK] for known in (state, *history))
    # A list of threads stays a list of threads.
    assert len(json.dumps(await client.threads.get(thread))) < 10_000
