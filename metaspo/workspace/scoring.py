"""Scoring: every example of a split put to the base model under one pair of prompts, read and judged."""

import asyncio
import hashlib
import json
from collections.abc import Coroutine
from typing import Any

from ..domain.errors import MetaspoError
from ..domain.prompts import Prompt
from ..domain.results import Evaluation, Example, Outcome, Split
from ..store import evaluations
from ..store.database import now
from ..tasks.judge import CONSTRAINT, judge_messages, read_grade
from ..tasks.task import Task
from .resources import Workspace

CUT_OFF = ("length", "content_filter", "context_length", "recursion_limit")
"""Ways to end that leave no answer to trust, unless the reply is read whole all the same."""


async def score_pair(workspace: Workspace, task: Task, system: str, user: str, split: Split) -> Evaluation:
    """The evaluation of a pair: the recorded one, or a new one."""
    id = evaluation_id(workspace, task, system, user, split)
    known = await workspace.store.run(evaluations.evaluation, id)
    if known is not None:
        return known
    outcomes = await _all_judged(workspace, task, system, user, split)
    pair = Prompt("system", system), Prompt("user", user)
    found = Evaluation(id, task.id, pair[0].id, pair[1].id, split, task.aggregate(outcomes), outcomes)
    await workspace.store.run(evaluations.save_evaluation, found, workspace.base.spec.label, now())
    return found


def evaluation_id(workspace: Workspace, task: Task, system: str, user: str, split: Split) -> str:
    """The content address of an evaluation: task, split, prompts, and the models that answer and judge."""
    request = workspace.base_request(task, ()).content()
    judge = workspace.judges.get(task.name)
    parts = [task.id, split, system, user, workspace.base.backend.identity, request, judge and judge.backend.identity]
    blob = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:24]


async def _all_judged(workspace: Workspace, task: Task, system: str, user: str, split: Split) -> tuple[Outcome, ...]:
    def judged(example: Example) -> Coroutine[Any, Any, Outcome]:
        return _judged(workspace, task, system, user, example)

    try:
        async with asyncio.TaskGroup() as group:
            # Pair after pair: the examples of one share their prompts, which endpoints keep in a cache.
            asked = await workspace.base.limiter.queue.start(group, judged, task.splits[split])
    except* MetaspoError as errors:
        # One reason is enough: the examples of a pair fail for the same one.
        raise errors.exceptions[0] from None
    return tuple(done.result() for done in asked)


async def _judged(workspace: Workspace, task: Task, system: str, user: str, example: Example) -> Outcome:
    key, reply = await workspace.ask_base(task, task.messages(system, user, example))
    answer = None if not reply.text.strip() else task.read(reply.text)
    if answer is None:
        why = f"no answer: {reply.finish}" if reply.finish in CUT_OFF else "no answer found in the reply"
        return task.outcome(example, key, None, 0.0, why)
    if task.name not in workspace.judges:
        return task.outcome(example, key, answer, task.score(answer, example))
    rubric = task.spec.metric.rubric or ""
    grading = await workspace.ask_judge(task, judge_messages(rubric, example.question, example.answers, answer), CONSTRAINT)
    grade = read_grade(grading.text)
    if grade is None:
        return task.outcome(example, key, answer, 0.0, "the judge gave no grade")
    return task.outcome(example, key, answer, grade, grading.text.strip())
