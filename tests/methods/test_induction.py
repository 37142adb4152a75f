"""Induced prompts: from train examples only, checked like any other, the same for the same seed."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from metaspo import Task
from metaspo.domain.errors import TaskError
from metaspo.methods.induction import induce_user_prompt, system_request, user_request
from metaspo.models.registry import registry
from metaspo.runs.config import config_of
from metaspo.workspace.context import Context
from metaspo.workspace.opening import open_workspace
from metaspo.workspace.problem import Problem
from metaspo.workspace.resources import Workspace

FORMAT = "End with yes or no."
Opener = Callable[..., Any]


@pytest.fixture
async def workspace(make_task: Callable[..., Task], store_path: Path) -> AsyncIterator[Opener]:
    async def opened(optimizer: str = "always_wrong", **settings: Any) -> Workspace:
        config = config_of(
            tasks=[make_task("a", answer_format=FORMAT), make_task("b")], targets=[make_task("c")], base="scripted:dice",
            optimizer=f"scripted:tests.helpers.scripts:{optimizer}", preset="quick", store=store_path, **settings,
        )  # fmt: skip
        context = Context.model_validate(config.context().model_dump())
        return await open_workspace("run", context, Problem.model_validate(config.problem().model_dump()))

    async with registry().used():
        yield opened


def shown(request: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in request.splitlines() if line.startswith('{"input"')]


async def test_a_user_prompt_is_checked_saved_and_the_same_again(workspace: Opener) -> None:
    opened = await workspace()
    task = opened.tasks["a"]
    first = await induce_user_prompt(opened, task, "prompt 0")
    assert first is not None and first.text.count("{question}") == 1 and FORMAT in first.text
    assert await opened.prompt_texts(first.id) == [first.text]
    assert await induce_user_prompt(opened, task, "prompt 0") == first
    assert opened.account.usage.calls == {"optimizer": 1}
    assert await induce_user_prompt(opened, task, "prompt 1") != first


async def test_a_prompt_that_never_fits_is_given_up(workspace: Opener) -> None:
    opened = await workspace("loses_placeholder", proposal_attempts=2)
    assert await induce_user_prompt(opened, opened.tasks["a"], "0") is None
    assert opened.account.usage.calls == {"optimizer": 2}


async def test_pairs_come_from_train_alone(workspace: Opener) -> None:
    opened = await workspace()
    task = opened.tasks["a"]
    known = {(example.question, example.answer) for example in task.splits["train"]}
    for draw in range(5):
        pairs = shown(user_request(task, Random(draw)))
        assert len({pair["input"] for pair in pairs}) == 10
        assert {(pair["input"], pair["output"]) for pair in pairs} <= known
    with pytest.raises(TaskError, match="'c' has no train examples"):
        user_request(opened.tasks["c"], Random(0))


async def test_a_system_prompt_is_induced_from_five_pairs_of_each_source_task(workspace: Opener) -> None:
    opened = await workspace()
    pairs = shown(system_request(opened.sources.values(), Random(0)))
    assert len(pairs) == 10
    assert sum("likes" in pair["input"] and "that a likes" in pair["input"] for pair in pairs) == 5
