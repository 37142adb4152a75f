"""Paraphrase: user prompts resampled around good ones (APE's second stage)."""

from ..prompts.renderer import fenced
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .demonstrations import rewriting


async def paraphrased(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request to say a task's kept user prompt in other words."""
    parent, task = job["users"][job["task"]], workspace.tasks[job["task"]]
    [text] = await workspace.prompt_texts(parent)
    instructions, finish = rewriting(task, text)
    request = workspace.template("paraphrase_user").render(prompt=fenced(instructions), answer_format=task.format_asked)
    return Proposal(parent, request, finish=finish)


PARAPHRASED = Proposer("paraphrased", paraphrased)
