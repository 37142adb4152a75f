"""Staged judging in a search: what a candidate is asked at a stage, and what became of it there (stages.py has the rules)."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ..domain.results import Split
from ..store import evaluations
from ..tasks.demonstrations import carried
from ..workspace.scoring import score_pair
from ..workspace.search import SearchWorkspace
from ..workspace.state import Candidate, Job, Judged, Score, State
from .selection import in_order, too_much_lost
from .stages import (
    EVERYTHING,
    GATE,
    Gain,
    Known,
    Scores,
    better_half,
    gain,
    mended,
    not_longer,
    sample,
    sample_sizes,
    through_the_gate,
)  # fmt: skip


def is_staged(workspace: SearchWorkspace, state: State) -> bool:
    """Whether the candidates of the round at work are judged in stages."""
    return workspace.problem.judged == "staged" and state.get("level", "seed") in ("user", "system")


def stage_names(workspace: SearchWorkspace, state: State) -> list[str]:
    """The stages of the round at work; a task with few examples comes to everything before the others do."""
    counts = [len(workspace.tasks[name].splits[workspace.selecting]) for name in state["kept"]]
    at_once = sample_sizes(max(counts), 1) if state["level"] == "user" else sample_sizes(sum(counts), len(counts))
    return [GATE, *(f"{size} examples" for size in at_once), EVERYTHING]


async def gate_jobs(workspace: SearchWorkspace, state: State, candidate: Candidate) -> list[Job]:
    """A new candidate's first evaluations: the failures that it was written from, or the first sample where there are none."""
    shown: dict[str, list[str]] = {}
    for failure in candidate.get("failures", []):
        shown.setdefault(failure["task"], []).append(failure["example"])
    if not shown:
        return await sample_jobs(workspace, state, candidate, 1, 0)
    return [
        {**_pair(workspace, state, candidate, task), "split": "train", "stage": 0, "examples": sorted(ids)}
        for task, ids in shown.items()
    ]


async def sample_jobs(workspace: SearchWorkspace, state: State, candidate: Candidate, at: int, stage: int) -> list[Job]:
    """A candidate's evaluations on the sample of a stage, told as those of `stage`."""
    known = await known_of(workspace, state, candidate["task"])
    sizes = sample_sizes(sum(len(one.scores) for one in known), len(known))
    size = sizes[at - 1] if at <= len(sizes) else sum(len(one.scores) for one in known)
    drawn = sample(known, size, _random(workspace, state, candidate["task"]))
    given_away = carried(workspace.tasks[candidate["task"]], candidate["text"] or "") if candidate["task"] else frozenset()
    drawn = {task: able for task, ids in drawn.items() if (able := [id for id in ids if id not in given_away])}
    jobs: list[Job] = [
        {**_pair(workspace, state, candidate, task), "split": workspace.selecting, "stage": stage, "examples": sorted(ids)}
        for task, ids in drawn.items()
    ]
    # A prompt that carries all of them has nothing to be asked, and still goes with the others.
    return jobs or [{"run": workspace.run, "round": state["round"], "task": candidate["task"]}]


def _random(workspace: SearchWorkspace, state: State, task: str) -> Random:
    # All candidates of a round meet the same examples; those of another round meet others.
    return Random(f"{workspace.problem.seed}/{state['round']}/{state['level']}/{task}/sample")


def _pair(workspace: SearchWorkspace, state: State, candidate: Candidate, task: str) -> Job:
    """The pair that a candidate is tried with on a task: with the best user prompt, or under the system prompt in force."""
    id, level = candidate["id"] or "", "user" if candidate["task"] else "system"
    base: Job = {"run": workspace.run, "round": state["round"], "level": level, "task": task}  # type: ignore[typeddict-item]
    if candidate["task"]:
        return {**base, "system": state["incumbent"]["id"], "user": id}
    return {**base, "system": id, "user": state["kept"][task][0]["id"]}


async def known_of(workspace: SearchWorkspace, state: State, task: str, split: Split | None = None) -> list[Known]:
    """What the prompts in force make of the selecting examples, of one task or of all (""); recorded, never asked."""
    found = []
    for name in [task] if task else state["kept"]:
        pair = state["incumbent"]["text"], state["kept"][name][0]["text"]
        evaluation = await score_pair(workspace, workspace.tasks[name], *pair, split or workspace.selecting)
        scores = {outcome.example: outcome.score for outcome in evaluation.outcomes if outcome.graded}
        found.append(Known(name, scores, frozenset(outcome.example for outcome in evaluation.failures)))
    return found


async def judged_so_far(workspace: SearchWorkspace, state: State) -> tuple[list[Judged], int | None]:
    """How far the round's candidates have come, and the next stage where some are to be asked for more."""
    if not is_staged(workspace, state):
        return too_much_lost(workspace, state), None
    if state.get("review"):
        return state.get("judged", []), None  # A person's edits are scored on everything, as what they stand for was.
    stage, last = state.get("stage", 0), len(stage_names(workspace, state)) - 1
    judged = await judge_stage(workspace, state)
    if stage < last and in_order({**state, "judged": judged}):
        return judged, stage + 1
    lost = {one["position"]: one for one in too_much_lost(workspace, state)}
    return [lost.pop(one["position"], one) if one["stage"] == EVERYTHING else one for one in judged], None


async def judge_stage(workspace: SearchWorkspace, state: State) -> list[Judged]:
    """What is known of the candidates after the stage at work, with what earlier stages said."""
    names, stage = stage_names(workspace, state), state.get("stage", 0)
    found = list(state.get("judged", []))
    for task in dict.fromkeys(candidate["task"] for candidate in in_order(state)):
        group = _Group(task, [candidate for candidate in in_order(state) if candidate["task"] == task])
        judge = _at_the_end if names[stage] == EVERYTHING else _at_a_sample if stage else _at_the_gate
        found += await judge(workspace, state, group, names)
    return found


@dataclass(frozen=True)
class _Group:
    """The candidates that race with each other: those of a task, or the system prompts (task "")."""

    task: str
    candidates: list[Candidate]

    @property
    def lengths(self) -> dict[int, int]:
        return {candidate["position"]: len(candidate["text"] or "") for candidate in self.candidates}

    def told(self, stage: str, gains: Mapping[int, Gain], stay: Container[int], *, all: bool = False) -> list[Judged]:
        """What there is to tell: of those that fall, or of all."""
        return [
            {
                "task": self.task, "position": position, "stage": stage, "examples": found.examples,
                "gain": round(found.value, 9), "out": position not in stay,
            }
            for position, found in gains.items()
            if all or position not in stay
        ]  # fmt: skip


async def _at_the_gate(workspace: SearchWorkspace, state: State, group: _Group, names: Sequence[str]) -> list[Judged]:
    asked = _Group(group.task, [candidate for candidate in group.candidates if candidate.get("failures")])
    # Looked up where it is needed alone: where other examples select, a pair may not have met the training ones.
    known = await known_of(workspace, state, group.task, "train") if asked.candidates else []
    shares = {c["position"]: mended(known, await _scores_of(workspace, state, c, 0)) for c in asked.candidates}
    fallen = asked.told(GATE, shares, through_the_gate(shares))
    others = _Group(group.task, [candidate for candidate in group.candidates if not candidate.get("failures")])
    # Who was written from no failures has the first sample for a gate.
    known = await known_of(workspace, state, group.task)
    gains = {c["position"]: gain(known, await _scores_of(workspace, state, c, 0)) for c in others.candidates}
    return fallen + others.told(names[1], gains, [position for position, found in gains.items() if found.value > 1e-9])


async def _at_a_sample(workspace: SearchWorkspace, state: State, group: _Group, names: Sequence[str]) -> list[Judged]:
    stage = state.get("stage", 0)
    known = await known_of(workspace, state, group.task)
    gains = {c["position"]: gain(known, await _scores_of(workspace, state, c, stage)) for c in group.candidates}
    return group.told(names[stage], gains, better_half(gains, group.lengths))


async def _at_the_end(workspace: SearchWorkspace, state: State, group: _Group, names: Sequence[str]) -> list[Judged]:
    known = await known_of(workspace, state, group.task)
    scores = {c["position"]: await _scores_of(workspace, state, c, None) for c in group.candidates}
    gains = {position: gain(known, own) for position, own in scores.items()}
    lost = {one["position"] for one in too_much_lost(workspace, state)} if not group.task else set()
    able = {position: found for position, found in gains.items() if found.value > 1e-9 and position not in lost}
    better = sorted(able, key=lambda p: (-round(gains[p].value, 9), p))
    wide = workspace.settings.keep > 1 if group.task else workspace.step(state["round"]).keep > 1
    stay = list(gains) if wide else [not_longer(scores, better, group.lengths)] if better else []
    return group.told(EVERYTHING, gains, stay, all=True)


async def _scores_of(workspace: SearchWorkspace, state: State, candidate: Candidate, stage: int | None) -> Scores:
    """A candidate's scores at a stage, by task and example, from the store; on everything where there is no stage."""
    found: dict[str, dict[str, float]] = {}
    for score in state.get("scores", []):
        if _is_of(state, score, candidate) and score.get("stage") == stage:
            evaluation = await workspace.store.run(evaluations.evaluation, score["evaluation"])
            found[score["task"]] = {o.example: o.score for o in evaluation.outcomes if o.graded} if evaluation else {}
    return found


def _is_of(state: State, score: Score, candidate: Candidate) -> bool:
    if candidate["task"]:
        return score["task"] == candidate["task"] and score["user"] == candidate["id"]
    return score["system"] == candidate["id"] and score["user"] == state["kept"][score["task"]][0]["id"]
