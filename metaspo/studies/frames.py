"""The rows of studies and adaptations as data frames."""

from collections.abc import Iterator
from typing import Any

from ..reports.notebook.shown import Frame, Frames, frames_of
from .adapt import Adaptation, AdaptationPlan
from .study import Cells
from .table import COLUMNS, StudyReport

TOLD = (*COLUMNS, "seen")
PAID = ("method", "calls", "input_tokens", "output_tokens", "cost", "unpriced")
POINTS = ("side", "train_size", "run", "round", "task", "selecting", "test")


@frames_of.register
def _study(report: StudyReport) -> Frames:
    def tasks() -> Iterator[tuple[Any, ...]]:
        for one in report.entries:
            yield from ((one.measure, one.setting, one.method, task, score) for task, score in one.tasks.items())

    def paid() -> Iterator[tuple[Any, ...]]:
        for name, one in report.paid.items():
            yield name, one.total_calls, one.input_tokens, one.output_tokens, one.cost, one.unpriced

    return {
        "entries": Frame(TOLD, lambda: [tuple(getattr(entry, name) for name in TOLD) for entry in report.entries]),
        "tasks": Frame(("measure", "setting", "method", "task", "score"), tasks),
        "paid": Frame(PAID, paid),
    }


@frames_of.register
def _adaptation(found: Adaptation) -> Frames:
    def points() -> Iterator[tuple[Any, ...]]:
        for curve in found.curves:
            for one in curve.points:
                yield curve.side, curve.train_size, curve.run, one.round, one.task, one.selecting, one.test

    return {"points": Frame(POINTS, points)}


@frames_of.register
def _plan(plan: AdaptationPlan) -> Frames:
    def searches() -> Iterator[tuple[Any, ...]]:
        yield from ((side, size, search.label) for side, size, search in plan.searches)

    return {"searches": Frame(("side", "train_size", "label"), searches)}


@frames_of.register
def _cells(cells: Cells) -> Frames:
    return {"cells": Frame(("method", "setting", "seed"), lambda: [(one.method, one.setting, one.seed) for one in cells])}
