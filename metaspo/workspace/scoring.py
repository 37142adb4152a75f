"""Scoring: every example of a split put to the base model under one pair of prompts, read and judged."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from ..domain.calls import NO_REPLY, Reply
from ..domain.errors import MetaspoError, TaskError
from ..domain.excerpts import excerpt
from ..domain.messages import Message, as_data
from ..domain.prompts import Prompt
from ..domain.results import UNGRADED, Evaluation, Example, Outcome, Split
from ..domain.several import Combination, combined, combined_id
from ..domain.steps import read_steps
from ..store import evaluations
from ..store.database import now
from ..tasks.demonstrations import carried
from ..tasks.scores.judge import judge_messages, read_grade
from ..tasks.scores.own_metric import Judged
from ..tasks.task import Task
from .context import names_of
from .resources import Workspace
from .state import Job, Score

Messages = Sequence[Message]
"""The messages of a request."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an example was asked, by the key of the call, and the reply to it."""

    call: str
    asked: Messages
    reply: Reply

    @property
    def exchange(self) -> list[dict[str, Any]]:
        """All messages as a metric sees them: what was asked, a program's steps and the reply."""
        asked = [as_data(message) for message in self.asked]
        return [*asked, *read_steps(self.reply.steps), {"role": "assistant", "content": self.reply.text}]


CUT_OFF = ("length", "recursion_limit", *NO_REPLY)
"""Ways to end that leave no answer to trust, unless the reply is read whole all the same."""


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
    ids = () if every else [example.id for example in examples]
    id = workspace.evaluation_id(task, pair, split, ids)
    own = f"{id}/{workspace.run}"
    for at in (own, id):
        known = await workspace.store.run(evaluations.evaluation, at)
        if known is not None:
            await _looked_at(workspace, task, known)
            return known
    if workspace.each:
        return await _on_each(workspace, lambda one: score_some(one, task, pair, split, only))
    judged = await _all_judged(workspace, task, pair, examples)
    if id != workspace.evaluation_id(task, pair, split, ids):
        # The endpoint has refused such requests meanwhile: what was answered in the way that it takes is known by now.
        return await score_some(workspace, task, pair, split, only)
    outcomes = tuple(outcome for outcome, _ in judged)
    # What rests on an endpoint's bad moment is this run's: another run asks again.
    id = id if all(is_fact for _, is_fact in judged) else own
    prompts = Prompt("system", pair[0]), Prompt("user", pair[1])
    found = Evaluation(
        id, task.id, prompts[0].id, prompts[1].id, split, task.aggregate(outcomes), outcomes, len(examples) == len(able)
    )
    workspace.first.seen.add(id)
    await workspace.store.run(evaluations.save_evaluation, found, workspace.base.spec.label, now())
    return found


async def _on_each(workspace: Workspace, scored: Callable[[Workspace], Coroutine[Any, Any, Evaluation]]) -> Evaluation:
    """What counts of a pair's evaluations on several base models, each of which stands for itself as well."""
    try:
        async with asyncio.TaskGroup() as group:
            every = [group.create_task(scored(one)) for one in workspace.each]
    except* MetaspoError as errors:
        raise errors.exceptions[0] from None
    parts = [one.result() for one in every]
    counting, own = workspace.context.bases, f"/{workspace.run}"
    id = combined_id(counting, [part.id.removesuffix(own) for part in parts])
    id = id + own if any(part.id.endswith(own) for part in parts) else id
    names = names_of([base.spec for base in workspace.bases])
    made_of = Combination(counting, tuple((name, part.id) for name, part in zip(names, parts, strict=True)))
    found = combined(id, counting, parts)
    await workspace.store.run(evaluations.save_evaluation, found, str(made_of), now())
    return found


async def _looked_at(workspace: Workspace, task: Task, known: Evaluation) -> None:
    """Count what the replies of a recorded evaluation came to, like those of a new one, until a good one has come."""
    if workspace.each:
        for one, part in zip(workspace.each, known.parts, strict=False):
            await _looked_at(one, task, part)
        return
    first = workspace.first
    if known.id in first.seen or (first.answered and task.graded_by in (None, *first.graded)):
        return
    first.seen.add(known.id)
    for outcome in known.outcomes:
        reply = await workspace.store.find_call(outcome.call)
        if reply is not None:
            _count(workspace, task, reply, outcome)
    await workspace.stop_without_answers()


async def score_job(workspace: Workspace, job: Job) -> tuple[Evaluation, Score]:
    """What an evaluation's job asks for, and its score as the state carries it."""
    task = workspace.tasks[job["task"]]
    system, user = await workspace.prompt_texts(job["system"], job["user"])
    found = await score_some(workspace, task, (system, user), job["split"], job.get("examples", []))
    score: Score = {
        "task": job["task"], "system": job["system"], "user": job["user"], "split": job["split"],
        "score": found.score, "failures": len(found.failures), "evaluation": found.id, "level": job["level"],
    }  # fmt: skip
    if "stage" in job:
        score["stage"] = job["stage"]
    if "rival" in job:
        [rival] = await workspace.prompt_texts(job["rival"])
        candidate, other = await on_the_same(workspace, task, (system, user), (system, rival))
        # Where neither carries demonstrations, their own scores compare.
        if candidate.id != found.id or not other.whole:
            score["gain"] = candidate.score - other.score
    return found, score


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


async def score_one(workspace: Workspace, task: Task, pair: tuple[str, str], example: Example) -> Outcome:
    """What becomes of one example, outside of any evaluation: its calls are recorded, and known to every run."""
    return (await _judged(workspace, task, *pair, example))[0]


async def _judged(workspace: Workspace, task: Task, system: str, user: str, example: Example) -> tuple[Outcome, bool]:
    """What became of an example, and whether that rests on facts of the models alone."""
    messages = task.messages(system, user, example)
    about = f"{task.named(example)} of task '{task.name}', in run {workspace.run}"
    key, reply = await workspace.ask_base(task, messages, about)
    grades: list[Reply] = []

    async def graded(messages: Messages) -> Reply:
        grades.append(await workspace.ask_judge(task, messages))
        return grades[-1]

    try:
        found = await outcome_of(task, example, Answered(key, messages, reply), graded)
    except TaskError as error:
        raise TaskError(f"{error}, in run {workspace.run}") from error
    _count(workspace, task, reply, found, [grading.text for grading in grades])
    await workspace.stop_without_answers()
    return found, all(one.is_fact for one in (reply, *grades))


def _count(workspace: Workspace, task: Task, reply: Reply, found: Outcome, said: Sequence[str] = ()) -> None:
    """Count what a reply came to, and its grade where a judge, or a person's own metric, may give none."""
    workspace.first.reply(reply, found.answer)
    if found.answer is not None and task.graded_by:
        workspace.first.grade(found.score if found.graded else None, [*said, found.explanation][0], task.graded_by)


async def outcome_of(
    task: Task, example: Example, answered: Answered, graded: Callable[[Messages], Awaitable[Reply]]
) -> Outcome:
    """What a reply to one example comes to: read, and scored by the task's metric or by the judge behind `graded`.

    A call's outcome is made here and nowhere else, whether the call is new or looked at again.
    """
    key, reply = answered.call, answered.reply
    answer = task.read(reply.text, example, cut_off=reply.finish in CUT_OFF) if reply.said.strip() else None
    if answer is None:
        why = f"no answer: {reply.finish}" if reply.finish in CUT_OFF else "no answer found in the reply"
        told = reply.error or (task.unread(reply.text) if reply.said.strip() else "")
        why += f": {told}" if told else ""
        return task.outcome(example, key, None, 0.0, why)
    if task.spec.metric.kind != "judge":
        grade = await task.graded(Judged(answer, example, reply.text, answered.exchange if task.own_metric else ()))
        return task.outcome_by(grade, example, key, answer)
    grading = await graded(judge_messages(task.spec.metric.rubric or "", example.question, example.answers, answer))
    # A grade in what was cut off may be one that the judge only weighed.
    found = read_grade(grading.text) if grading.finish not in CUT_OFF else None
    if found is None:
        why = f"{UNGRADED}: {grading.finish}: {excerpt(grading.said)}"
        return Outcome(example.id, key, answer, 0.0, False, why)
    return task.outcome(example, key, answer, found, grading.said.strip())
