"""What the prompts that a run ended with still get wrong, with the replies: read from the store, example by example."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ..domain.calls import Reply
from ..domain.errors import ConfigError
from ..domain.results import Evaluation, Outcome, Split
from ..store import calls, evaluations, runs
from ..store.database import open_store
from ..workspace.generalization import GENERALIZE
from .controls import kind_of
from .pairs import RunPairs, run_pairs

LONGEST = 20
"""Examples of a task that are shown where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One example that is not right: `kind` is wrong, unparsed (no answer in the reply) or ungraded (no grade by the judge).

    `score` is in [0, 1], None where there is no grade. `base` names the base model where several answered. `steps` are
    what a program did before its reply, as JSON text; `finish` is why the reply ended, `error` what an endpoint said instead
    of one.
    """

    kind: str
    question: str
    expected: Sequence[str]
    reply: str
    answer: str | None
    score: float | None
    explanation: str
    finish: str
    error: str
    steps: str
    base: str
    example: str


@dataclass(frozen=True, slots=True)
class TaskFailures:
    """A task's examples on one split, and those that are not right, the first so many of them."""

    task: str
    split: Split
    examples: int
    wrong: int
    unparsed: int
    ungraded: int
    failures: Sequence[Failure]


@dataclass(frozen=True, slots=True)
class RunFailures:
    """The same of all tasks of a run; `without` are the names of those whose last prompts have not been scored."""

    run: str
    tasks: Sequence[TaskFailures]
    without: Sequence[str]

    def as_data(self) -> dict[str, Any]:
        """Plain data, for scripts."""
        return asdict(self)


def open_failures(path: str | Path, name: str = "last", task: str | None = None, most: int = LONGEST) -> RunFailures:
    """What a run, by the beginning of its id, still gets wrong: on the test split, or where it was not tested on what selects.

    `task` asks for one alone, `most` is how many examples of each task are wanted, 0 for all. Raises StoreError when there
    is no such run, ConfigError for a task that it does not have and for a run that searched nothing.
    """
    with open_store(path) as store:
        run = runs.find(store.db, name)
        if run.method == GENERALIZE:
            raise ConfigError(f"run {run.id[:8]} compares two prompts and has no winner; --errors is for a search")
        pairs = run_pairs(store.db, run.id)
        names = [one.name for one in pairs.tasks]
        if task is not None and task not in names:
            raise ConfigError(f"run {run.id[:8]} has no task {task!r}; it has {', '.join(names)}")
        chosen = [one for one in pairs.tasks if task in (None, one.name)]
        found = [(one, _last_evaluation(pairs, one)) for one in chosen]
        tasks = [_of_task(store.db, one, scored, most) for one, scored in found if scored is not None]
        return RunFailures(run.id, tasks, [one.name for one, scored in found if scored is None])


def _last_evaluation(pairs: RunPairs, task: evaluations.RunTask) -> Evaluation | None:
    pair = pairs.ended[task.name]
    return pairs.evaluation(task, "test", pair) or pairs.evaluation(task, pairs.selecting, pair)


def _of_task(db: Database, task: evaluations.RunTask, scored: Evaluation, most: int) -> TaskFailures:
    every = evaluations.by_model(db, scored.id) or {"": scored}
    outcomes = [(base, outcome) for base, one in every.items() for outcome in one.outcomes]
    kinds = [kind_of(outcome) for _, outcome in outcomes]
    missed = [(kind, base, outcome) for kind, (base, outcome) in zip(kinds, outcomes, strict=True) if kind != "right"]
    shown = list(_failures(db, task, missed[: most or None]))
    counts = {kind: kinds.count(kind) for kind in ("wrong", "unparsed", "ungraded")}
    return TaskFailures(task.name, scored.split, len(outcomes), **counts, failures=shown)


def _failures(db: Database, task: evaluations.RunTask, missed: Sequence[tuple[str, str, Outcome]]) -> Iterator[Failure]:
    examples = {example.id: example for example in evaluations.examples(db, task.task)}
    replies = calls.find(db, [outcome.call for *_, outcome in missed])
    for (kind, base, outcome), found in zip(missed, replies, strict=True):
        example, reply = examples.get(outcome.example), found or Reply("", "gone", error="no such call in the store")
        yield Failure(
            kind=kind,
            question=example.question if example else "",
            expected=list(example.answers) if example else [],
            reply=reply.text,
            answer=outcome.answer,
            score=outcome.score if outcome.graded else None,
            explanation=outcome.explanation,
            finish=reply.finish,
            error=reply.error,
            steps=reply.steps,
            base=base,
            example=outcome.example,
        )
