"""Whether tasks have the gold answers that a method shows the optimizer: found out before anything is asked."""

from collections.abc import Sequence

from ..domain.errors import TaskError
from ..tasks.task import Task
from .problem import Problem
from .run_input import RunInput


def check_labelled(given: RunInput, tasks: Sequence[Task]) -> None:
    """Raise TaskError where prompts are to be induced from labelled examples, and a source task has none."""
    if not isinstance(given, Problem):
        return
    levels = {step.level for step in given.schedule() if step.proposer.labelled}
    without = [task.name for task in tasks if task.splits["train"] and not any(one.answers for one in task.splits["train"])]
    # A system prompt is induced from the tasks that have some.
    if without and ("user" in levels or ("system" in levels and len(without) == len(tasks))):
        raise TaskError(
            f"task '{without[0]}' has no gold answers to induce a prompt from, as method {given.method} does; give its "
            "examples answers, or take a method that learns from failures"
        )
