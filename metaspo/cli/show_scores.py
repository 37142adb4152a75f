"""How scores look in a terminal: by task, by base model, by field of the answer, and what became of the replies."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..domain.percentages import changed, percent, signed
from .tables import Fitted, Kind

if TYPE_CHECKING:
    from ..reports.controls import TaskReport
    from ..reports.report import Report

MOVED: dict[str, Kind] = {"before": "figure", "after": "figure", "change": "figure", "95% interval": "figure"}


def scores(report: "Report") -> Fitted:
    """The test scores of every task, in %, and their means over source and over unseen tasks."""
    title = "Test scores with the seed prompts and with the prompts found"
    made = Fitted({"task": "lead", "n": "figure", **MOVED, "majority": "figure", "unparsed": "figure"}, title)
    for role, name, difference in (("source", "source tasks", report.source), ("target", "unseen tasks", report.target)):
        rows = [task for task in report.tasks if task.role == role]
        for task in rows:
            unparsed = f"{100 * task.unparsed_before:.0f} -> {100 * task.unparsed_after:.0f}"
            moved = [percent(task.before), percent(task.after), *changed(task.difference), percent(task.majority) or "none"]
            made.add(task.name, f"{task.examples:,}", *moved, unparsed)
        if difference is not None:
            before, after = (sum(getattr(task, when) for task in rows) / len(rows) for when in ("before", "after"))
            moved = [percent(before), percent(after), *changed(difference)]
            made.add(f"mean of {name}", "", *moved, "", "", style="bold", ends=True)
    return made


def by_model(report: "Report") -> Fitted:
    """The same for each of several base models."""
    made = Fitted({"task": "lead", "base model": "lead", **MOVED}, "The same by base model")
    for task in report.tasks:
        for one in task.models:
            made.add(task.name, one.model, percent(one.before), percent(one.after), *changed(one.difference))
    return made


def by_field(report: "Report") -> Fitted:
    """What each field of the tasks' answers scored on test, before and after, in %."""
    kinds: dict[str, Kind] = {"n": "figure", "before": "figure", "after": "figure", "change": "figure"}
    made = Fitted({"task": "lead", "field": "lead", **kinds}, "Test scores by field of the answer")
    for task in report.tasks:
        for one in task.fields:
            moved = percent(one.before), percent(one.after), signed(one.after - one.before)
            made.add(task.name, one.field, f"{one.examples:,}", *moved)
    return made


def replies(report: "Report") -> Fitted:
    """What became of every task's test examples, before and after, in %, and how long prompts and requests are."""
    from ..reports.words import SHARES

    names = (*SHARES, "user prompt", "input tokens")
    made = Fitted({"task": "lead", **dict.fromkeys(names, "figure")}, "Replies to test questions, before -> after")
    for task in report.tasks:
        shares = [_both(task, lambda one, name=name: 100 * getattr(one, name)) for name in SHARES]
        made.add(task.name, *shares, _both(task, lambda one: one.user_length), _both(task, lambda one: one.input_tokens))
    return made


def _both(task: "TaskReport", of: Callable[..., float]) -> str:
    return f"{of(task.replies_before):,.0f} -> {of(task.replies_after):,.0f}"
