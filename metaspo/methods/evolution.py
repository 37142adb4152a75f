"""Evolution: crossover and mutation of good prompts (the paper's EVO ablation)."""

import json

from ..prompts.renderer import fenced, template
from ..store import prompts
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .failures import candidate_random


async def evolved(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request to cross the parent with another good prompt, drawn by chance, and to mutate the child.

    The other one is a user prompt that the task keeps, or one of the `keep` system prompts that scored
    best in earlier rounds. Where there is none yet, the parent alone is mutated.
    """
    parent = job["users"][job["task"]] if job["task"] else job["system"]
    [text] = await workspace.prompt_texts(parent)
    mates = [mate for mate in await _good_prompts(workspace, job) if mate != text]
    chosen = [text, *candidate_random(workspace, job).sample(mates, min(1, len(mates)))]
    if not job["task"]:
        chosen = [workspace.problem.locks.hidden(prompt) for prompt in chosen]
    shown = fenced("\n".join(json.dumps({"prompt": prompt}, ensure_ascii=False) for prompt in chosen))
    if not job["task"]:
        return Proposal(parent, template("evolve_system").render(prompts=shown))
    answer_format = workspace.tasks[job["task"]].format_asked
    return Proposal(parent, template("evolve_user").render(prompts=shown, answer_format=answer_format))


async def _good_prompts(workspace: SearchWorkspace, job: Job) -> list[str]:
    if job["task"]:
        return [(await workspace.prompt_texts(id))[0] for id in job["kept"]]
    tried = await workspace.store.run(prompts.scored_systems, workspace.run, job["round"])
    return sorted(tried, key=lambda text: -tried[text])[: workspace.settings.keep]


EVOLVED = Proposer("evolved", evolved)
