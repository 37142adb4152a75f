"""Rounds: what is on record of one that has closed, which level comes next, and when a search has ended. Pure functions."""

from collections.abc import Sequence
from typing import cast

from ..domain.prompts import RoundLevel
from ..workspace.search import SearchWorkspace
from ..workspace.state import Round, State, StateLevel
from .selection import Selected, rank


def next_level(
    workspace: SearchWorkspace, state: State, rounds: Sequence[Round], after: Selected
) -> tuple[StateLevel, int, str]:
    """The next level that has something to do, its round, and why the search ended if it did before its last step."""
    level, round, ended = state.get("level", "seed"), rounds[-1]["round"], state.get("ended", "")
    tests: StateLevel = "test" if workspace.settings.test_size else "done"
    if level == "test":
        return "done", round, ended
    if level == "confirm":
        return tests, workspace.test_round, ended
    ended = why_ended(workspace, rounds, after)
    if not ended and round < workspace.last_round:
        return workspace.step(round + 1).level, round + 1, ""
    if workspace.problem.confirms and is_changed(workspace, after):
        return "confirm", workspace.last_round + 1, ended
    return tests, workspace.test_round, ended


def why_ended(workspace: SearchWorkspace, rounds: Sequence[Round], after: Selected) -> str:
    """Why a search needs no further step, or nothing: none fails, the score aimed at, or steps that change nothing."""
    own = [closed["accepted"] for closed in rounds if closed["level"] in ("user", "system")]
    idle = idle_steps(own, workspace.problem.start.idle if workspace.problem.start else 0)
    patience, target = workspace.settings.patience, workspace.problem.target
    if workspace.selecting == "train" and not any(prompts[0]["failures"] for prompts in after.kept.values()):
        return "no selecting example fails any more"
    if target is not None and rank(after.incumbent["score"]) >= target:
        return f"the score of {100 * after.incumbent['score']:.1f} reached the target of {100 * target:g}"
    if patience and idle >= patience:
        return f"{idle} steps in a row changed nothing"
    return ""


def idle_steps(accepted: Sequence[int], before: int) -> int:
    """How many steps in a row have changed nothing, by what each step took up, after `before` idle ones of a parent."""
    return next((count for count, taken in enumerate(reversed(accepted)) if taken), len(accepted) + before)


def is_changed(workspace: SearchWorkspace, after: Selected) -> bool:
    """Whether anything stands that differs from the seeds, and there are examples to confirm it on."""
    seeds = {name: workspace.seed_user(name).id for name in after.kept}
    same = after.incumbent["id"] == workspace.seed_system.id and all(
        prompts[0]["id"] == seeds[name] for name, prompts in after.kept.items()
    )
    return not same and all(workspace.tasks[name].splits["validation"] for name in after.kept)


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
