"""Propose user prompts: the inner loop's next prompt for one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.methods.proposal import propose
from metaspo.methods.rules import candidate_rules
from metaspo.workspace.context import Context
from metaspo.workspace.opening import search_workspace
from metaspo.workspace.state import Job


async def propose_user_prompts(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """One new user prompt for the job's task, in the way of the step's proposer."""
    workspace = await search_workspace(state, runtime)
    proposal = await workspace.step(state["round"]).proposer.propose(workspace, state)
    rules = await candidate_rules(workspace, state, proposal.parent)
    return {"candidates": [await propose(workspace, state, proposal, rules)]}
