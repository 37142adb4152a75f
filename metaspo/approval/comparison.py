"""What a new prompt changes: the difference, the scores by task with intervals, examples that got better and worse."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from typing import TypedDict

from ..domain.intervals import Difference
from ..domain.results import Evaluation, graded_together
from ..tasks.scores.paired import Paired, mean_difference
from ..tasks.task import Task
from ..workspace.resources import Workspace
from ..workspace.scoring import on_the_same

EXAMPLES = 3
"""Examples shown that got better, and as many that got worse."""

LONGEST = 600
"""Characters of a question or an answer that are shown."""

Pair = tuple[str, str]
"""The texts of a system prompt and a user prompt."""


class TaskChange(TypedDict):
    """A task's score before and after, in [0, 1], and the difference with its paired 95% interval."""

    task: str
    examples: int
    before: float
    after: float
    difference: float
    low: float
    high: float


class ExampleChange(TypedDict):
    """An example that is answered better or worse than before; an answer is None where it was unparsed."""

    task: str
    question: str
    gold: str
    before: str | None
    after: str | None


class Comparison(TypedDict):
    """A prompt beside another one; `difference` is the mean over the tasks, with its paired 95% interval."""

    before: str
    after: str
    diff: str
    difference: float
    low: float
    high: float
    tasks: list[TaskChange]
    better: list[ExampleChange]
    worse: list[ExampleChange]


class Change(Comparison):
    """A prompt that waits to take the place of another one; `task` is "" for the system prompt.

    `best` says whether `after` takes the first place: a task may also keep it behind `before`, as it
    would the further new ones in `also`. `edited` says that a person wrote `after`.
    """

    task: str
    best: bool
    edited: bool
    also: list[str]


async def compared(
    workspace: Workspace, before: str, after: str, pairs: Mapping[str, Sequence[tuple[Pair, Pair]]]
) -> Comparison:
    """One text beside the other, by each task's scored pairs before and after the change, best pair first.

    Everything has been scored, so that no model is asked.
    """
    scored = {
        name: [
            await on_the_same(workspace, workspace.tasks[name], old, new)
            for old, new in both
        ]
        for name, both in pairs.items()
    }  # fmt: skip
    # Thousands of resamples: in a thread, so that the event loop goes on.
    mean, tasks = await asyncio.to_thread(_differences, workspace.tasks, scored)
    better, worse = (
        _in_turn([_moved(workspace.tasks[name], *both[0], up) for name, both in scored.items()]) for up in (True, False)
    )
    return {
        "before": before, "after": after, "diff": unified(before, after),
        "difference": mean.value, "low": mean.low, "high": mean.high, "tasks": tasks, "better": better, "worse": worse,
    }  # fmt: skip


def unified(before: str, after: str) -> str:
    """The unified diff of two prompts, line by line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "in force", "proposed", lineterm="")
    return "\n".join(lines)


def _differences(
    tasks: Mapping[str, Task], scored: Mapping[str, Sequence[tuple[Evaluation, Evaluation]]]
) -> tuple[Difference, list[TaskChange]]:
    every = [_paired(tasks[name], both) for name, both in scored.items()]
    rows: list[TaskChange] = [
        {
            "task": one.task, "examples": one.examples, "before": _mean(one.baseline), "after": _mean(one.candidate),
            "difference": one.difference.value, "low": one.difference.low, "high": one.difference.high,
        }
        for one in every
    ]  # fmt: skip
    return every[0].difference if len(every) == 1 else mean_difference(every), rows


def _paired(task: Task, both: Sequence[tuple[Evaluation, Evaluation]]) -> Paired:
    graded = graded_together(*(new for _, new in both), *(old for old, _ in both))
    after, before = graded[: len(both)], graded[len(both) :]
    golds = [task.examples[outcome.example].answer for outcome in after[0].outcomes]
    return Paired(task.name, task.spec.metric.kind, task.spec.constrain, golds, after, before)


def _mean(found: Sequence[Evaluation]) -> float:
    return sum(one.score for one in found) / len(found)


def _moved(task: Task, old: Evaluation, new: Evaluation, up: bool) -> list[ExampleChange]:
    """The examples whose score rose, or fell; the largest moves first."""
    both = zip(*(one.outcomes for one in graded_together(old, new)), strict=True)
    moves = [(after.score - before.score, before, after) for before, after in both]
    found = sorted((move for move in moves if (move[0] > 0 if up else move[0] < 0)), key=lambda move: -abs(move[0]))
    return [
        {
            "task": task.name, "question": task.examples[before.example].last_turn[:LONGEST],
            "gold": task.examples[before.example].answer[:LONGEST], "before": _cut(before.answer), "after": _cut(after.answer),
        }
        for _, before, after in found[:EXAMPLES]
    ]  # fmt: skip


def _cut(answer: str | None) -> str | None:
    return answer and answer[:LONGEST]


def _in_turn(moved: Sequence[Sequence[ExampleChange]]) -> list[ExampleChange]:
    """A few from all tasks, so that no task hides the others."""
    turns = chain.from_iterable(zip_longest(*moved))
    return [example for example in turns if example is not None][:EXAMPLES]
