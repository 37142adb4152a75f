"""Summarize: what the scores of two system prompts under the same user prompts say, by task and over tasks."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from langgraph.runtime import Runtime
from sqlite_utils import Database

from metaspo.domain.errors import ModelError
from metaspo.store import prompts
from metaspo.store.prompts import CandidateRow, RoundRow
from metaspo.tasks.scores.paired import over_tasks
from metaspo.workspace.context import Context
from metaspo.workspace.events import emit_closed, spent
from metaspo.workspace.generalization import Generalization, GeneralizationState, Induced, by_task, read_scores
from metaspo.workspace.opening import generalization_workspace


async def summarize(state: GeneralizationState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Compare the two system prompts and close the run."""
    run = state["run"]
    workspace = await generalization_workspace({"run": run}, runtime)
    given = workspace.problem
    induced = sorted(state["induced"], key=lambda one: (one["task"], one["position"]))
    users = by_task((one["task"], one["id"]) for one in induced)
    every = await workspace.store.run(read_scores, run, given, users)
    if not every:
        raise ModelError(
            "the optimizer wrote no user prompt that could be used: give user prompts, or another optimizer with --optimizer"
        )
    overall, found = await asyncio.to_thread(lambda: (over_tasks(every), [paired.compare() for paired in every]))
    used = [score["evaluation"] for score in state["scores"]]
    closed = RoundRow(
        run, 0, "test", given.system_prompts[0].id, overall.candidate.value, 0, sum(one["id"] is None for one in induced)
    )
    await workspace.store.run(_record, closed, given, induced, used)
    await emit_closed(
        workspace,
        {
            "event": "round_closed", "round": 0, "level": "test", "score": closed.score, "accepted": 0,
            "dropped": closed.dropped, "incumbent": given.system_prompt, "spent": spent(workspace),
        },
    )  # fmt: skip
    await workspace.finish()
    texts = await workspace.store.run(prompts.prompt_texts, [e.user for paired in every for e in paired.candidate])
    tasks = {
        one.task: {**asdict(one), "win_rate": one.win_rate, "user_prompts": [texts[e.user] for e in paired.candidate]}
        for one, paired in zip(found, every, strict=True)
    }
    return {"run": run, "results": {"tasks": tasks, "mean": asdict(overall)}}


def _record(db: Database, closed: RoundRow, given: Generalization, induced: Sequence[Induced], used: Sequence[str]) -> None:
    rows = [
        CandidateRow(closed.run, 0, "system", "", at, prompt.id, None, "seed") for at, prompt in enumerate(given.system_prompts)
    ]
    for one in induced:
        status: prompts.CandidateStatus = "kept" if one["id"] else "dropped"
        rows.append(CandidateRow(closed.run, 0, "user", one["task"], one["position"], one["id"], None, status, one["reason"]))
    prompts.save_round(db, closed, rows, [], used)
