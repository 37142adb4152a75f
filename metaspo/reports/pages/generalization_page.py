"""A generalization as a page: two system prompts side by side, on tasks that they were not made for."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...store.database import Store
from ...tasks.scores.paired import TaskComparison
from ..commands import command
from ..gained import gained
from ..generalization import GeneralizationReport
from ..places import file_name
from ..set_aside import says
from .costs import paid
from .facts import facts
from .page import page
from .prompts import compared
from .scales import Scale, scale_of


@dataclass(frozen=True, slots=True)
class UserPrompt:
    """A user prompt of a task with the scores of both system prompts under it, None where they are not all there."""

    text: str
    candidate: float | None
    baseline: float | None


def generalization_page(store: Store, report: GeneralizationReport) -> str:
    """The page of a generalization, finished or not."""
    return page(
        "generalization.html",
        f"Generalization {report.run.id[:8]}",
        report=report,
        says=gained(report),
        system=compared("System prompt", report.against, report.system_prompt),
        scores=_scores_scale(report.tasks),
        changes=_changes_scale(report.tasks),
        users={task: _users(report, task) for task in report.user_prompts},
        remarks=[*_unread(report.tasks), *_dropped(report), *says(report.set_aside, 10), *report.remarks],
        costs=paid(store.db, report.run, report.usage, report.cost_notes),
        facts=facts(report.run, report.store),
        go_on=command("resume", report.run.id, file_name(report.store)),
    )


def _users(report: GeneralizationReport, task: str) -> list[UserPrompt]:
    texts = report.user_prompts[task]
    found = next((one for one in report.tasks if one.task == task), None)
    if found is None or len(found.candidate.scores) != len(texts):
        return [UserPrompt(text, None, None) for text in texts]
    both = zip(texts, found.candidate.scores, found.baseline.scores, strict=True)
    return [UserPrompt(*one) for one in both]


def _scores_scale(tasks: Sequence[TaskComparison]) -> Scale:
    sides = [side.mean for task in tasks for side in (task.candidate, task.baseline)]
    return scale_of([edge for side in sides for edge in (side.low, side.high)], most=1.0, steps=4)


def _changes_scale(tasks: Sequence[TaskComparison]) -> Scale:
    return scale_of([edge for task in tasks for edge in (task.difference.low, task.difference.high)], steps=4, zero=True)


def _unread(tasks: Sequence[TaskComparison]) -> list[str]:
    return [
        f"{task.task}: no readable answer in {100 * task.candidate.unparsed:.0f}% of replies with the candidate, "
        f"{100 * task.baseline.unparsed:.0f}% with the baseline."
        for task in tasks
        if task.candidate.unparsed or task.baseline.unparsed
    ]


def _dropped(report: GeneralizationReport) -> list[str]:
    if not report.dropped:
        return []
    return [f"{report.dropped} user prompts were dropped: the optimizer wrote none that could be used."]
