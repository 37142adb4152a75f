"""Paraphrase: user prompts resampled around good ones (APE's second stage)."""

from ..prompts.renderer import fenced, template
from ..workspace.method import Proposal, Proposer
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job


async def paraphrased(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request to say a task's kept user prompt in other words."""
    parent = job["users"][job["task"]]
    [text] = await workspace.prompt_texts(parent)
    answer_format = workspace.tasks[job["task"]].format_asked
    return Proposal(parent, template("paraphrase_user").render(prompt=fenced(text), answer_format=answer_format))


PARAPHRASED = Proposer("paraphrased", paraphrased)
