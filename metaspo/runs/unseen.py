"""What is left unseen to a run that begins from another one's prompts, in sentences."""

from collections.abc import Mapping

from ..domain.significance import FEWEST
from ..tasks.task import Task
from ..workspace.problem import Problem

FEW = 5 * FEWEST
"""Of fewer examples only a large difference is ever confirmed: six of them must differ, all in the same direction."""


def left_unseen(problem: Problem, sources: Mapping[str, Task], targets: Mapping[str, Task]) -> list[str]:
    """How many examples there are to confirm on and to test that the earlier run did not select on; what too few mean."""
    tested = sum(len(task.splits["test"]) for task in [*sources.values(), *targets.values()])
    test = f"{tested:,} examples to test"
    if not problem.confirms:
        return [f"Of what that run did not select on there are {test}; method {problem.method} confirms nothing."]
    held = {name: len(task.splits["validation"]) for name, task in sources.items()}
    total = sum(held.values())
    says = [f"Of what that run did not select on there are {total:,} examples to confirm on and {tested:,} to test."]
    none = [name for name, count in held.items() if not count]
    if none:
        says.append(f"Nothing can be confirmed: no unseen example is left for validation in {', '.join(none)}. Add examples.")
    elif total < FEW:
        says.append(f"That is too little to confirm any but a large gain; {FEW} or more are better. Add examples.")
    return says
