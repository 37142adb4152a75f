"""Induce user prompts: one user prompt of a task, given or written from labelled examples alone (paper, section 4)."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.domain.prompts import Prompt
from metaspo.methods.induction import induce_user_prompt
from metaspo.workspace.context import Context
from metaspo.workspace.generalization import Induced
from metaspo.workspace.opening import generalization_workspace
from metaspo.workspace.state import Job


async def induce_user_prompts(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """The job's user prompt: the one that was given, or a new one from labelled examples of the task's train split."""
    workspace = await generalization_workspace(state, runtime)
    made: Prompt | None
    if given := state.get("user"):
        [text] = await workspace.prompt_texts(given)
        made = Prompt("user", text)
    else:
        sample = f"generalize {state['task']} {state['position']}"
        made = await induce_user_prompt(workspace, workspace.tasks[state["task"]], sample, state["pairs"])
    induced: Induced = {
        "task": state["task"], "position": state["position"], "id": made.id if made else None,
        "reason": None if made else "no proposal that could be used",
    }  # fmt: skip
    return {"run": workspace.run, "induced": [induced]}
