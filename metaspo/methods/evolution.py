"""Evolution: crossover and mutation of good prompts (the paper's EVO ablation)."""

import json
from collections.abc import Iterable

from ..prompts.renderer import fenced
from ..store import prompts
from ..tasks.demonstrations import apart
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .attempts import with_attempts
from .demonstrations import rewriting
from .failures import candidate_random


async def evolved(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request to cross the parent with another good prompt, drawn by chance, and to mutate the child.

    The other one is a user prompt that the task keeps, or one of the `keep` system prompts that scored
    best in earlier rounds. Where there is none yet, the parent alone is mutated. The child has the
    parent's demonstrations, where it carries some.
    """
    parent = job["users"][job["task"]] if job["task"] else job["system"]
    [text] = await workspace.prompt_texts(parent)
    mates = [mate for mate in await _good_prompts(workspace, job) if mate != text]
    chosen = [text, *candidate_random(workspace, job).sample(mates, min(1, len(mates)))]
    if not job["task"]:
        shown = _shown([workspace.problem.locks.hidden(prompt) for prompt in chosen])
        request = workspace.template("evolve_system").render(prompts=shown)
        return Proposal(parent, await with_attempts(workspace, job, parent, request))
    task = workspace.tasks[job["task"]]
    shown = _shown(dict.fromkeys(apart(task, prompt)[0] for prompt in chosen))
    request = workspace.template("evolve_user").render(prompts=shown, answer_format=task.format_asked)
    return Proposal(parent, await with_attempts(workspace, job, parent, request), finish=rewriting(task, text)[1])


def _shown(prompts: Iterable[str]) -> str:
    return fenced("\n".join(json.dumps({"prompt": prompt}, ensure_ascii=False) for prompt in prompts))


async def _good_prompts(workspace: SearchWorkspace, job: Job) -> list[str]:
    if job["task"]:
        return [(await workspace.prompt_texts(id))[0] for id in job["kept"]]
    tried = await workspace.store.run(prompts.scored_systems, workspace.run, job["round"])
    return sorted(tried, key=lambda text: -tried[text])[: workspace.settings.keep]


EVOLVED = Proposer("evolved", evolved)
