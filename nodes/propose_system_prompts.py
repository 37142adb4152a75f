"""Propose system prompts: the outer loop's next prompt for all tasks."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.methods.proposal import propose
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.state import Context, Job


async def propose_system_prompts(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """One new system prompt, in the way of the step's proposer."""
    space = await workspace_of(state, runtime)
    draft = await space.step(state["round"]).proposer.draft(space, state)
    return {"candidates": [await propose(space, state, draft, "system", str.strip, lambda prompt: None)]}
