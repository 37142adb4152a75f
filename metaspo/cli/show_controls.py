"""How what a report's scores stand beside looks in a terminal: what replies were, and the scores by field."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .screen import plain

if TYPE_CHECKING:
    from ..reports.controls import TaskReport
    from ..reports.report import Report


def replies(report: "Report") -> Table:
    """What became of every task's test examples, before and after, in %."""
    from ..reports.words import SHARES

    made = Table(title="Replies to test questions, before -> after", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column("task", overflow="fold", min_width=12)
    for name in ("right", "wrong", "un-\nparsed", "un-\ngraded", "user\nprompt", "input\ntokens"):
        made.add_column(name, justify="right", no_wrap=True)
    for task in report.tasks:
        shares = [_both(task, lambda one, name=name: 100 * getattr(one, name)) for name in SHARES]
        made.add_row(task.name, *shares, _both(task, lambda one: one.user_length), _both(task, lambda one: one.input_tokens))
    return made


def by_field(report: "Report") -> Table:
    """What each field of the tasks' answers scored on test, before and after, in %."""
    made = Table(title="Test scores by field of the answer", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("task", "field", "n", "before", "after", "change"):
        made.add_column(name, justify="left" if name in ("task", "field") else "right", overflow="fold")
    for task in report.tasks:
        for at, one in enumerate(task.fields):
            scores = [f"{100 * one.before:.1f}", f"{100 * one.after:.1f}", f"{100 * (one.after - one.before):+.1f}"]
            last = at == len(task.fields) - 1
            made.add_row("" if at else plain(task.name), plain(one.field), str(one.examples), *scores, end_section=last)
    return made


def _both(task: "TaskReport", of: Callable[..., float]) -> str:
    return f"{of(task.replies_before):.0f} -> {of(task.replies_after):.0f}"
