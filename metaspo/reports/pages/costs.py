"""What a run cost: calls, tokens and cost by role, what was known already, and what its placebo paid apart from it."""

from dataclasses import dataclass, replace
from itertools import pairwise

from sqlite_utils import Database

from ...domain.calls import Usage
from ...store.events import told
from ...store.runs import Run
from ..report import Report
from .head import duration

ROLES = {
    "base": "Base model, answers the tasks",
    "optimizer": "Optimizer, writes prompts",
    "analyst": "Analyst, analyses failures",
    "judge": "Judge, grades answers",
}
"""The roles of models, and what each does."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was paid, by role, and together where that is more than one. `known` is None where nobody has told."""

    roles: list[tuple[str, Usage]]
    whole: Usage
    known: int | None
    worked: str
    notes: list[str]
    placebo: Usage | None = None
    placebo_worked: str = ""


def costs(db: Database, report: Report) -> Costs:
    """What a search cost so far."""
    found = report.placebo
    return replace(
        paid(db, report.run, report.usage, report.cost_notes),
        placebo=found.usage if found and found.status != "not begun" else None,
        placebo_worked=duration(found.seconds) if found else "",
    )


def paid(db: Database, run: Run, usage: Usage, notes: list[str]) -> Costs:
    """What a run of any kind cost so far."""
    return Costs(
        roles=[(ROLES.get(role, role), usage.of(role)) for role in sorted(usage.calls, key=[*ROLES, *usage.calls].index)],
        whole=usage,
        known=known_calls(db, run.id),
        worked=duration(run.seconds),
        notes=notes,
    )


def known_calls(db: Database, run: str) -> int | None:
    """How many calls the record answered, as the run has told; None where it has told nothing, as those of earlier versions."""
    counts = [int(event["spent"]["cached"]) for _, _, event in told(db, run) if "spent" in event]
    if not counts:
        return None
    # Every session counts from 0 again.
    return counts[-1] + sum(one for one, other in pairwise(counts) if other < one)
