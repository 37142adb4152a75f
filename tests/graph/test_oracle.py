"""Given the same replies, the graph decides as the naive algorithm does, round by round, over random landscapes."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from metaspo.graph.bilevel import graph
from metaspo.models.registry import registry
from metaspo.runs.config import config_of
from metaspo.store import prompts
from metaspo.workspace.context import Context

from ..helpers import landscapes, oracle
from ..helpers.landscapes import World

AT_ONCE = 25

Decided = list[tuple[str, str, dict[str, list[str]]]]


async def searched(world: World, store: Path) -> Decided:
    """What the graph decides in a world: after each round the system prompt and each task's user prompts in order."""
    name = landscapes.__name__
    config = config_of(
        tasks=world.as_tasks(), targets=[], system_prompt=world.seed_system, base=f"scripted:{name}:base",
        optimizer=f"scripted:{name}:optimizer", preset="paper", method="metaspo", test_size=0, store=store, **world.sizes,
    )  # fmt: skip
    context = Context.model_validate(config.context().model_dump())
    final: Any = await graph.ainvoke(config.problem().model_dump(mode="json"), context=context)
    opened, _ = await registry().ledger(store)
    decided: Decided = []
    for row in await opened.run(prompts.rounds, final["run"]):
        pairs = await opened.run(prompts.kept_pairs, final["run"], row.round)
        texts = await opened.run(prompts.prompt_texts, list({row.system, *(pair.user for pair in pairs)}))
        kept: dict[str, list[str]] = {}
        for pair in pairs:
            kept.setdefault(pair.task, []).append(texts[pair.user])
        decided.append((row.level, texts[row.system], kept))
    return decided


WORLDS = {
    "few": range(25),
    "some": pytest.param(range(25, 100), marks=pytest.mark.long),
    "many": pytest.param(range(100, 1000), marks=pytest.mark.slow),
}


@pytest.mark.parametrize("worlds", WORLDS.values(), ids=WORLDS)
async def test_every_decision_is_that_of_the_algorithm(worlds: range, tmp_path: Path) -> None:
    met: Counter[str] = Counter()
    async with registry().used():
        for first in range(0, len(worlds), AT_ONCE):
            here = [World(number) for number in worlds[first : first + AT_ONCE]]
            found = await asyncio.gather(*(searched(world, tmp_path / "worlds.db") for world in here))
            for world, decided in zip(here, found, strict=True):
                expected = list(oracle.metaspo(world))
                for ours, (level, system, kept) in zip(decided, expected, strict=True):
                    users = {task: [user for user, _ in there] for task, there in kept.items()}
                    assert ours == (level, system, users), f"world {world.number}, after {level}"
                met.update(_features(world, expected))
    # The landscapes are worth their time: they hold what decisions can go wrong on.
    assert (
        min(met[name] for name in ("ties", "all solved early", "a solved task", "new incumbents", "resorted"))
        > len(worlds) / 25
    ), met


def _features(world: World, history: list[oracle.Closed]) -> set[str]:
    found = set()
    if len(history) < 1 + 2 * world.sizes["iterations"]:
        found.add("all solved early")
    for before, (level, system, kept) in pairwise(history):
        if any(len({score for _, score in there}) < len(there) for there in kept.values()):
            found.add("ties")
        if any(there[0][1] == 1 for there in kept.values()):
            found.add("a solved task")
        if system != before[1]:
            found.add("new incumbents")
        if level == "system" and any([u for u, _ in kept[t]] != [u for u, _ in before[2][t]] for t in kept):
            found.add("resorted")
    return found
