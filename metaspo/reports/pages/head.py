"""The head of a run's page: the sentence of what was gained, what kind of run it was, and the key figures."""

from dataclasses import dataclass

from ...domain.counting import counted
from ...domain.percentages import interval, percent
from ...domain.significance import Change
from ..claims import WORDS, points
from ..gained import gained
from ..report import Report
from .page import count


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that somebody takes away from the page; `way` is "better" or "worse" where that is shown, else ""."""

    name: str
    value: str
    note: str
    way: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What comes first: `says` is what came of the run, `beside` what to know beside that, `facts` names and values."""

    says: str
    beside: list[str]
    figures: list[Figure]
    facts: list[tuple[str, str]]


def head(report: Report, status: str) -> Head:
    """The head of a page; `status` is the run's, or "killed" where nobody works on it any more."""
    says, *beside = gained(report)
    return Head(says, beside, figures(report), facts(report, status))


def figures(report: Report) -> list[Figure]:
    """The key figures, as many as there are."""
    made = []
    for name, change, role in (("Source tasks", report.source, "source"), ("Unseen tasks", report.target, "target")):
        if change is not None:
            tasks = [task for task in report.tasks if task.role == role]
            before, after = (sum(getattr(task, when) for task in tasks) / len(tasks) for when in ("before", "after"))
            on = f"{counted(change.examples, 'test example')} of {counted(len(tasks), 'task')}"
            made.append(Figure(name, f"{percent(before)} \u2192 {percent(after)}", f"{spread(change)}, on {on}", _way(change)))
    if not made and report.train_before is not None and report.train_after is not None:
        both = f"{percent(report.train_before)} \u2192 {percent(report.train_after)}"
        made.append(Figure("Examples that select", both, "prompts were chosen by them, so part of this is luck"))
    found = report.confirmation
    note = f"{points(found.change.value)} on {counted(found.change.examples, 'example')} kept back" if found else ""
    made.append(Figure("Verdict", WORDS[report.verdict], note or report.verdict_says.partition(": ")[2].rstrip(".")))
    cost = f"cost {report.usage.cost_says}" if report.usage.cost or report.usage.unpriced else "no cost on record"
    made.append(Figure("Paid", counted(report.usage.total_calls, "call"), f"{cost}, {duration(report.run.seconds)} of work"))
    return made


def facts(report: Report, status: str) -> list[tuple[str, str]]:
    """What the run was."""
    run = report.run
    made = [
        ("Run", run.id),
        ("Status", f"{status}{f': {run.reason}' if run.reason else ''}"),
        ("Method", run.method),
        ("Base model", report.base),
        ("Optimizer", report.optimizer),
        ("Analyst", report.analyst),
        ("Optimizer prompts of its own", ", ".join(f"{name} ({short})" for name, short in report.optimizer_prompts.items())),
        ("Started", moment(run.created)),
        ("Last at work", moment(run.updated)),
        ("Worked for", duration(run.seconds)),
        ("Branched off from", f"run {run.parent}, after round {run.parent_round}" if run.parent_round is not None else ""),
    ]
    return [(name, value) for name, value in made if value]


def spread(change: Change) -> str:
    """A change in points with its interval."""
    return f"{points(change.value)}, 95% interval {interval(change.low, change.high)}"


def moment(created: str) -> str:
    """A time of the store as people write it."""
    return f"{created[:16].replace('T', ' ')} UTC" if created else ""


def duration(seconds: float) -> str:
    """So many seconds, in the units that people think in."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7_200:
        return f"{seconds / 60:.0f} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{count(hours)} h {minutes} min"


def _way(change: Change) -> str:
    return ("better" if change.value > 0 else "worse") if change.is_real else ""
