"""Propose system prompts: the outer loop's next prompt for all tasks."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.methods.proposal import propose
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.state import Context, Job


async def propose_system_prompts(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """One new system prompt, in the way of the step's proposer."""
    workspace = await workspace_of(state, runtime)
    draft = await workspace.step(state["round"]).proposer.draft(workspace, state)
    return {"candidates": [await propose(workspace, state, draft, "system", str.strip, lambda prompt: None)]}
