"""Evaluate: a (system prompt, user prompt) pair scored on one split of one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.store import evaluations
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit, spent
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.scoring import score_pair
from metaspo.workspace.state import Job


async def evaluate(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """Score one pair; a job without a user prompt stands for a dropped candidate and brings nothing."""
    if not state.get("user"):
        return {}
    workspace = await workspace_of(state, runtime)
    system, user = await workspace.prompt_texts(state["system"], state["user"])
    found = await score_pair(workspace, workspace.tasks[state["task"]], system, user, state["split"])
    await workspace.store.run(evaluations.use_evaluation, workspace.run, state["round"], found.id)
    emit(
        {
            "event": "scored", "round": state["round"], "level": state["level"], "task": found.task, "split": found.split,
            "score": found.score, "spent": spent(workspace),
        }
    )  # fmt: skip
    score = {
        "task": state["task"], "system": state["system"], "user": state["user"], "split": state["split"],
        "score": found.score, "failures": len(found.failures), "evaluation": found.id, "level": state["level"],
    }  # fmt: skip
    return {"run": workspace.run, "scores": [score]}
