"""Correction: prompts rewritten from analysed failures, the paper's own way to propose."""

from ..prompts.renderer import fenced
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .attempts import with_attempts
from .demonstrations import rewriting
from .failures import shown


async def corrected(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request for a prompt that mends what the analysis found, or none where nothing failed."""
    parent = job["users"][job["task"]] if job["task"] else job["system"]
    if not job["analysis"]:
        return Proposal(parent, reason="no failures left to mend")
    [system] = await workspace.prompt_texts(job["system"])
    analysis = await workspace.store.find_call(job["analysis"])
    values = {
        "system_prompt": fenced(workspace.problem.locks.hidden(system) if not job["task"] else system),
        "examples": await shown(workspace, job, job["failures"]),
        "analysis": fenced(analysis.said if analysis else ""),
    }
    if not job["task"]:
        return Proposal(
            parent, await with_attempts(workspace, job, parent, workspace.template("propose_system").render(**values))
        )
    task, [user] = workspace.tasks[job["task"]], await workspace.prompt_texts(parent)
    instructions, finish = rewriting(task, user)
    values |= {"user_prompt": fenced(instructions), "answer_format": task.format_asked}
    request = await with_attempts(workspace, job, parent, workspace.template("propose_user").render(**values))
    return Proposal(parent, request, finish=finish)


CORRECTED = Proposer(
    "corrected",
    corrected,
    analyses=True,
    pairs=lambda sizes, level: sizes.user_failures if level == "user" else sizes.system_failures,
)
