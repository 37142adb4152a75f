"""Select: closes a round. Keeps the best user prompts or takes up a better system prompt, then opens the next level."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from metaspo.approval.review import edited, review
from metaspo.methods.lineage import candidate_rows, kept_pairs
from metaspo.methods.selection import Selected, closed_round, decide, next_level, selected
from metaspo.store import prompts
from metaspo.store.prompts import RoundRow
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit, spent
from metaspo.workspace.opening import search_workspace
from metaspo.workspace.search import SearchWorkspace
from metaspo.workspace.state import Round, State


async def select(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Close the round at work and say which level comes next."""
    workspace = await search_workspace(state, runtime)
    first = [score for score in state.get("scores", []) if score.get("level") == "seed"]
    if first:
        # The thread may have been at work before it was given a new start: nothing of that counts any more.
        state = {"scores": first}
    incumbent, kept = decide(workspace, state, edited(workspace, state))
    verdict = await review(workspace, state, incumbent, kept)
    if verdict.edits:
        return {"candidates": verdict.edits, "review": verdict.review}
    state = {**state, "candidates": verdict.candidates}
    after = selected(workspace, state, verdict.incumbent, verdict.kept)
    closed = closed_round(workspace, state, after)
    await _record(workspace, state, closed, after)
    emit({"event": "round_closed", **closed, "incumbent": after.incumbent["text"], "spent": spent(workspace)})
    following, at = next_level(workspace, closed["round"], state.get("level", "seed"), after.kept)
    if following == "done":
        await workspace.finish()
    return {
        "run": workspace.run,
        **_given(workspace, state),
        "round": at,
        "level": following,
        "incumbent": after.incumbent,
        "kept": after.kept,
        "beam": after.beam,
        "review": {},
        "rounds": [*state.get("rounds", []), closed],
        "analyses": Overwrite([]),
        "candidates": Overwrite([]),
        "scores": Overwrite([]),
    }


async def _record(workspace: SearchWorkspace, state: State, closed: Round, after: Selected) -> None:
    """Keep the closed round in the store: what stands, what became of its candidates, what it relied on."""
    row = RoundRow(
        workspace.run, closed["round"], closed["level"], closed["incumbent"], closed["score"], closed["accepted"],
        closed["dropped"],
    )  # fmt: skip
    candidates, pairs = candidate_rows(workspace, state, closed, after), kept_pairs(workspace.run, closed["round"], after)
    used = [score["evaluation"] for score in state.get("scores", [])]
    await workspace.store.run(prompts.save_round, row, candidates, pairs, used)


def _given(workspace: SearchWorkspace, state: State) -> dict[str, Any]:
    """What the problem has made of a method that was not given by its own name, so that the state says it as well."""
    if state.get("method", "metaspo") == workspace.problem.method:
        return {}
    return {"method": workspace.problem.method, "system_prompt": workspace.problem.system_prompt}
