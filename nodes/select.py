"""Select: closes a round, or sends for more evidence. Keeps the best prompts, then opens the next level."""

from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from metaspo.approval.review import edited, review
from metaspo.methods.lineage import candidate_rows, kept_pairs
from metaspo.methods.rounds import closed_round, next_level
from metaspo.methods.selection import Selected, decide, selected
from metaspo.methods.staging import judged_so_far
from metaspo.store import prompts
from metaspo.store.prompts import RoundRow
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit_closed, spent
from metaspo.workspace.opening import search_workspace
from metaspo.workspace.problem import COMMON_FIRST
from metaspo.workspace.search import SearchWorkspace
from metaspo.workspace.state import Round, State


async def select(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Close the round at work and say which level comes next; or, judging in stages, open its next stage."""
    workspace = await search_workspace(state, runtime)
    first = [score for score in state.get("scores", []) if score.get("level") == "seed"]
    if first:
        # The thread may have been at work before it was given a new start: nothing of that counts any more.
        state = {"scores": first}
    judged, following = await judged_so_far(workspace, state)
    if following is not None:
        return {"judged": judged, "stage": following}
    state = {**state, "judged": judged}
    incumbent, kept = decide(workspace, state, edited(workspace, state))
    verdict = await review(workspace, state, incumbent, kept)
    if verdict.edits:
        return {"candidates": verdict.edits, "review": verdict.review, "judged": judged}
    state = {**state, "candidates": verdict.candidates}
    return await _closed(workspace, state, selected(workspace, state, verdict.incumbent, verdict.kept))


async def _closed(workspace: SearchWorkspace, state: State, after: Selected) -> dict[str, Any]:
    """Record the round with what stands after it, and open the next."""
    closed = closed_round(workspace, state, after)
    await _record(workspace, state, closed, after)
    await emit_closed(
        workspace, {"event": "round_closed", **closed, "incumbent": after.incumbent["text"], "spent": spent(workspace)}
    )
    rounds = [*state.get("rounds", []), closed]
    level, at, ended = next_level(workspace, state, rounds, after)
    if level == "done":
        await workspace.finish(ended or None)
    return {
        "run": workspace.run,
        **_given(workspace, state),
        "round": at,
        "level": level,
        "incumbent": after.incumbent,
        "kept": after.kept,
        "beam": after.beam,
        "began": state.get("began") or {name: prompts[0]["score"] for name, prompts in after.kept.items()},
        "ended": ended,
        "review": {},
        "stage": 0,
        "judged": [],
        "rounds": rounds,
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
    if state.get("method", COMMON_FIRST) == workspace.problem.method:
        return {}
    return {"method": workspace.problem.method, "system_prompt": workspace.problem.system_prompt}
