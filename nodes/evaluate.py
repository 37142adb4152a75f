"""Evaluate: a (system prompt, user prompt) pair scored on one split of one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.store import evaluations
from metaspo.workspace.events import spent, tell
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.scoring import score_pair
from metaspo.workspace.state import Context, Job


async def evaluate(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """Score one pair; a job without a user prompt stands for a dropped candidate and brings nothing."""
    if not state.get("user"):
        return {}
    space = await workspace_of(state, runtime)
    system, user = await space.prompt_texts(state["system"], state["user"])
    found = await score_pair(space, space.tasks[state["task"]], system, user, state["split"])
    await space.store.run(evaluations.use_evaluation, space.run, state["round"], found.id)
    tell(
        {
            "event": "scored", "round": state["round"], "level": state["level"], "task": found.task, "split": found.split,
            "score": found.score, "spent": spent(space),
        }
    )  # fmt: skip
    score = {
        "task": state["task"], "system": state["system"], "user": state["user"], "split": state["split"],
        "score": found.score, "failures": len(found.failures), "evaluation": found.id, "level": state["level"],
    }  # fmt: skip
    return {"run": space.run, "scores": [score]}
