"""MetaSPO once more, naively: one thing after the other, exact fractions, no graph. What the graph is held against."""

import re
from collections.abc import Iterator
from copy import deepcopy
from fractions import Fraction

from .landscapes import World

Kept = dict[str, list[tuple[str, Fraction]]]
"""Each task's user prompts with their scores, best first."""

Closed = tuple[str, str, Kept]
"""The level of a round, the system prompt after it, and what is kept."""


def metaspo(world: World) -> Iterator[Closed]:
    """What stands after the seeds are scored and after each round."""
    system = world.seed_system
    kept: Kept = {}
    for task in world.tasks:
        user = world.seed_user(task)
        kept[task] = [(user, score(world, task, system, user))]
    yield "seed", system, deepcopy(kept)

    round = 0
    for _ in range(world.sizes["iterations"]):
        if solved(kept):
            return
        round += 1
        inner_loop(world, round, system, kept)
        yield "user", system, deepcopy(kept)
        if solved(kept):
            return
        round += 1
        system, kept = outer_loop(world, round, system, kept)
        yield "system", system, deepcopy(kept)


def inner_loop(world: World, round: int, system: str, kept: Kept) -> None:
    for task in kept:
        best, best_score = kept[task][0]
        wrong = round_to_failures(world, best_score)
        if wrong == 0:
            continue
        for position in range(world.sizes["user_candidates"]):
            place = f"round {round}, user {task} {position}"
            user = ask(world, place, system, best, min(wrong, world.sizes["user_failures"]))
            if user is not None:
                kept[task].append((user, score(world, task, system, user)))
        sort(kept[task])
        del kept[task][world.sizes["keep"] :]


def outer_loop(world: World, round: int, system: str, kept: Kept) -> tuple[str, Kept]:
    shown = 0
    for prompts in kept.values():
        shown += min(world.sizes["system_failures"], round_to_failures(world, prompts[0][1]))
    candidates: list[tuple[str, Kept]] = []
    for position in range(world.sizes["system_candidates"]):
        candidate = ask(world, f"round {round}, system all {position}", system, "", shown)
        if candidate is not None:
            # In the order in which the round found the user prompts, whoever wins before.
            under = {
                task: [(user, score(world, task, candidate, user)) for user, _ in prompts] for task, prompts in kept.items()
            }
            candidates.append((candidate, under))

    for candidate, under in candidates:
        if meta_score(under) > meta_score(kept):
            system, kept = candidate, under
            for prompts in kept.values():
                sort(prompts)
    return system, kept


def ask(world: World, place: str, system: str, user: str, shown: int) -> str | None:
    """A proposal that can be used, or None after so many attempts."""
    for attempt in range(world.sizes["proposal_attempts"]):
        reply = world.reply(f"{place}, proposal {attempt}", system, user, shown)
        found = re.search("<prompt>(.+)</prompt>", reply)
        if found is None or not found[1].strip():
            continue
        if user and found[1].count("{question}") != 1:
            continue
        return found[1].strip()
    return None


def score(world: World, task: str, system: str, user: str) -> Fraction:
    questions = world.tasks[task]
    return Fraction(sum(world.right(system, user, question) for question in questions), len(questions))


def meta_score(kept: Kept) -> Fraction:
    every = [score for prompts in kept.values() for _, score in prompts]
    return sum(every, Fraction(0)) / len(every)


def round_to_failures(world: World, score: Fraction) -> int:
    """How many train examples a score leaves wrong."""
    return int((1 - score) * world.sizes["train_size"])


def solved(kept: Kept) -> bool:
    """Whether every task's best prompt makes no mistakes: then there is nothing to analyse."""
    return all(prompts[0][1] == 1 for prompts in kept.values())


def sort(prompts: list[tuple[str, Fraction]]) -> None:
    """Best first; of equals the earlier one first (an insertion sort, to owe nothing to another's stability)."""
    for at in range(1, len(prompts)):
        while at > 0 and prompts[at][1] > prompts[at - 1][1]:
            prompts[at - 1], prompts[at] = prompts[at], prompts[at - 1]
            at -= 1
