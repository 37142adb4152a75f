"""Lineage: what became of every candidate of a round, and what stands after it, as rows of the store."""

from dataclasses import replace

from ..domain.prompts import Prompt
from ..store.prompts import CandidateRow, CandidateStatus, KeptPair
from ..workspace.search import SearchWorkspace
from ..workspace.state import Round, State
from .selection import Selected, mean


def candidate_rows(workspace: SearchWorkspace, state: State, closed: Round, after: Selected) -> list[CandidateRow]:
    """The candidates of a closed round; of the first one, what the search began with."""
    if state.get("incumbent") is None:
        return _first_rows(workspace, closed["round"], after)
    run, round, level = workspace.run, closed["round"], closed["level"]
    staying = {(name, prompt["id"]) for name, prompts in after.kept.items() for prompt in prompts}
    staying |= {("", prompt["id"]) for prompt in [after.incumbent, *after.beam]}
    judged = {(one["task"], one["position"]): one for one in state.get("judged", [])}
    rows = []
    for candidate in state.get("candidates", []):
        id, task = candidate["id"], candidate["task"]
        status: CandidateStatus = "dropped" if id is None else "rejected"
        if (task, id) in staying:
            status = "incumbent" if id == after.incumbent["id"] else "kept"
        whole = [score for score in state["scores"] if "stage" not in score]
        own = [score["score"] for score in whole if id and (score["user"] == id if task else score["system"] == id)]
        came = judged.get((task, candidate["position"]))
        row = CandidateRow(
            run, round, level, task, candidate["position"], id, candidate["parent"], status, candidate["reason"],
            mean(own) if own else None,
        )  # fmt: skip
        if came:
            reason = candidate["reason"] or came.get("reason")
            row = replace(row, reason=reason, stage=came["stage"], examples=came["examples"], gain=came["gain"])
        rows.append(row)
    return rows


def _first_rows(workspace: SearchWorkspace, round: int, after: Selected) -> list[CandidateRow]:
    """Where the lineage begins: the seeds, and what a branch carried over from its parent."""
    run, seed = workspace.run, workspace.seed_system.id
    users = {name: Prompt("user", task.spec.user_prompt).id for name, task in workspace.sources.items()}
    score = None if workspace.problem.start else after.incumbent["score"]
    rows = [CandidateRow(run, 0, "system", "", 0, seed, None, "seed", None, score)]
    rows += [CandidateRow(run, 0, "user", name, 0, user, None, "seed") for name, user in users.items()]
    rows += [
        CandidateRow(
            run, 0, "user" if name else "system", name, at, Prompt("user" if name else "system", text).id, None, "seed"
        )
        for name, texts in [("", workspace.problem.system_prompts)]
        + [(name, task.spec.user_prompts) for name, task in workspace.sources.items()]
        for at, text in enumerate(texts, 1)
        if not workspace.problem.start
    ]
    if workspace.problem.start:
        # From position 1 on: a branch at round 0 has its seeds at 0.
        rows += [
            CandidateRow(run, round, "system", "", at, prompt["id"], None, "carried", None, prompt["score"])
            for at, prompt in enumerate(after.beam or [after.incumbent], 1)
        ]
        rows += [
            CandidateRow(run, round, "user", name, at, prompt["id"], None, "carried", None, prompt["score"])
            for name, prompts in after.kept.items()
            for at, prompt in enumerate(prompts, 1)
        ]
    return rows


def kept_pairs(run: str, round: int, after: Selected) -> list[KeptPair]:
    """What stands after a round; system prompts beside the incumbent from position 1 on, without a task."""
    system = after.incumbent["id"]
    pairs = [
        KeptPair(run, round, name, at, system, prompt["id"], prompt["score"])
        for name, prompts in after.kept.items()
        for at, prompt in enumerate(prompts)
    ]
    return pairs + [KeptPair(run, round, "", at, p["id"], p["id"], p["score"]) for at, p in enumerate(after.beam[1:], 1)]
