"""What reports show of themselves in a notebook and in a terminal of Python, at a glance."""

from collections.abc import Sequence

from ...domain.costs import cost_says
from ...domain.counting import counted
from ...domain.percentages import changed, percent, signed
from ..claims import WORDS
from ..commands import command, from_here, telling
from ..compare import Comparison
from ..controls import TaskReport
from ..curve import Points
from ..failures import Failure, RunFailures
from ..gained import gained
from ..generalization import GeneralizationReport
from ..next_steps import larger
from ..pages.cell import Cell, Table, Text
from ..report import Report
from ..words import paid
from .shown import cell_of

SIDES = {"source": "", "target": " (unseen)"}


def go_on(report: Report | GeneralizationReport) -> list[tuple[str, str]]:
    """What to do next with a run, in Python."""
    run, store = report.run, from_here(report.store)
    where = f"{telling(run.id)!r}, store={store!r}"
    if run.status == "waiting" and (run.reason or "").startswith("waiting for a person"):
        return [("Go on", f"metaspo.resume({where}, answer='accept')")]
    if run.status == "done":
        return [("The whole report, in a terminal", command("report", run.id, store))]
    if run.status == "running":
        return [("Follow it, in a terminal", command("watch", run.id, store))]
    more = larger(run)
    budget = f", budget={{{more[0]!r}: {more[1]}}}" if more else ""
    return [("Go on", f"metaspo.resume({where}{budget})")]


@cell_of.register
def report_cell(report: Report) -> Cell:
    """The card of a run."""
    users = [
        Text(f"User prompt of {task}, before and after", report.user_before[task], after[0], opened=False)
        for task, after in report.user_after.items()
        if task in report.user_before and after[0] != report.user_before[task]
    ]
    return Cell(
        title=f"Run {report.run.id[:8]}, {report.run.method}: {report.run.status}",
        says=gained(report),
        texts=[
            Text("System prompt, before and after", report.system_before, report.system_after or report.system_before),
            *users,
        ],
        tables=[_scores(report)] if report.tasks else [_rounds(report)] if report.rounds else [],
        notes=[*_began_from(report), f"Paid: {paid(report.usage)}.", *report.cost_notes],
        next=[*go_on(report), ("Rows", "report.to_pandas()")],
    )


def _began_from(report: Report) -> list[str]:
    """The run whose prompts it began with, and what had changed since."""
    return [f"Begun from run {report.from_run.run[:8]}.", *report.from_run.says] if report.from_run else []


def _scores(report: Report) -> Table:
    columns = ("task", "examples", "before", "after", "change", "95% interval", "majority", "unparsed")
    rows = [_task(task) for task in report.tasks]
    for role, change in (("source", report.source), ("target", report.target)):
        own = [task for task in report.tasks if task.role == role]
        if change is not None and len(own) > 1:
            before, after = (sum(getattr(task, when) for task in own) / len(own) for when in ("before", "after"))
            name = "mean of unseen tasks" if role == "target" else "mean"
            rows.append([name, "", percent(before), percent(after), *changed(change), "", ""])
    return Table("Test scores in %, with the prompts before and after", columns, rows, signed=("change",))


def _task(task: TaskReport) -> list[str]:
    unparsed = f"{100 * task.unparsed_before:.0f} to {100 * task.unparsed_after:.0f}"
    return [
        f"{task.name}{SIDES[task.role]}", f"{task.examples:,}", percent(task.before), percent(task.after),
        *changed(task.difference), percent(task.majority), unparsed,
    ]  # fmt: skip


def _rounds(report: Report) -> Table:
    rows = [[str(row.round), row.level, percent(row.score), str(row.accepted)] for row in report.rounds]
    return Table("Rounds: scores in % on the examples that select", ("round", "level", "score", "taken up"), rows)


@cell_of.register
def _generalization(report: GeneralizationReport) -> Cell:
    columns = ("task", "examples", "user prompts", "candidate", "baseline", "change", "95% interval", "wins", "majority")
    rows = [
        [
            one.task, f"{one.examples:,}", str(len(one.candidate.scores)), percent(one.candidate.mean.value),
            percent(one.baseline.mean.value), *changed(one.difference), f"{100 * one.win_rate:.0f}",
            percent(one.majority),
        ]
        for one in report.tasks
    ]  # fmt: skip
    if (every := report.overall) is not None and len(rows) > 1:
        sides = (percent(every.candidate.value), percent(every.baseline.value))
        rows.append(["mean", "", "", *sides, *changed(every.difference), "", ""])
    caption = "Test scores of two system prompts in %, under the same user prompts"
    return Cell(
        title=f"Generalization {report.run.id[:8]}: {report.run.status}",
        says=gained(report),
        texts=[Text("System prompt: the baseline, and the candidate", report.against, report.system_prompt)],
        tables=[Table(caption, columns, rows, signed=("change",))] if rows else [],
        notes=[f"Paid: {paid(report.usage)}.", *report.cost_notes],
        next=[*go_on(report), ("Rows", "report.to_pandas()")],
    )


@cell_of.register
def _failures(found: RunFailures) -> Cell:
    tables = []
    for task in found.tasks:
        counts = f"{task.wrong:,} wrong, {task.unparsed:,} unparsed, {task.ungraded:,} ungraded of {task.examples:,}"
        caption = f"{task.task}, {task.split} examples: {counts}"
        tables.append(
            Table(caption, ("question", "expected", "read", "kind", "reply"), [*map(_failure, task.failures)], prose=True)
        )
    notes = [f"Not scored yet with the last prompts: {', '.join(found.without)}."] if found.without else []
    return Cell(f"Run {found.run[:8]}: what is not right", tables=tables, notes=notes, next=[("Rows", "failures.to_pandas()")])


def _failure(one: Failure) -> list[str]:
    said = [text if len(text) <= 200 else f"{text[:200]}..." for text in (one.question, one.reply or one.error)]
    return [said[0], " or ".join(one.expected), one.answer or "", one.kind, said[1]]


@cell_of.register
def _points(found: Points) -> Cell:
    rows = [[f"{one.round}", one.task, percent(one.selecting), percent(one.test)] for one in found]
    table = Table("Scores in % of each task's best pair", ("round", "task", "selecting", "test"), rows)
    last = f"{counted(len(found), 'point')} of {counted(len({one.round for one in found}), 'round')}"
    return Cell(f"Scores by round: {last}", tables=[table] if rows else [], next=[("Rows", "curve.to_pandas()")])


@cell_of.register
def _comparison(found: Comparison) -> Cell:
    first, second = (f"run {run[:8]}" for run in found["runs"])
    tasks = [[name, percent(one), percent(other), signed(other - one) if None not in (one, other) else ""]
             for name, (one, other) in found["tasks"].items()]  # fmt: skip
    settings = [[name, *map(_short, both)] for name, both in found["settings"].items() if name != "system_prompt"]
    costs = [cost_says(cost, unpriced) for cost, unpriced in zip(found["cost"], found["unpriced"], strict=True)]
    rest = [["verdict", *(WORDS[one] for one in found["verdict"])], ["calls", *(f"{one:,}" for one in found["calls"])],
            ["cost", *costs]]  # fmt: skip
    scores = Table("Test scores in %", ("task", first, second, "change"), tasks, signed=("change",))
    return Cell(
        title=f"Two runs: {first[4:]} and {second[4:]}",
        texts=[Text("System prompt: the first run's, and the second's", *found["system"])],
        tables=[
            *([scores] if tasks else []),
            Table("What differs", ("setting", first, second), [*settings, *rest], prose=True),
        ],
        next=[("Rows", "comparison.to_pandas()")],
    )


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
