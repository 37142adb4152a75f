"""Two runs as a page: what differs in their settings, their prompts and their scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...domain.calls import Usage
from ...store.database import Store
from ...store.runs import Run
from ..compare import compare
from ..paired_runs import PairedRuns, TaskOfBoth, difference_says, paired_runs
from ..report import Report, report
from .facts import shown
from .page import page
from .prompts import compared
from .scales import Scale, scale_of


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs as the page names it."""

    name: str
    report: Report

    @property
    def usage(self) -> Usage:
        """What it paid."""
        return self.report.usage


def comparison_page(store: Store, first: Run, second: Run) -> str:
    """The page of two runs, finished or not."""
    sides = [Side(f"Run {run.id[:8]}", report(store, run)) for run in (first, second)]
    differs = compare(sides[0].report, sides[1].report)
    both = paired_runs(store.db, first.id, second.id)
    return page(
        "comparison.html",
        f"Runs {first.id[:8]} and {second.id[:8]}",
        sides=sides,
        says=_says(sides, both),
        also=_also(sides, differs["settings"]),
        both=both,
        changes=_scale(both.tasks),
        settings=_settings(differs["settings"], [first, second]),
        system=compared("System prompt", *differs["system"]),
        users=[compared(task, *texts) for task, texts in differs["users"].items()],
    )


def _says(sides: Sequence[Side], both: PairedRuns) -> list[str]:
    """What the scores say, first sentence first."""
    where = f"{sides[1].name} against {sides[0].name[0].lower()}{sides[0].name[1:]}"
    found = [(words, change) for words, change in (("source tasks", both.source), ("unseen tasks", both.unseen)) if change]
    if not found:
        return [f"{where}: the two can't be compared, since no example was tested by both."]
    return [difference_says(f"{where}, {words}", change) for words, change in found]


def _also(sides: Sequence[Side], settings: Mapping[str, Any]) -> list[str]:
    """What keeps the scores from being about the prompts alone."""
    said = [
        f"{side.name} is {side.report.run.status}, not done: its figures are those so far."
        for side in sides
        if side.report.run.status != "done"
    ]
    if "base" in settings:
        said.append("The base models differ, so a difference in scores is one of prompts and models together.")
    return said


def _scale(tasks: Sequence[TaskOfBoth]) -> Scale:
    changes = [task.change for task in tasks if task.change]
    return scale_of([edge for change in changes for edge in (change.low, change.high)], steps=4, zero=True)


def _settings(differing: Mapping[str, Sequence[Any]], both: Sequence[Run]) -> list[tuple[str, str, str]]:
    rows = [(key, *(_value(key, value) for value in values)) for key, values in differing.items() if key != "system_prompt"]
    facts = [(name, *(str(getattr(run, name)) for run in both)) for name in ("created", "version")]
    return [(name, first, second) for name, first, second in [*rows, *facts] if first != second]


def _value(key: str, value: Any) -> str:
    return "none" if value in (None, "", [], {}) else shown(key, value)
