"""Analyze failures: the analyst, the optimizer if none is named, explains why a prompt got some of its examples wrong."""

from typing import Any

from langgraph.runtime import Runtime

from metaspo.methods.failures import drawn, sample_name, shown
from metaspo.tasks.demonstrations import apart
from metaspo.workspace.context import Context
from metaspo.workspace.opening import search_workspace
from metaspo.workspace.state import Job

from ..prompts.renderer import fenced


async def analyze_failures(state: Job, runtime: Runtime[Context]) -> dict[str, Any]:
    """Draw failing examples and have them analysed; where none is left, there is nothing to ask and nothing to mend.

    A job whose candidate is not made from failures passes through, so that every way back to `select` is as long.
    """
    workspace = await search_workspace(state, runtime)
    proposer = workspace.step(state["round"]).proposer
    failures = await drawn(workspace, state, proposer.meets)
    if not proposer.analyses:
        return {"analyses": [{**state, "failures": failures, "analysis": None}]}
    analysis = None
    if failures:
        [system] = await workspace.prompt_texts(state["system"])
        values = {"system_prompt": fenced(system), "examples": await shown(workspace, state, failures)}
        if state["task"]:
            [user] = await workspace.prompt_texts(state["users"][state["task"]])
            # Demonstrations stay as they are, and failures beside them are not to be blamed on them.
            values["user_prompt"] = fenced(apart(workspace.tasks[state["task"]], user)[0])
        text = workspace.template("analyze_user" if state["task"] else "analyze_system").render(**values)
        analysis, _ = await workspace.ask_analyst(text, sample_name(state, "analysis"))
    return {"analyses": [{**state, "failures": failures, "analysis": analysis}]}
