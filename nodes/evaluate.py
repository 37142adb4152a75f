"""Evaluate: a (system prompt, user prompt) pair scored on one split of one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.store import evaluations
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit, spent
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.scoring import score_job, unread_sample
from metaspo.workspace.state import Job


async def evaluate(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """Score one pair, on a whole split or on a stage's examples; a job without a user prompt brings nothing."""
    if not state.get("user"):
        return {}
    workspace = await workspace_of(state, runtime)
    found, score = await score_job(workspace, state)
    await workspace.store.run(evaluations.use_evaluation, workspace.run, state["round"], found.id)
    await emit(
        workspace,
        {
            "event": "scored", "round": state["round"], "level": state["level"], "task": found.task, "split": found.split,
            "score": found.score, "examples": len(found.outcomes), "unparsed": found.unparsed, "ungraded": found.ungraded,
            "sample": await unread_sample(workspace, found), "spent": spent(workspace),
        },
    )  # fmt: skip
    return {"run": workspace.run, "scores": [score]}
