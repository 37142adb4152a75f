"""Evaluate: a (system prompt, user prompt) pair scored on one split of one task."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.store import evaluations
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit, spent
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.scoring import on_the_same, score_some, unread_sample
from metaspo.workspace.state import Job


async def evaluate(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """Score one pair, on a whole split or on a stage's examples; a job without a user prompt brings nothing."""
    if not state.get("user"):
        return {}
    workspace = await workspace_of(state, runtime)
    task = workspace.tasks[state["task"]]
    system, user = await workspace.prompt_texts(state["system"], state["user"])
    found = await score_some(workspace, task, (system, user), state["split"], state.get("examples", []))
    await workspace.store.run(evaluations.use_evaluation, workspace.run, state["round"], found.id)
    emit(
        {
            "event": "scored", "round": state["round"], "level": state["level"], "task": found.task, "split": found.split,
            "score": found.score, "examples": len(found.outcomes), "unparsed": found.unparsed, "ungraded": found.ungraded,
            "sample": await unread_sample(workspace, found), "spent": spent(workspace),
        }
    )  # fmt: skip
    score = {
        "task": state["task"], "system": state["system"], "user": state["user"], "split": state["split"],
        "score": found.score, "failures": len(found.failures), "evaluation": found.id, "level": state["level"],
    }  # fmt: skip
    if "stage" in state:
        score["stage"] = state["stage"]
    if "rival" in state:
        [rival] = await workspace.prompt_texts(state["rival"])
        ours, theirs = await on_the_same(workspace, task, (system, user), (system, rival))
        # Where neither carries demonstrations, their own scores compare.
        score |= {} if ours.id == found.id and theirs.whole else {"gain": ours.score - theirs.score}
    return {"run": workspace.run, "scores": [score]}
