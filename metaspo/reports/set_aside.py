"""Examples that an endpoint gave no reply to while it answered others: which ones, how often, and what it said."""

from collections import defaultdict
from dataclasses import dataclass

from sqlite_utils import Database

from ..domain.calls import NO_REPLY

OUTCOMES = """
    SELECT DISTINCT run_tasks.name, outcomes.example, outcomes.explanation, evaluations.id
    FROM run_evaluations
    JOIN evaluations ON evaluations.id = run_evaluations.evaluation
    JOIN run_tasks ON run_tasks.run = run_evaluations.run AND run_tasks.task = evaluations.task
    JOIN outcomes ON outcomes.evaluation = evaluations.id
    WHERE run_evaluations.run = ? AND outcomes.answer IS NULL AND outcomes.explanation LIKE 'no answer: %'
"""


@dataclass(frozen=True, slots=True)
class SetAside:
    """An example of a task that was set aside `times` times; `says` is the last explanation."""

    task: str
    example: str
    times: int
    says: str


def set_aside(db: Database, run: str) -> list[SetAside]:
    """The examples that a run set aside, those that it did most often first."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for task, example, explanation, _ in db.execute(OUTCOMES, [run]):
        said = explanation.removeprefix("no answer: ")
        if said.partition(":")[0] in NO_REPLY:
            found[task, example].append(said)
    made = [SetAside(task, example, len(said), said[-1]) for (task, example), said in found.items()]
    return sorted(made, key=lambda one: (-one.times, one.task, one.example))


def says(found: list[SetAside], shown: int = 3) -> list[str]:
    """The same in sentences, a line each; nothing where nothing was set aside."""
    lines = [
        f"No reply to example {one.example} of {one.task}, in {one.times} scoring{'s' if one.times > 1 else ''}: {one.says}"
        for one in found[:shown]
    ]
    return lines + ([f"... and none to {len(found) - shown} more."] if len(found) > shown else [])
