"""Who works next: the fan-outs between the nodes. Pure functions of the state, but for the seeds' texts.

Every path from `select` back to `select` has the same length, also for a candidate that is dropped
on the way: it travels on as a job with nothing to do, so that one `select` closes the round. What a
person edited while `select` asked goes to `evaluate` alone, and so in step too.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, cast

from langgraph.runtime import get_runtime
from langgraph.types import Send

from metaspo.approval.review import edited, needs_checkpointer
from metaspo.domain.prompts import Level, Prompt
from metaspo.methods.selection import in_order
from metaspo.methods.stages import EVERYTHING
from metaspo.methods.staging import gate_jobs, is_staged, sample_jobs, stage_names
from metaspo.store.prompts import rounds_best
from metaspo.workspace.beginning import as_written, begin
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit
from metaspo.workspace.method import Step
from metaspo.workspace.opening import search_workspace
from metaspo.workspace.problem import Problem
from metaspo.workspace.search import SearchWorkspace
from metaspo.workspace.state import EDITED, Candidate, Job, State, not_begun, problem_of


def seeds_of(given: type[Problem]) -> Callable[[State], Awaitable[list[Send]]]:
    """The start of a graph that takes such a problem as input."""

    async def seeds(state: State) -> list[Send]:
        written = cast(State, as_written(state, given))
        workspace = await search_workspace(state, get_runtime(Context), begins=lambda _: problem_of(written, given))
        begin(workspace.run, state, given, not_begun(workspace.first_round))
        return await first_evaluations(workspace)

    return seeds


async def first_evaluations(workspace: SearchWorkspace) -> list[Send]:
    """At the start: every source task's first user prompts under the first system prompt.

    Input given to a thread that has been at work starts its search anew; what was paid is not paid again.
    """
    needs_checkpointer(workspace)
    systems, users = workspace.first_prompts()
    seeds = [prompt for name in workspace.tasks for prompt in (workspace.seed_user(name), workspace.written_user(name))]
    first = [prompt for prompts in users.values() for prompt in prompts]
    beam = workspace.first_beam()
    await workspace.save_prompts(workspace.seed_system, *systems, *beam, *seeds, *first)
    jobs = first_jobs(workspace)
    await emit(
        workspace,
        {
            "event": "round_opened", "round": workspace.first_round, "rounds": workspace.last_round, "level": "seed",
            "candidates": 0, "evaluations": len(jobs),
        },
    )  # fmt: skip
    return [Send("evaluate", job) for job in jobs]


def first_jobs(workspace: SearchWorkspace) -> list[Job]:
    """The evaluations that a search begins with."""
    systems, users = workspace.first_prompts()
    base = _scored_for(workspace, workspace.first_round, "seed")
    return [
        {**base, "task": name, "system": id, "user": user.id}
        for id in dict.fromkeys(prompt.id for prompt in [*systems, *workspace.first_beam()])
        for name, prompts in users.items()
        for user in {prompt.id: prompt for prompt in prompts}.values()
    ]


async def next_round(state: State) -> Sequence[Send] | str:
    """After a round: the failures to analyse for the next one, the final test, or the end. Within one: a person's edits.

    LangGraph also asks when somebody has edited the state, which sends nobody on: a fork begins at the start.
    """
    level = state["level"]
    if level == "done" or level == EDITED:
        return "done"  # The run has been left: whoever opens its workspace would begin anew.
    round, workspace = state["round"], await search_workspace(state, get_runtime(Context))
    if state.get("stage"):
        return [Send("evaluate", job) for job in await stage_jobs(workspace, state)]
    edits = edited(workspace, state)
    if edits or level in ("confirm", "test"):
        # A prompt that a person edited is scored in the round that it was shown in.
        jobs = [job for edit in edits.values() for job in candidate_jobs(workspace, state, edit)]
        if level == "confirm":
            jobs = confirm_jobs(workspace, state)
        jobs, candidates = jobs or test_jobs(workspace, state, await _rounds_best(workspace)), 0
    else:
        jobs = proposal_jobs(workspace, state)
        candidates = len(jobs)
    pairs = sum(len(kept) for kept in state["kept"].values()) if level == "system" else 1
    await emit(
        workspace,
        {
            "event": "round_opened", "round": round, "rounds": workspace.last_round, "level": level,
            "candidates": candidates, "evaluations": len(jobs) * pairs if candidates else len(jobs),
        },
    )  # fmt: skip
    return [Send("analyze_failures" if candidates else "evaluate", job) for job in jobs]


def proposals(state: State) -> list[Send]:
    """After an analysis: its proposal. LangGraph shows each branch of a fan-out its own writes only."""
    return [
        Send("propose_user_prompts" if job["level"] == "user" else "propose_system_prompts", job) for job in state["analyses"]
    ]


async def evaluations(state: State) -> list[Send]:
    """After a proposal: its candidate with the prompts that it must prove itself with."""
    workspace = await search_workspace(state, get_runtime(Context))
    jobs = await evaluation_jobs(workspace, state)
    return [Send("evaluate", job) for job in jobs]


async def evaluation_jobs(workspace: SearchWorkspace, state: State) -> list[Job]:
    """The first evaluations of a round's candidates."""
    staged = is_staged(workspace, state)
    jobs: list[Job] = []
    for candidate in state["candidates"]:
        met = candidate["id"] is not None and staged
        jobs += await gate_jobs(workspace, state, candidate) if met else candidate_jobs(workspace, state, candidate)
    return jobs


async def further_jobs(workspace: SearchWorkspace, state: State) -> list[Job]:
    """The further evidence that a stage asks for about the candidates that are left; at the last, everything."""
    stage = state["stage"]
    last = stage_names(workspace, state)[stage] == EVERYTHING
    return [
        job
        for candidate in in_order(state)
        for job in (
            candidate_jobs(workspace, state, candidate)
            if last
            else await sample_jobs(workspace, state, candidate, stage, stage)
        )
    ]


async def stage_jobs(workspace: SearchWorkspace, state: State) -> list[Job]:
    """The same, told as an event."""
    names, left = stage_names(workspace, state), in_order(state)
    jobs = await further_jobs(workspace, state)
    await emit(workspace, {
        "event": "stage_opened", "round": state["round"], "level": cast(Level, state["level"]), "stage": names[state["stage"]],
        "candidates": len(left), "evaluations": len(jobs),
    })  # fmt: skip
    return jobs


def confirm_jobs(workspace: SearchWorkspace, state: State) -> list[Job]:
    """The found prompts and the seeds on validation, and the seeds on what selects, should they come back."""
    base: Job = {"run": workspace.run, "round": state["round"], "level": "confirm"}
    seed, found = workspace.seed_system.id, state["incumbent"]["id"]
    jobs: list[Job] = []
    for name, prompts in state["kept"].items():
        user = workspace.seed_user(name).id
        jobs += [
            {**base, "task": name, "system": seed, "user": user, "split": "validation"},
            {**base, "task": name, "system": found, "user": prompts[0]["id"], "split": "validation"},
            {**base, "task": name, "system": seed, "user": user, "split": workspace.selecting},
        ]
    return jobs


def proposal_jobs(workspace: SearchWorkspace, state: State) -> list[Job]:
    """One job per candidate of the round's step; none for a task whose best prompt makes no mistakes.

    That holds however candidates are proposed: where everything is right there is nothing to win.
    """
    step = workspace.step(state["round"])
    base: Job = {"run": workspace.run, "round": state["round"], "level": step.level}
    open_tasks = [name for name in state["kept"] if can_improve(workspace, state, name)]
    if step.level == "system":
        kept = [prompt["id"] for prompt in state.get("beam") or [state["incumbent"]]]
        best = {name: state["kept"][name][0]["id"] for name in open_tasks}
        return [
            {**base, "task": "", "users": best, "system": id, "kept": kept, "position": at}
            for at, id in enumerate(_parents(step, kept))
        ]
    jobs: list[Job] = []
    for name in open_tasks:
        kept = [prompt["id"] for prompt in state["kept"][name]]
        job: Job = {**base, "task": name, "system": state["incumbent"]["id"], "kept": kept}
        jobs += [{**job, "users": {name: id}, "position": at} for at, id in enumerate(_parents(step, kept))]
    return jobs


def _parents(step: Step, kept: Sequence[str]) -> list[str]:
    """The parent of each candidate: the best ones first, each as often as it gets candidates."""
    return [id for id in kept[: step.parents] for _ in range(step.candidates)]


def can_improve(workspace: SearchWorkspace, state: State, task: str) -> bool:
    """Whether a task's best user prompt is known to fail somewhere; unknown where other examples select."""
    return workspace.selecting != "train" or state["kept"][task][0]["failures"] > 0


def candidate_jobs(workspace: SearchWorkspace, state: State, candidate: Candidate) -> list[Job]:
    """The evaluations that a candidate needs: on its own task, or with every kept user prompt of every task."""
    id, task, round = candidate["id"], candidate["task"], state["round"]
    if id is None:
        return [{"run": workspace.run, "round": round, "task": task}]
    if task:
        return [
            {
                **_scored_for(workspace, round, "user"),
                "task": task,
                "system": state["incumbent"]["id"],
                "user": id,
                "rival": state["kept"][task][0]["id"],
            }
        ]
    base = _scored_for(workspace, round, "system")
    return [
        {**base, "task": name, "system": id, "user": kept["id"]} for name, prompts in state["kept"].items() for kept in prompts
    ]


async def _rounds_best(workspace: SearchWorkspace) -> list[tuple[str, str, str]]:
    """Task, system and user prompt of each task's best pair after every round, where a curve is asked for."""
    best = await workspace.store.run(rounds_best, workspace.run) if workspace.problem.curve else []
    return [(pair.task, pair.system, pair.user) for pair in best]


def test_jobs(workspace: SearchWorkspace, state: State, earlier: Sequence[tuple[str, str, str]] = ()) -> list[Job]:
    """The final test: what was kept and what we began with, on every task, the unseen ones included.

    `earlier` are pairs of earlier rounds that are tested as well.
    """
    seed = workspace.seed_system.id
    pairs: list[tuple[str, str, str]] = []
    for name, task in workspace.tasks.items():
        first = Prompt("user", task.spec.user_prompt).id
        kept = [prompt["id"] for prompt in state["kept"].get(name, [])][: workspace.settings.tested_pairs] or [first]
        # As a person wrote it, without the answer format: what that alone is worth.
        pairs += [
            (name, seed, first),
            (name, seed, workspace.written_user(name).id),
            *((name, state["incumbent"]["id"], user) for user in kept),
        ]
    return [
        {
            "run": workspace.run,
            "round": state["round"],
            "level": "test",
            "task": name,
            "system": system,
            "user": user,
            "split": "test",
        }
        for name, system, user in dict.fromkeys([*pairs, *earlier])
    ]


def _scored_for(workspace: SearchWorkspace, round: int, level: Level | Literal["seed"]) -> Job:
    """What all evaluations have in common that a round needs to select."""
    return {"run": workspace.run, "round": round, "level": level, "split": workspace.selecting}
