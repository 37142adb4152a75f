"""Select: closes a round. Keeps the best user prompts or takes up a better system prompt, then opens the next level."""

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import Overwrite

from metaspo.approval.review import REJECTED, edited, review
from metaspo.domain.prompts import Prompt
from metaspo.store import prompts, runs
from metaspo.store.database import now
from metaspo.store.prompts import CandidateRow, KeptPair, RoundRow
from metaspo.workspace.events import emit, spent
from metaspo.workspace.opening import Workspace, workspace_of
from metaspo.workspace.state import Candidate, Context, Incumbent, Kept, Round, Score, State

Kepts = Mapping[str, Sequence[Kept]]
Pair = tuple[str, str, str]
"""Task, system prompt id, user prompt id."""


async def select(state: State, runtime: Runtime[Context]) -> dict[str, Any]:
    """Close the round at work and say which level comes next."""
    workspace = await workspace_of(state, runtime)
    seeds = [score for score in state.get("scores", []) if score.get("level") == "seed"]
    if seeds:
        # The thread may have been at work before it was given a new start: nothing of that counts any more.
        state = {"scores": seeds}
    round, level = state.get("round", workspace.first_round), state.get("level", "seed")
    before = state.get("incumbent")
    incumbent, kept = decide(workspace, state)
    verdict = await review(workspace, state, incumbent, kept)
    if verdict.edits:
        return {"candidates": verdict.edits, "review": verdict.review}
    incumbent, kept, state = verdict.incumbent, verdict.kept, {**state, "candidates": verdict.candidates}
    if level == "user":
        incumbent = {**incumbent, "score": meta_score(kept)}
    beam = decide_beam(workspace, state, incumbent)
    accepted = _accepted(level, state, incumbent, kept)
    dropped = sum(candidate["id"] is None for candidate in state.get("candidates", []))
    label = "branch" if workspace.problem.start and before is None else level
    closed: Round = {
        "round": round, "level": label, "incumbent": incumbent["id"], "score": incumbent["score"],
        "accepted": accepted, "dropped": dropped,
    }  # fmt: skip
    await _record(workspace, state, closed, incumbent, kept, beam)
    emit({"event": "round_closed", **closed, "incumbent": incumbent["text"], "spent": spent(workspace)})
    following, at = next_level(workspace, round, level, kept)
    if following == "done":
        await workspace.store.run(runs.close, workspace.run, "done", None, now(), 0.0)
        workspace.lease.finished = True
    return {
        "run": workspace.run,
        **_given(workspace, state),
        "round": at,
        "level": following,
        "incumbent": incumbent,
        "kept": kept,
        "beam": beam,
        "review": {},
        "rounds": [*state.get("rounds", []), closed],
        "analyses": Overwrite([]),
        "candidates": Overwrite([]),
        "scores": Overwrite([]),
    }


async def _record(
    workspace: Workspace, state: State, closed: Round, incumbent: Incumbent, kept: Kepts, beam: Sequence[Incumbent]
) -> None:
    """Keep the closed round in the store: what stands, what became of its candidates, what it relied on."""
    run, round = workspace.run, closed["round"]
    if state.get("incumbent") is None:
        rows = seed_rows(workspace, round, incumbent, kept, beam)
    else:
        rows = candidate_rows(run, round, state["level"], state, incumbent, kept, beam)
    row = RoundRow(run, round, closed["level"], closed["incumbent"], closed["score"], closed["accepted"], closed["dropped"])
    pairs = [
        KeptPair(run, round, name, at, incumbent["id"], prompt["id"], prompt["score"])
        for name, kept_here in kept.items()
        for at, prompt in enumerate(kept_here)
    ]
    pairs += [KeptPair(run, round, "", at, p["id"], p["id"], p["score"]) for at, p in enumerate(beam[1:], 1)]
    used = [score["evaluation"] for score in state.get("scores", [])]
    await workspace.store.run(prompts.save_round, row, rows, pairs, used)


def _given(workspace: Workspace, state: State) -> dict[str, Any]:
    """What the problem has made of a method that was not given by its own name, so that the state says it as well."""
    if state.get("method", "metaspo") == workspace.problem.method:
        return {}
    return {"method": workspace.problem.method, "system_prompt": workspace.problem.system_prompt}


def decide(workspace: Workspace, state: State) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """The incumbent and the kept user prompts after the round at work."""
    level = state.get("level", "seed")
    scores = {(score["task"], score["system"], score["user"]): score for score in state.get("scores", [])}
    if level == "seed":
        system, users = workspace.first_prompts()
        kept = {
            name: by_score([_kept(user.id, user.text, scores[name, system.id, user.id]) for user in prompts])
            for name, prompts in users.items()
        }
        return {"id": system.id, "text": system.text, "score": meta_score(kept)}, kept
    incumbent, kept = state["incumbent"], state["kept"]
    candidates, edits = in_order(state.get("candidates", [])), edited(workspace, state)
    if level == "user":
        kept = {
            name: lead(prompts, edits[name], incumbent["id"], scores, workspace.settings.keep)
            if name in edits
            else keep_best(
                prompts, [c for c in candidates if c["task"] == name], incumbent["id"], scores, workspace.settings.keep
            )
            for name, prompts in kept.items()
        }
        return {**incumbent, "score": meta_score(kept)}, kept
    if level == "system":
        if "" in edits:
            return best_system({**incumbent, "score": -1.0}, kept, [edits[""]], scores)
        return best_system(incumbent, kept, candidates, scores)
    return incumbent, kept


def decide_beam(workspace: Workspace, state: State, incumbent: Incumbent) -> list[Incumbent]:
    """The incumbent and the next best system prompts after the round at work; empty where the method keeps one only."""
    level, before = state.get("level", "seed"), state.get("beam", [])
    if level == "seed":
        carried = tested(workspace.first_beam(), state["scores"])
        return [incumbent, *(prompt for prompt in carried if prompt["id"] != incumbent["id"])] if carried else []
    if level != "system":
        return before
    size = workspace.step(state["round"]).keep
    taken = [c for c in in_order(state.get("candidates", [])) if c["reason"] != REJECTED]
    candidates = [Prompt("system", c["text"] or "") for c in taken]
    old = [state["incumbent"], *before[1:]]
    return keep_systems(incumbent, [*old, *tested(candidates, state["scores"])], size) if size > 1 else []


def tested(systems: Sequence[Prompt], scores: Sequence[Score]) -> list[Incumbent]:
    """System prompts with their meta scores."""
    under = {id: [score["score"] for score in scores if score["system"] == id] for id in {prompt.id for prompt in systems}}
    return [{"id": p.id, "text": p.text, "score": mean(under[p.id])} for p in systems]


def keep_systems(incumbent: Incumbent, systems: Sequence[Incumbent], size: int) -> list[Incumbent]:
    """The incumbent, then the best of the others, each once; ties keep the earlier one first.

    Scores are compared as they were measured: a beam is for methods that leave the user prompts alone.
    """
    others = {prompt["id"]: prompt for prompt in systems if prompt["id"] != incumbent["id"]}
    return [incumbent, *sorted(others.values(), key=lambda prompt: -rank(prompt["score"]))][:size]


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that were not dropped, in the order of their positions, however they came in."""
    return sorted((c for c in candidates if c["id"] is not None), key=lambda c: (c["task"], c["position"]))


def keep_best(
    kept: Sequence[Kept], candidates: Sequence[Candidate], system: str, scores: Mapping[Pair, Score], size: int
) -> list[Kept]:
    """The best `size` of a task's old and new user prompts, best first; ties keep the earlier one first."""
    new = [_kept(c["id"] or "", c["text"] or "", scores[c["task"], system, c["id"] or ""]) for c in candidates]
    return by_score([*kept, *new])[:size]


def lead(kept: Sequence[Kept], candidate: Candidate, system: str, scores: Mapping[Pair, Score], size: int) -> list[Kept]:
    """A person's user prompt first, whatever its score, and of the task's old ones those that do no better."""
    [first] = keep_best([], [candidate], system, scores, 1)
    return [first, *(prompt for prompt in kept if prompt["score"] <= first["score"] and prompt["id"] != first["id"])][:size]


def by_score(prompts: Sequence[Kept]) -> list[Kept]:
    """Best first; a stable sort, so that ties keep the earlier one first."""
    return sorted(prompts, key=lambda prompt: -rank(prompt["score"]))


def best_system(
    incumbent: Incumbent, kept: Kepts, candidates: Sequence[Candidate], scores: Mapping[Pair, Score]
) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """The incumbent after all candidates had their turn, and the user prompts re-sorted by their scores under it.

    A candidate takes over only with a strictly higher meta score than the incumbent of its turn. Its user
    prompts are sorted from the order in which the round found them, whoever took over before.
    """
    best, best_kept = incumbent, {name: list(prompts) for name, prompts in kept.items()}
    for candidate in candidates:
        id, text = candidate["id"] or "", candidate["text"] or ""
        under = {
            name: [_kept(p["id"], p["text"], scores[name, id, p["id"]]) for p in prompts] for name, prompts in kept.items()
        }
        score = meta_score(under)
        if rank(score) > rank(best["score"]):
            best = {"id": id, "text": text, "score": score}
            best_kept = {name: by_score(prompts) for name, prompts in under.items()}
    return best, best_kept


def meta_score(kept: Kepts) -> float:
    """The plain mean over all (task, user prompt) pairs (paper, section 3)."""
    return mean([prompt["score"] for prompts in kept.values() for prompt in prompts])


def mean(scores: Sequence[float]) -> float:
    """The plain mean."""
    return sum(scores) / len(scores)


def rank(score: float) -> float:
    """A score as it is compared: sums of the same scores in another order differ in their last digits, and are a tie."""
    return round(score, 9)


def next_level(workspace: Workspace, round: int, level: str, kept: Kepts) -> tuple[str, int]:
    """The next level that has something to do, and its round: without failures there is nothing left to search for."""
    if level == "test":
        return "done", round
    failing = any(prompts[0]["failures"] for prompts in kept.values())
    if round < workspace.last_round and (failing or workspace.selecting != "train"):
        return workspace.step(round + 1).level, round + 1
    return ("test" if workspace.settings.test_size else "done"), workspace.last_round + 1


def _kept(id: str, text: str, score: Score) -> Kept:
    return {"id": id, "text": text, "score": score["score"], "failures": score["failures"]}


def _accepted(level: str, state: State, incumbent: Incumbent, kept: Kepts) -> int:
    """How many prompts the round changed: kept user prompts that are new, or a new incumbent."""
    if level == "system":
        return int(incumbent["id"] != state["incumbent"]["id"])
    if level != "user":
        return 0
    new = {(c["task"], c["id"]) for c in state.get("candidates", [])}
    old = {(name, prompt["id"]) for name, prompts in state["kept"].items() for prompt in prompts}
    return len({(name, prompt["id"]) for name, prompts in kept.items() for prompt in prompts} & new - old)


def seed_rows(
    workspace: Workspace, round: int, incumbent: Incumbent, kept: Kepts, beam: Sequence[Incumbent]
) -> list[CandidateRow]:
    """Where the lineage begins: the seeds, and what a branch carried over from its parent."""
    seed = workspace.seed_system.id
    users = {name: Prompt("user", task.spec.user_prompt).id for name, task in workspace.sources.items()}
    score = None if workspace.problem.start else incumbent["score"]
    rows = [CandidateRow(workspace.run, 0, "system", "", 0, seed, None, "seed", None, score)]
    rows += [CandidateRow(workspace.run, 0, "user", name, 0, user, None, "seed") for name, user in users.items()]
    if workspace.problem.start:
        # From position 1 on: a branch at round 0 has its seeds at 0.
        rows += [
            CandidateRow(workspace.run, round, "system", "", at, prompt["id"], None, "carried", None, prompt["score"])
            for at, prompt in enumerate(beam or [incumbent], 1)
        ]
        rows += [
            CandidateRow(workspace.run, round, "user", name, at, prompt["id"], None, "carried", None, prompt["score"])
            for name, prompts in kept.items()
            for at, prompt in enumerate(prompts, 1)
        ]
    return rows


def candidate_rows(
    run: str, round: int, level: str, state: State, incumbent: Incumbent, kept: Kepts, beam: Sequence[Incumbent]
) -> list[CandidateRow]:
    """What became of every candidate of the round, for the lineage."""
    staying = {(name, prompt["id"]) for name, prompts in kept.items() for prompt in prompts}
    staying |= {("", prompt["id"]) for prompt in [incumbent, *beam]}
    rows = []
    for candidate in state.get("candidates", []):
        id, task = candidate["id"], candidate["task"]
        status = "dropped" if id is None else "rejected"
        if (task, id) in staying:
            status = "incumbent" if id == incumbent["id"] else "kept"
        own = [score["score"] for score in state["scores"] if id and (score["user"] == id if task else score["system"] == id)]
        score = mean(own) if own else None
        rows.append(
            CandidateRow(
                run, round, level, task, candidate["position"], id, candidate["parent"], status, candidate["reason"], score
            )
        )
    return rows
