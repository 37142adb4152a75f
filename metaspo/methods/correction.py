"""Correction: prompts rewritten from analysed failures, the paper's own way to propose."""

from ..prompts.renderer import fenced, template
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
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
        "examples": await shown(workspace, job["failures"]),
        "analysis": fenced(analysis.text if analysis else ""),
    }
    if job["task"]:
        [user] = await workspace.prompt_texts(parent)
        values |= {"user_prompt": fenced(user), "answer_format": workspace.tasks[job["task"]].format_asked}
    return Proposal(parent, template("propose_user" if job["task"] else "propose_system").render(**values))


CORRECTED = Proposer(
    "corrected",
    corrected,
    analyses=True,
    pairs=lambda sizes, level: sizes.user_failures if level == "user" else sizes.system_failures,
)
