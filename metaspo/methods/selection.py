"""Selection: who takes over, what is kept, and which level comes next. Pure functions of the state and the scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ..domain.prompts import Prompt, RoundLevel
from ..workspace.search import SearchWorkspace
from ..workspace.state import Candidate, Incumbent, Kept, Round, Score, State, StateLevel

KeptPrompts = Mapping[str, Sequence[Kept]]
Pair = tuple[str, str, str]
"""Task, system prompt id, user prompt id."""

REJECTED = "rejected by a person"
"""Why a candidate that scores would have taken up was not."""


def decide(workspace: SearchWorkspace, state: State, edits: Mapping[str, Candidate]) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """The incumbent and the kept user prompts after the round at work.

    `edits` are a person's prompts by task, which take the place of what scores would choose.
    """
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
    candidates = in_order(state.get("candidates", []))
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


@dataclass(frozen=True, slots=True)
class Selected:
    """What stands after a round.

    `beam` is the incumbent and the next best system prompts, empty where the method keeps one only.
    """

    incumbent: Incumbent
    kept: KeptPrompts
    beam: Sequence[Incumbent]


def selected(workspace: SearchWorkspace, state: State, incumbent: Incumbent, kept: KeptPrompts) -> Selected:
    """What stands when the round at work ends with this incumbent and these user prompts."""
    if state.get("level", "seed") == "user":
        incumbent = {**incumbent, "score": meta_score(kept)}
    return Selected(incumbent, kept, _beam(workspace, state, incumbent))


def _beam(workspace: SearchWorkspace, state: State, incumbent: Incumbent) -> list[Incumbent]:
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
    incumbent: Incumbent, kept: KeptPrompts, candidates: Sequence[Candidate], scores: Mapping[Pair, Score]
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


def meta_score(kept: KeptPrompts) -> float:
    """The plain mean over all (task, user prompt) pairs (paper, section 3)."""
    return mean([prompt["score"] for prompts in kept.values() for prompt in prompts])


def mean(scores: Sequence[float]) -> float:
    """The plain mean."""
    return sum(scores) / len(scores)


def rank(score: float) -> float:
    """A score as it is compared: sums of the same scores in another order differ in their last digits, and are a tie."""
    return round(score, 9)


def next_level(workspace: SearchWorkspace, round: int, level: StateLevel, kept: KeptPrompts) -> tuple[StateLevel, int]:
    """The next level that has something to do, and its round: without failures there is nothing left to search for."""
    if level == "test":
        return "done", round
    failing = any(prompts[0]["failures"] for prompts in kept.values())
    if round < workspace.last_round and (failing or workspace.selecting != "train"):
        return workspace.step(round + 1).level, round + 1
    return ("test" if workspace.settings.test_size else "done"), workspace.last_round + 1


def closed_round(workspace: SearchWorkspace, state: State, after: Selected) -> Round:
    """What is on record of the round at work once it has ended."""
    level = state.get("level", "seed")
    begins_branch = workspace.problem.start is not None and state.get("incumbent") is None
    return {
        "round": state.get("round", workspace.first_round),
        # No round is opened for the level "done".
        "level": "branch" if begins_branch else cast(RoundLevel, level),
        "incumbent": after.incumbent["id"],
        "score": after.incumbent["score"],
        "accepted": _accepted(level, state, after),
        "dropped": sum(candidate["id"] is None for candidate in state.get("candidates", [])),
    }


def _accepted(level: StateLevel, state: State, after: Selected) -> int:
    """How many prompts the round changed: kept user prompts that are new, or a new incumbent."""
    if level == "system":
        return int(after.incumbent["id"] != state["incumbent"]["id"])
    if level != "user":
        return 0
    new = {(c["task"], c["id"]) for c in state.get("candidates", [])}
    old = {(name, prompt["id"]) for name, prompts in state["kept"].items() for prompt in prompts}
    return len({(name, prompt["id"]) for name, prompts in after.kept.items() for prompt in prompts} & new - old)


def _kept(id: str, text: str, score: Score) -> Kept:
    return {"id": id, "text": text, "score": score["score"], "failures": score["failures"]}
