"""What studies and adaptations show of themselves in a notebook and in a terminal of Python."""

from collections.abc import Sequence

from ..domain.calls import Usage
from ..domain.percentages import percent
from ..reports.claims import claim
from ..reports.notebook.shown import cell_of
from ..reports.pages.cell import Cell, Table, Text
from ..reports.set_aside import says
from ..reports.words import paid
from .adapt import Adaptation, AdaptationPlan
from .study import Cells
from .table import Entry, StudyReport, notes, shown


@cell_of.register
def _study(report: StudyReport) -> Cell:
    done, wanted = (sum(getattr(entry, name) for entry in report.entries) for name in ("done", "seeds"))
    tables = [_measure(report, name) for name in dict.fromkeys(entry.measure for entry in report.entries)]
    rows = [[name, f"{usage.total_calls:,}", usage.cost_says] for name, usage in report.paid.items()]
    return Cell(
        title=f"Study {report.name}",
        says=[f"{done:,} of {wanted:,} measurements are done." if done < wanted else f"All {wanted:,} measurements are done."],
        tables=[*tables, Table("Paid", ("method", "calls", "cost"), rows)],
        notes=notes(report),
        next=[("Rows", "report.to_pandas()")],
    )


def _measure(report: StudyReport, measure: str) -> Table:
    own = [entry for entry in report.entries if entry.measure == measure]
    settings = list(dict.fromkeys(entry.setting for entry in own))
    rows: dict[str, dict[str, Entry]] = {}
    for entry in own:
        rows.setdefault(entry.method, {})[entry.setting] = entry
    fields = [[method, *(_entry(each.get(name), report) for name in settings)] for method, each in rows.items()]
    return Table(f"{measure}: scores in % with 95% intervals", ("method", *settings), fields)


def _entry(entry: Entry | None, report: StudyReport) -> str:
    return shown(entry, subset=bool(report.differs)) if entry else ""


@cell_of.register
def _adaptation(found: Adaptation) -> Cell:
    together = Usage()
    for curve in found.curves:
        together.include(curve.usage)
    most = max(found.ends, default=0)
    ends = [
        claim(f"In the end, the candidate{f' with {size} training examples' * (size < most)} against the baseline", change)
        for size, change in found.ends.items()
    ]
    stopped = [f"It ended early: {found.stopped}."] if found.stopped else []
    return Cell(
        title="Adaptation: user prompts searched under two frozen system prompts",
        says=[*ends[:1], *stopped] or ["Nothing to compare yet: a search is done under one of the two system prompts at most."],
        texts=[Text("System prompt: the baseline, and the candidate", found.against, found.system_prompt)],
        tables=[_curves(found)] if found.curves else [],
        notes=[*ends[1:], *says(found.set_aside), f"Paid: {paid(together)}.", *found.cost_notes],
        next=[("Rows", "adaptation.to_pandas()")],
    )


def _curves(found: Adaptation) -> Table:
    names = [f"{curve.side}, {curve.train_size}" for curve in found.curves]
    means = [{round: test for round, _, test in curve.means()} for curve in found.curves]
    rounds: Sequence[int] = sorted({round for curve in means for round in curve})
    rows = [[str(round), *(percent(curve.get(round)) for curve in means)] for round in rounds]
    return Table("Mean test score in % by round, with as many training examples a task", ("round", *names), rows)


@cell_of.register
def _plan(plan: AdaptationPlan) -> Cell:
    rows = [[search.label, side, f"{size:,}"] for side, size, search in plan.searches]
    return Cell(
        title="Plan of an adaptation",
        says=[f"{len(rows)} searches of user prompts under two frozen system prompts, in {plan.store}."],
        texts=[Text("System prompt: the baseline, and the candidate", plan.against, plan.system_prompt)],
        tables=[Table("Searches", ("search", "system prompt", "training examples"), rows)],
        next=[("Do it", "metaspo.adapt(plan)"), ("Rows", "plan.to_pandas()")],
    )


@cell_of.register
def _cells(cells: Cells) -> Cell:
    rows = [[cell.method, cell.setting, str(cell.seed)] for cell in cells]
    said = f"{len(rows)} runs: methods, settings and seeds."
    return Cell("Plan of a study", [said], tables=[Table("Runs", ("method", "setting", "seed"), rows)] if rows else [])
