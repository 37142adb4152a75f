"""Trimming: a prompt less one of its sentences, made without a model. What does harm goes.

Only who does better takes over, and so has to mend something that fails now: the gate drops most of these candidates.
"""

import re
from collections.abc import Sequence

from ..domain.prompts import QUESTION
from ..store import prompts
from ..workspace.method import Proposal, Proposer, none_asked
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .failures import candidate_random

PIECE = re.compile(r".+?(?:[.!?]+[\"')\]]*(?=\s|$)|$)\s*", re.DOTALL)
"""A sentence with the space behind it."""

TO_MEND = 4
"""Failures that a shortened prompt meets first, of which it has to mend one: a sentence that does harm fails more than one."""


def pieces(prompt: str) -> list[str]:
    """The sentences of a prompt, line by line, each with the space that follows it; put together they are the prompt."""
    return [piece for line in prompt.splitlines(keepends=True) for piece in PIECE.findall(line)]


def trimmed(prompt: str, keep: Sequence[str] = ()) -> list[str]:
    """Every prompt that lacks one sentence of this one; sentences that hold what is to `keep` stay."""
    parts = pieces(prompt)
    found = []
    for at, part in enumerate(parts):
        rest = "".join([*parts[:at], *parts[at + 1 :]]).strip()
        if rest and part.strip() and not any(word in part for word in keep if word):
            found.append(rest)
    return list(dict.fromkeys(found))


async def trimming(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The parent less one sentence, a different one for each candidate of a round, and none that has been tried before."""
    task, parent = job["task"], job["users"][job["task"]] if job["task"] else job["system"]
    [text] = await workspace.prompt_texts(parent)
    rows = await workspace.store.run(prompts.ancestry, workspace.run)
    tried = {row.prompt for row in rows if row.round < job["round"] and row.parent == parent}
    texts = await workspace.store.run(prompts.prompt_texts, [id for id in tried if id])
    keep = [QUESTION, workspace.tasks[task].spec.answer_format] if task else list(workspace.problem.locks.parts)
    seed = workspace.seed_user(task).text if task else workspace.seed_system.text
    # What a person wrote stays, so that nothing goes that the examples happen not to ask for.
    keep += [piece.strip() for piece in pieces(seed)]
    shorter = [one for one in trimmed(text, keep) if one not in texts.values()]
    order = candidate_random(workspace, {**job, "position": 0}).sample(shorter, len(shorter))
    place = job["position"] % workspace.step(job["round"]).candidates
    if place >= len(order):
        return Proposal(parent, reason="no sentence to do without that has not been tried")
    return Proposal(parent, prompt=order[place])


TRIMMED = Proposer("trimmed", trimming, requests=none_asked, draws=TO_MEND)
