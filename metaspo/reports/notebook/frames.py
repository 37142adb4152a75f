"""The rows of reports as data frames: tasks, rounds, candidates, examples before and after, scores by round."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from typing import Any

from sqlite_utils import Database

from ...store import evaluations, prompts
from ...store.database import open_store
from ...store.prompts import CandidateRow, RoundRow
from ..answered import answered
from ..changed import TaskCompared, compared
from ..compare import Comparison
from ..controls import TaskReport
from ..curve import Point, Points, open_curve
from ..failures import Failure, RunFailures
from ..generalization import GeneralizationReport
from ..pairs import run_pairs
from ..report import Report
from .shown import Frame, Frames, frames_of

TASKS = (
    "run", "task", "role", "metric", "examples", "before", "after", "change", "low", "high", "majority", "written",
    "unparsed_before", "unparsed_after",
)  # fmt: skip
EXAMPLES = (
    "run", "task", "role", "split", "side", "base", "example", "question", "expected", "reply", "answer", "kind", "score",
)  # fmt: skip
COMPARED = (
    "run", "task", "metric", "examples", "candidate", "baseline", "change", "low", "high", "wins", "ties", "losses", "majority",
)  # fmt: skip
FAILURES = tuple(one.name for one in fields(Failure))


@frames_of.register
def report_frames(report: Report) -> Frames:
    """The frames of a run: tasks, rounds, candidates, examples before and after, scores by round."""
    return {
        "tasks": Frame(TASKS, lambda: [_task(report.run.id, task) for task in report.tasks]),
        "rounds": Frame([one.name for one in fields(RoundRow)], lambda: map(astuple, report.rounds)),
        "candidates": Frame([*(one.name for one in fields(CandidateRow)), "text"], lambda: _candidates(report)),
        "examples": Frame(EXAMPLES, lambda: _examples(report)),
        "curve": Frame(("run", *_POINT), lambda: ((report.run.id, *row) for row in _curve(report))),
    }


_POINT = tuple(one.name for one in fields(Point))


def _task(run: str, task: TaskReport) -> tuple[Any, ...]:
    change = task.difference
    return (
        run, task.name, task.role, task.metric, task.examples, task.before, task.after, change.value, change.low, change.high,
        task.majority, task.written, task.unparsed_before, task.unparsed_after,
    )  # fmt: skip


def _candidates(report: Report) -> Iterator[tuple[Any, ...]]:
    with open_store(report.store) as store:
        rows = prompts.candidates(store.db, report.run.id)
        texts = prompts.prompt_texts(store.db, sorted({row.prompt for row in rows if row.prompt}))
    return ((*astuple(row), texts.get(row.prompt or "")) for row in rows)


def _curve(report: Report) -> Iterable[tuple[Any, ...]]:
    return map(astuple, open_curve(report.store, report.run.id))


def _examples(report: Report) -> list[tuple[Any, ...]]:
    """Each example with the prompts before and with those after, on test, or where nothing was tested on what selects."""
    with open_store(report.store) as store:
        return [row for found in compared(run_pairs(store.db, report.run.id)) for row in _of_task(store.db, found)]


def _of_task(db: Database, found: TaskCompared) -> Iterator[tuple[Any, ...]]:
    examples = {example.id: example for example in evaluations.examples(db, found.task.task)}
    for side in ("before", "after"):
        outcomes = [(one.base, outcome) for one in found.examples if (outcome := getattr(one, side)) is not None]
        replies = answered(db, [outcome for _, outcome in outcomes])
        for (base, outcome), one in zip(outcomes, replies, strict=True):
            example = examples.get(outcome.example)
            yield (
                found.task.run, found.task.name, found.task.role, found.split, side, base, outcome.example,
                example.question if example else None, list(example.answers) if example else [], one.reply, one.answer,
                one.kind, one.score,
            )  # fmt: skip


@frames_of.register
def _generalization(report: GeneralizationReport) -> Frames:
    def scores() -> Iterator[tuple[Any, ...]]:
        for one in report.tasks:
            for side, found in (("candidate", one.candidate), ("baseline", one.baseline)):
                texts = report.user_prompts.get(one.task, [])
                for at, score in enumerate(found.scores):
                    yield report.run.id, one.task, side, at, texts[at] if at < len(texts) else None, score

    def tasks() -> Iterator[tuple[Any, ...]]:
        for one in report.tasks:
            change, sides = one.difference, (one.candidate.mean.value, one.baseline.mean.value)
            counts = (one.wins, one.ties, one.losses, one.majority)
            yield report.run.id, one.task, one.metric, one.examples, *sides, change.value, change.low, change.high, *counts

    columns = ("run", "task", "system_prompt", "user_prompt", "text", "score")
    return {"tasks": Frame(COMPARED, tasks), "scores": Frame(columns, scores)}


@frames_of.register
def _failures(found: RunFailures) -> Frames:
    def rows() -> Iterator[tuple[Any, ...]]:
        for task in found.tasks:
            for one in task.failures:
                yield found.run, task.task, task.split, *(getattr(one, name) for name in FAILURES)

    return {"failures": Frame(("run", "task", "split", *FAILURES), rows)}


@frames_of.register
def _points(found: Points) -> Frames:
    return {"points": Frame(_POINT, lambda: map(astuple, found))}


@frames_of.register
def _comparison(found: Comparison) -> Frames:
    def rows() -> Iterator[tuple[Any, ...]]:
        for task, scores in found["tasks"].items():
            yield from ((run, task, score) for run, score in zip(found["runs"], scores, strict=True))

    return {"tasks": Frame(("run", "task", "score"), rows)}
