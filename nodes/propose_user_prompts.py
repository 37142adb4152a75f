"""Propose user prompts: the inner loop's next prompt for one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.methods.proposal import propose
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.state import Context, Job


async def propose_user_prompts(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """One new user prompt for the job's task, in the way of the step's proposer."""
    workspace = await workspace_of(state, runtime)
    task = workspace.tasks[state["task"]]
    draft = await workspace.step(state["round"]).proposer.draft(workspace, state)
    return {"candidates": [await propose(workspace, state, draft, "user", task.complete, task.complaint)]}
