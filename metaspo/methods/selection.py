"""Selection: who takes over and what is kept. Pure functions of the state and the scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..domain.prompts import Prompt
from ..domain.results import Split
from ..workspace.search import SearchWorkspace
from ..workspace.state import Candidate, Incumbent, Judged, Kept, Score, State

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
    scores = whole_scores(state, workspace.selecting)
    if level == "seed":
        return first_prompts(workspace, scores)
    incumbent, kept = state["incumbent"], state["kept"]
    if level == "confirm":
        return confirmed(workspace, state, scores)
    candidates = in_order(state)
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


def whole_scores(state: State, split: Split) -> dict[Pair, Score]:
    """The round's scores on the whole of a split, by pair."""
    return {
        (score["task"], score["system"], score["user"]): score
        for score in state.get("scores", [])
        if "stage" not in score and score["split"] == split
    }


def first_prompts(workspace: SearchWorkspace, scores: Mapping[Pair, Score]) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """What the search begins with: the system prompt under which the tasks' best user prompts do best, ties the earlier one."""
    systems, users = workspace.first_prompts()
    found = []
    for system in systems:
        kept = {
            name: by_score([_kept(user.id, user.text, scores[name, system.id, user.id]) for user in prompts])
            for name, prompts in users.items()
        }
        if not workspace.problem.start:
            kept = {name: prompts[: workspace.settings.keep] for name, prompts in kept.items()}
        incumbent: Incumbent = {"id": system.id, "text": system.text, "score": meta_score(kept)}
        found.append((incumbent, kept))
    return max(found, key=lambda one: rank(mean([prompts[0]["score"] for prompts in one[1].values()])))


def confirmed(
    workspace: SearchWorkspace, state: State, scores: Mapping[Pair, Score]
) -> tuple[Incumbent, dict[str, list[Kept]]]:
    """What the search found; or the seeds, where they do better on validation and a person has not said otherwise."""
    unseen, seed, found = whole_scores(state, "validation"), workspace.seed_system, state["incumbent"]
    users = {name: workspace.seed_user(name) for name in state["kept"]}
    before = mean([unseen[name, seed.id, user.id]["score"] for name, user in users.items()])
    after = mean([unseen[name, found["id"], prompts[0]["id"]]["score"] for name, prompts in state["kept"].items()])
    if rank(after) >= rank(before) or workspace.problem.keep_unconfirmed:
        return found, state["kept"]
    kept = {name: [_kept(user.id, user.text, scores[name, seed.id, user.id])] for name, user in users.items()}
    return {"id": seed.id, "text": seed.text, "score": meta_score(kept)}, kept


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
        carried = tested(workspace.first_beam(), _wholes(state))
        return [incumbent, *(prompt for prompt in carried if prompt["id"] != incumbent["id"])] if carried else []
    if level != "system":
        return before
    size = workspace.step(state["round"]).keep
    taken = [c for c in in_order(state) if c["reason"] != REJECTED]
    candidates = [Prompt("system", c["text"] or "") for c in taken]
    old = [state["incumbent"], *before[1:]]
    return keep_systems(incumbent, [*old, *tested(candidates, _wholes(state))], size) if size > 1 else []


def _wholes(state: State) -> list[Score]:
    return [score for score in state["scores"] if "stage" not in score]


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


def in_order(state: State) -> list[Candidate]:
    """The round's candidates that have neither been dropped nor fallen, by position, however they came in."""
    fallen = {(one["task"], one["position"]) for one in state.get("judged", []) if one["out"]}
    left = [c for c in state.get("candidates", []) if c["id"] is not None and (c["task"], c["position"]) not in fallen]
    return sorted(left, key=lambda c: (c["task"], c["position"]))


def too_much_lost(workspace: SearchWorkspace, state: State) -> list[Judged]:
    """The system prompts of the round under which a task loses more than it may, as candidates that fall at the end.

    What a task may not lose is what it has with the prompts in force, and what it began with.
    """
    most, scores = workspace.problem.worst_drop, whole_scores(state, workspace.selecting)
    if most is None or state.get("level", "seed") != "system":
        return []
    found: list[Judged] = []
    for candidate in in_order(state):
        id, drops = candidate["id"] or "", {}
        if any((name, id, prompt["id"]) not in scores for name, prompts in state["kept"].items() for prompt in prompts):
            continue
        for name, prompts in state["kept"].items():
            best = max(scores[name, id, prompt["id"]]["score"] for prompt in prompts)
            drops[name] = max(prompts[0]["score"], state.get("began", {}).get(name, 0.0)) - best
        worst = max(drops, key=lambda name: drops[name])
        if rank(drops[worst]) > most:
            why = f"task {worst!r} would lose {100 * drops[worst]:.1f} points, more than worst_drop allows"
            means = [
                mean([scores[name, id, prompt["id"]]["score"] for prompt in prompts]) for name, prompts in state["kept"].items()
            ]
            count = sum(len(workspace.tasks[name].splits[workspace.selecting]) for name in state["kept"])
            found.append({
                "task": "", "position": candidate["position"], "stage": "everything", "examples": count,
                "gain": rank(mean(means) - state["incumbent"]["score"]), "out": True, "reason": why,
            })  # fmt: skip
    return found


def keep_best(
    kept: Sequence[Kept], candidates: Sequence[Candidate], system: str, scores: Mapping[Pair, Score], size: int
) -> list[Kept]:
    """The best `size` of a task's old and new user prompts, best first; ties keep the earlier one first."""
    compared = [(prompt, prompt["score"]) for prompt in kept]
    for candidate in candidates:
        score = scores[candidate["task"], system, candidate["id"] or ""]
        prompt = _kept(candidate["id"] or "", candidate["text"] or "", score)
        # Where either prompt carries solved examples, these do not count, and their own means do not compare.
        compared.append((prompt, kept[0]["score"] + score["gain"] if "gain" in score else prompt["score"]))
    return [prompt for prompt, _ in sorted(compared, key=lambda one: -rank(one[1]))][:size]


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


def _kept(id: str, text: str, score: Score) -> Kept:
    return {"id": id, "text": text, "score": score["score"], "failures": score["failures"]}
