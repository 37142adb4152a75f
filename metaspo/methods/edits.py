"""Edits: system prompts put together from components, one a line: added, removed, swapped, rephrased (SPRIG)."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, combinations, zip_longest
from random import Random

from ..domain.locks import Locks
from ..prompts.renderer import Template, components, fenced
from ..store import prompts
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.settings import Settings
from ..workspace.state import Job
from .failures import candidate_random

Record = Mapping[str, float]
"""System prompts that a search has scored so far, with their scores in [0, 1]."""


def lines_of(prompt: str) -> list[str]:
    """The components of a system prompt."""
    return [line.strip() for line in prompt.splitlines() if line.strip()]


def worth_adding(library: Iterable[str], record: Record) -> list[str]:
    """The library less what is pruned: a component whose prompts have scored below the average of all, on average."""
    scores = [(set(lines_of(prompt)), score) for prompt, score in record.items()]

    def gain(component: str) -> float:
        own = [score for lines, score in scores if component in lines]
        return sum(own) / len(own) - sum(score for _, score in scores) / len(scores) if own else 0.0

    # The tolerance is for sums of the same scores in another order.
    return [component for component in library if gain(component) >= -1e-9]


def edits_of(prompt: str, library: Iterable[str], record: Record, random: Random) -> list[str]:
    """Every prompt one edit away that has not been tried, in the order in which they deserve a try.

    Additions, removals and swaps take turns; chance decides which kind begins and the order within each.
    """
    lines = lines_of(prompt)
    added = [_inserted(lines, component, random) for component in worth_adding(library, record) if component not in lines]
    removed = [[*lines[:at], *lines[at + 1 :]] for at in range(len(lines))] if len(lines) > 1 else []
    swapped = [_swapped(lines, *pair) for pair in combinations(range(len(lines)), 2)]
    kinds = [random.sample(kind, len(kind)) for kind in (added, removed, swapped)]
    random.shuffle(kinds)
    in_turn = ["\n".join(edit) for edit in chain.from_iterable(zip_longest(*kinds)) if edit]
    return [edit for edit in dict.fromkeys(in_turn) if edit not in record and edit != prompt]


def _inserted(lines: Sequence[str], component: str, random: Random) -> list[str]:
    at = random.randint(0, len(lines))
    return [*lines[:at], component, *lines[at:]]


def _swapped(lines: Sequence[str], one: int, other: int) -> list[str]:
    made = list(lines)
    made[one], made[other] = made[other], made[one]
    return made


def rephrasings(sizes: Settings, candidates: int) -> int:
    """How many of a parent's candidates the optimizer rephrases; the rest are made without it."""
    return min(sizes.rephrasings, candidates)


async def edited(workspace: SearchWorkspace, job: Job) -> Proposal:
    """A system prompt one edit away from its parent; the last candidates of a parent are rephrased by the optimizer.

    The candidates of a parent share one order of edits and take different places in it, so that none is tried twice.
    """
    parent, round, step = job["system"], job["round"], workspace.step(job["round"])
    [text] = await workspace.prompt_texts(parent)
    place = job["position"] % step.candidates
    if place >= step.candidates - step.requests(workspace.settings, 1):
        rephrase = workspace.template("rephrase")
        return _rephrased(parent, lines_of(text), workspace.problem.locks, candidate_random(workspace, job), rephrase)
    tried = await workspace.store.run(prompts.scored_systems, workspace.run, round)
    library = chain.from_iterable(components().values())
    every = edits_of(text, library, tried, Random(f"{workspace.problem.seed}/{round}/edits/{parent}"))
    edits = [edit for edit in every if workspace.problem.locks.complaint(edit) is None]
    return Proposal(parent, prompt=edits[place]) if place < len(edits) else Proposal(parent, reason="every edit has been tried")


def _rephrased(parent: str, lines: list[str], locks: Locks, random: Random, rephrase: Template) -> Proposal:
    def whole(at: int, wording: str) -> str:
        return "\n".join([*lines[:at], " ".join(wording.split()), *lines[at + 1 :]])

    free = [at for at in range(len(lines)) if locks.complaint(whole(at, "Other words.")) is None]
    if not free:
        return Proposal(parent, reason="every component is locked")
    at = random.choice(free)
    return Proposal(parent, rephrase.render(component=fenced(lines[at])), finish=partial(whole, at), partial=True)


EDITED = Proposer("edited", edited, requests=rephrasings)
