"""Summarize: what the scores of two system prompts under the same user prompts say, by task and over tasks."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime
from sqlite_utils import Database

from metaspo.domain.errors import ModelError
from metaspo.store import evaluations, prompts, runs
from metaspo.store.database import now
from metaspo.store.prompts import CandidateRow, RoundRow
from metaspo.tasks.generalization import Sides, over_tasks
from metaspo.workspace.events import emit, spent
from metaspo.workspace.generalization import Generalization, GeneralizationState, Induced, system_prompts
from metaspo.workspace.opening import workspace_of
from metaspo.workspace.state import Context


async def summarize(state: GeneralizationState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Compare the two system prompts and close the run."""
    run = state["run"]
    workspace = await workspace_of({"run": run}, runtime)
    question = workspace.problem
    assert isinstance(question, Generalization)
    induced = sorted(state["induced"], key=lambda one: (one["task"], one["position"]))
    users = by_task((one["task"], one["id"]) for one in induced)
    every = await workspace.store.run(all_sides, run, question, users)
    if not every:
        raise ModelError(
            "the optimizer wrote no user prompt that could be used: give user prompts, or another optimizer with --optimizer"
        )
    overall, found = await asyncio.to_thread(lambda: (over_tasks(every), [sides.compare() for sides in every]))
    used = [score["evaluation"] for score in state["scores"]]
    await workspace.store.run(_record, run, question, induced, used, overall.ours.value)
    emit(
        {
            "event": "round_closed", "round": 0, "level": "test", "score": overall.ours.value, "accepted": 0,
            "dropped": sum(one["id"] is None for one in induced), "incumbent": question.system_prompt, "spent": spent(workspace),
        }
    )  # fmt: skip
    workspace.lease.finished = True
    await workspace.store.run(runs.close, run, "done", None, now(), 0.0)
    tasks = {one.task: {**asdict(one), "win_rate": one.win_rate} for one in found}
    return {"run": run, "results": {"tasks": tasks, "mean": asdict(overall)}}


def by_task(prompts: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """Prompts by task, in their order, from pairs of both; without those that there are none of."""
    found: dict[str, list[str]] = {}
    for task, prompt in prompts:
        if prompt is not None:
            found.setdefault(task, []).append(prompt)
    return found


def user_prompts(db: Database, run: str) -> dict[str, list[str]]:
    """The ids of the user prompts that a run scored both system prompts with, by task."""
    return by_task((row.task, row.prompt) for row in prompts.candidates(db, run) if row.level == "user")


def all_sides(db: Database, run: str, question: Generalization, users: Mapping[str, Sequence[str]]) -> list[Sides]:
    """Both system prompts on every task of a run that has user prompts; read from the store."""
    scored = {(e.task, e.system, e.user): e for e in evaluations.run_evaluations(db, run, "test")}
    every = []
    for task in evaluations.run_tasks(db, run):
        first, second = (
            [scored[task.task, system.id, user] for user in users.get(task.name, []) if (task.task, system.id, user) in scored]
            for system in system_prompts(question)
        )
        if first and len(first) == len(second):
            answers = evaluations.golds(db, task.task)
            metric, spec = evaluations.task_metric(db, task.task)
            golds = [answers[outcome.example] for outcome in first[0].outcomes]
            every.append(Sides(task.name, metric, bool(spec.get("constrain")), golds, first, second))
    return every


def _record(
    db: Database, run: str, question: Generalization, induced: Sequence[Induced], used: Sequence[str], score: float
) -> None:
    ours, theirs = system_prompts(question)
    rows = [
        CandidateRow(run, 0, "system", "", 0, ours.id, None, "seed"),
        CandidateRow(run, 0, "system", "", 1, theirs.id, None, "seed"),
        *(
            CandidateRow(
                run, 0, "user", one["task"], one["position"], one["id"], None, "kept" if one["id"] else "dropped", one["reason"]
            )
            for one in induced
        ),
    ]
    dropped = sum(one["id"] is None for one in induced)
    prompts.save_round(db, RoundRow(run, 0, "test", ours.id, score, 0, dropped), rows, [], used)
