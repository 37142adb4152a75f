"""Scoring: every example of a split put to the base model under one pair of prompts, read and judged."""

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Sequence
from typing import Any

from ..domain.calls import NO_REPLY
from ..domain.errors import MetaspoError
from ..domain.excerpts import excerpt
from ..domain.prompts import Prompt
from ..domain.results import UNGRADED, Evaluation, Example, Outcome, Split
from ..store import evaluations
from ..store.database import now
from ..tasks.demonstrations import carried
from ..tasks.judge import judge_messages, read_grade
from ..tasks.task import Task
from .resources import Workspace

CUT_OFF = ("length", "recursion_limit", *NO_REPLY)
"""Ways to end that leave no answer to trust, unless the reply is read whole all the same."""


READING = "without thoughts"
"""How replies are read, where that has changed: scores of another reading are worked out anew from the same replies."""


async def score_pair(workspace: Workspace, task: Task, system: str, user: str, split: Split) -> Evaluation:
    """The evaluation of a pair on a whole split: the recorded one, or a new one."""
    return await score_some(workspace, task, (system, user), split)


async def score_some(
    workspace: Workspace, task: Task, pair: tuple[str, str], split: Split, only: Sequence[str] = ()
) -> Evaluation:
    """The evaluation of a pair on a split, or on those of its examples alone whose ids are in `only`.

    What is known of a (pair, example) from another evaluation is not paid again: the ledger has the call.
    """
    # The answer of an example that a prompt carries solved is given away.
    given_away = carried(task, pair[1])
    able = [example for example in task.splits[split] if example.id not in given_away]
    examples = [example for example in able if not only or example.id in only]
    every = len(examples) == len(task.splits[split])
    id = evaluation_id(workspace, task, pair, split, () if every else [example.id for example in examples])
    own = f"{id}/{workspace.run}"
    for at in (own, id):
        known = await workspace.store.run(evaluations.evaluation, at)
        if known is not None:
            return known
    judged = await _all_judged(workspace, task, pair, examples)
    outcomes = tuple(outcome for outcome, _ in judged)
    # What rests on an endpoint's bad moment is this run's: another run asks again.
    id = id if all(is_fact for _, is_fact in judged) else own
    prompts = Prompt("system", pair[0]), Prompt("user", pair[1])
    found = Evaluation(
        id, task.id, prompts[0].id, prompts[1].id, split, task.aggregate(outcomes), outcomes, len(examples) == len(able)
    )
    await workspace.store.run(evaluations.save_evaluation, found, workspace.base.spec.label, now())
    return found


async def on_the_same(
    workspace: Workspace, task: Task, one: tuple[str, str], other: tuple[str, str]
) -> tuple[Evaluation, Evaluation]:
    """Two pairs on the selecting examples, less those that either carries solved. Both have been scored: no model is asked."""
    given_away = carried(task, one[1]) | carried(task, other[1])
    both = [example.id for example in task.splits[workspace.selecting] if example.id not in given_away]
    first, second = [await score_some(workspace, task, pair, workspace.selecting, both) for pair in (one, other)]
    return first, second


async def unread_sample(workspace: Workspace, found: Evaluation) -> str:
    """The beginning of one reply that could not be read, "" where all could."""
    unread = next((outcome.call for outcome in found.outcomes if outcome.answer is None), None)
    reply = await workspace.store.find_call(unread) if unread else None
    return excerpt(reply.text) or "(nothing)" if reply else ""


def evaluation_id(workspace: Workspace, task: Task, pair: tuple[str, str], split: Split, only: Sequence[str] = ()) -> str:
    """The content address of an evaluation: task, split, prompts, and the models that answer and judge."""
    request = workspace.base_request(task, ()).content()
    parts: list[Any] = [task.id, split, *pair, workspace.base.identity, request]
    judge = workspace.judges.get(task.name)
    # What a judge is asked beside the answer shapes its grades: template, length, temperature, form.
    asked = workspace.judge_request(task, judge_messages("", "", (), "")).content() if judge else None
    parts.append([judge.identity, asked] if judge else None)
    parts += [list(only)] if only else []
    parts.append(READING)
    blob = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(blob.encode("utf-8", "surrogatepass")).hexdigest()[:24]


async def _all_judged(
    workspace: Workspace, task: Task, pair: tuple[str, str], examples: Sequence[Example]
) -> tuple[tuple[Outcome, bool], ...]:
    def judged(example: Example) -> Coroutine[Any, Any, tuple[Outcome, bool]]:
        return _judged(workspace, task, *pair, example)

    try:
        async with asyncio.TaskGroup() as group:
            # Pair after pair: the examples of one share their prompts, which endpoints keep in a cache.
            asked = await workspace.base.limiter.queue.start(group, judged, examples)
    except* MetaspoError as errors:
        # One reason is enough: the examples of a pair fail for the same one.
        raise errors.exceptions[0] from None
    return tuple(done.result() for done in asked)


async def _judged(workspace: Workspace, task: Task, system: str, user: str, example: Example) -> tuple[Outcome, bool]:
    """What became of an example, and whether that rests on facts of the models alone."""
    key, reply = await workspace.ask_base(task, task.messages(system, user, example))
    answer = task.read(reply.text) if reply.said.strip() else None
    workspace.first.reply(reply, answer)
    await workspace.stop_without_answers()
    if answer is None:
        why = f"no answer: {reply.finish}" if reply.finish in CUT_OFF else "no answer found in the reply"
        why += f": {reply.error}" if reply.error else ""
        return task.outcome(example, key, None, 0.0, why), reply.is_fact
    if task.name not in workspace.judges:
        return task.outcome(example, key, answer, task.score(answer, example)), reply.is_fact
    rubric = task.spec.metric.rubric or ""
    grading = await workspace.ask_judge(task, judge_messages(rubric, example.question, example.answers, answer))
    # A grade in what was cut off may be one that the judge only weighed.
    grade = read_grade(grading.text) if grading.finish not in CUT_OFF else None
    workspace.first.grade(grade, grading.text)
    await workspace.stop_without_answers()
    if grade is None:
        why = f"{UNGRADED}: {grading.finish}: {excerpt(grading.said)}"
        return Outcome(example.id, key, answer, 0.0, False, why), reply.is_fact and grading.is_fact
    return task.outcome(example, key, answer, grade, grading.said.strip()), reply.is_fact and grading.is_fact
