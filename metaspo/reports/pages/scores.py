"""The scores of a run by task, with their intervals as pictures, and all that scores stand beside."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.excerpts import excerpt
from ...domain.intervals import Difference
from ..controls import TaskReport
from ..report import Report
from ..set_aside import says
from ..words import answered, format_says, lengths_say, placebo_says, replies_say, scores_say, splits_say, unread_share

WIDE, ROOM = 200, 6
"""Units across an interval's picture, and those left free at each of its ends."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a change, its interval's ends and no change at all are in a picture, in units from its left."""

    zero: float
    low: float
    high: float
    at: float
    way: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A line of the table: a task, or the mean over those of a role, of which there are no single figures."""

    name: str
    before: float
    after: float
    change: Difference
    interval: Interval
    task: TaskReport | None
    examples: int


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of a role, and their mean."""

    title: str
    rows: list[ScoreRow]
    mean: ScoreRow | None


@dataclass(frozen=True, slots=True)
class Scores:
    """What the section shows; tables that would be empty are not there.

    `replies` are rows of a name and, for each kind of reply, its shares before and after.
    """

    groups: list[Group]
    tasks: list[TaskReport]
    written: bool
    ungraded: bool
    words: list[str]
    samples: list[tuple[str, str]]
    said: list[tuple[str, str]]
    unread: str
    placebo: list[str]
    remarks: list[str]
    aside: list[str]
    answers: list[dict[str, object]]
    splits: list[tuple[str, float]]


def scores(report: Report) -> Scores:
    """All scores of a run."""
    tasks = report.tasks
    axis = _axis([task.difference for task in tasks] + [one for one in (report.source, report.target) if one])
    sides = (("source", "Source tasks", report.source), ("target", "Unseen tasks", report.target))
    groups = [_group(title, [task for task in tasks if task.role == role], mean, axis) for role, title, mean in sides]
    words = [*scores_say(report), replies_say(tasks), lengths_say(tasks), *format_says(tasks)] if tasks else []
    named = [(name, getattr(report.splits, name)) for name in ("train", "validation", "test")]
    return Scores(
        groups=[group for group in groups if group.rows],
        tasks=tasks,
        written=any(task.written is not None for task in tasks),
        ungraded=any(task.replies_before.ungraded or task.replies_after.ungraded for task in tasks),
        words=[*words, *splits_say(report)],
        samples=[(task.name, text or "(nothing)") for task in tasks for text in task.unread],
        said=[(task.name, excerpt(text, 300)) for task in tasks for text in task.said],
        unread=unread_share(tasks) if tasks else "",
        placebo=placebo_says(report.placebo) if report.placebo else [],
        remarks=[excerpt(line, 300) for line in report.remarks],
        aside=[excerpt(line, 300) for line in says(report.set_aside, len(report.set_aside))],
        answers=answered(report.answers),
        splits=[(name, score) for name, score in named if score is not None],
    )


def _group(title: str, tasks: Sequence[TaskReport], mean: Difference | None, axis: tuple[float, float]) -> Group:
    rows = [
        ScoreRow(task.name, task.before, task.after, task.difference, interval(task.difference, axis), task, task.examples)
        for task in tasks
    ]
    if mean is None or not tasks:
        return Group(title, rows, None)
    before, after = (sum(getattr(task, when) for task in tasks) / len(tasks) for when in ("before", "after"))
    every = sum(task.examples for task in tasks)
    return Group(title, rows, ScoreRow(f"Mean of {title.lower()}", before, after, mean, interval(mean, axis), None, every))


def interval(change: Difference, axis: tuple[float, float]) -> Interval:
    """A change on an axis."""
    left, right = axis

    def at(value: float) -> float:
        return round(ROOM + (WIDE - 2 * ROOM) * (value - left) / (right - left), 2)

    way = "better" if change.low > 0 else "worse" if change.high < 0 else "even"
    return Interval(at(0), at(change.low), at(change.high), at(change.value), way)


def _axis(changes: Sequence[Difference]) -> tuple[float, float]:
    """The ends of an axis that has room for all of them and for no change."""
    ends = [end for one in changes for end in (one.low, one.high, one.value)]
    return min([-0.02, *ends]), max([0.02, *ends])
