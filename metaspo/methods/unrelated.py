"""Unrelated texts as candidates: the control that says how much of a gain any text would have brought (a placebo)."""

from dataclasses import replace
from functools import cache
from random import Random

from ..domain.locks import Locks
from ..prompts.renderer import fixed_text
from ..store.runs import PLACEBO
from ..workspace.method import Method, Proposal, Proposer, Step, none_asked
from ..workspace.search import SearchWorkspace
from ..workspace.settings import Settings
from ..workspace.state import Job
from .checks import placeholders
from .failures import candidate_random

MOST = 3
"""Sentences of a system prompt, at most."""


@cache
def sentences() -> tuple[str, ...]:
    """Whole sentences that have nothing to do with any task, each on a line of its file."""
    return tuple(fixed_text("unrelated").splitlines())


async def unrelated(workspace: SearchWorkspace, job: Job) -> Proposal:
    """One to three unrelated sentences as system prompt, or one of them before the task's seed user prompt.

    What must stay stays: locked parts, the placeholders of the seed, the answer format. No model is asked.
    """
    random = candidate_random(workspace, job)
    if job["task"]:
        seed = workspace.tasks[job["task"]].spec.user_prompt
        return Proposal(job["users"][job["task"]], prompt=f"{random.choice(sentences())}\n\n{seed}")
    return Proposal(job["system"], prompt=_system_prompt(workspace.problem.locks, workspace.seed_system.text, random))


def _system_prompt(locks: Locks, seed: str, random: Random) -> str:
    parts = [" ".join(random.sample(sentences(), random.randint(1, MOST))), *locks.parts]
    # A placeholder that a program fills in has no place of its own among unrelated sentences: it stands at the end.
    missing = placeholders(seed) - placeholders("\n".join(parts))
    return "\n".join([*parts, *sorted(missing)])


UNRELATED = Proposer("unrelated", unrelated, requests=none_asked)


def placebo_of(method: Method) -> Method:
    """The same method, with unrelated texts for candidates: as many, in the same rounds, judged in the same way."""

    def schedule(sizes: Settings) -> list[Step]:
        # A text has to mend as many failures as what it takes the place of.
        return [replace(step, proposer=replace(UNRELATED, draws=step.proposer.meets)) for step in method.schedule(sizes)]

    about = f"As {method.name}, with unrelated texts for candidates: a control."
    return replace(method, name=f"{PLACEBO}{method.name}", description=about, schedule=schedule)
