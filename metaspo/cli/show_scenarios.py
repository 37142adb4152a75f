"""How the reports of `generalize`, `adapt` and `study` look in a terminal."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..domain.percentages import changed, interval, percent
from . import show
from .screen import console, plain, say_json
from .tables import Fitted

if TYPE_CHECKING:
    from ..domain.intervals import Difference
    from ..reports.generalization import GeneralizationReport
    from ..studies.adapt import Adaptation
    from ..studies.table import StudyReport


def show_generalization(report: "GeneralizationReport", as_json: bool) -> None:
    """The report as JSON, or as a table with honest words."""
    if as_json:
        data = asdict(report)
        data["run"] = {"id": report.run.id, "status": report.run.status, "reason": report.run.reason}
        data["stopped"] = report.stopped and str(report.stopped)
        for task, one in zip(data["tasks"], report.tasks, strict=True):
            task["win_rate"] = one.win_rate
        say_json(data)
        return
    show.gained(report)
    console.print(_comparisons(report))
    for line in _words(report):
        console.print(plain(line))
    if report.stopped is None:
        show.next_steps(report)


HOW_TO_READ = (
    "All in %. n is examples x user prompts; ± the standard deviation over user prompts; 95% the interval over examples; wins "
    "the share of user prompts under which the candidate does better, ties counted half; majority what the best constant "
    "answer scores."
)


def _words(report: "GeneralizationReport") -> list[str]:
    """How to read the table and what to know beside it, a line each."""
    from ..domain.excerpts import excerpt
    from ..reports.claims import claim
    from ..reports.set_aside import says
    from ..reports.words import paid

    lines = [HOW_TO_READ]
    for task in report.tasks:
        if task.candidate.unparsed or task.baseline.unparsed:
            first, second = (f"{100 * side.unparsed:.0f}%" for side in (task.candidate, task.baseline))
            share = f"{first} of replies with the candidate, {second} with the baseline"
            lines.append(f"{task.task}: no readable answer in {share}.")
    if report.seen:
        these = "this task" if len(report.seen) == 1 else "these tasks"
        lines.append(f"Not unseen: {', '.join(report.seen)}. A system prompt here was made on other examples of {these}.")
    if report.overall:
        lines.append(claim("The candidate against the baseline", report.overall.difference))
    lines += [excerpt(line, 300) for line in [*says(report.set_aside), *report.remarks]]
    if report.dropped:
        lines.append(f"{report.dropped} user prompts were dropped: the optimizer wrote none that could be used.")
    if report.optimizer_prompts:
        lines.append(
            f"Optimizer prompts of its own: {', '.join(f'{n} ({short})' for n, short in report.optimizer_prompts.items())}."
        )
    return [*lines, f"Paid: {paid(report.usage)}.", *report.cost_notes, f"Run {report.run.id[:8]} in {report.store}."]


COLUMNS = ("n", "candidate", "±", "its 95%", "baseline", "change", "95%", "wins", "majority")


def _comparisons(report: "GeneralizationReport") -> Fitted:
    title = "Test scores of two system prompts, same user prompts"
    made = Fitted({"task": "lead", **dict.fromkeys(COLUMNS, "figure")}, title)
    for task in report.tasks:
        spread = f"{100 * task.candidate.spread:.1f}"
        made.add(
            task.task,
            f"{task.examples}x{len(task.candidate.scores)}",
            *_scores(task.candidate.mean, spread, task.baseline.mean, task.difference),
            f"{100 * task.win_rate:.0f}",
            "none" if task.majority is None else f"{100 * task.majority:.1f}",
        )
    if report.overall:
        each = report.overall
        made.add("mean", "", *_scores(each.candidate, "", each.baseline, each.difference), "", "", style="bold")
    return made


def show_adaptation(found: "Adaptation", as_json: bool) -> None:
    """The curves as JSON, or as a table: rounds down, searches across."""
    if as_json:
        data = asdict(found)
        data["stopped"] = found.stopped and str(found.stopped)
        for drawn, one in zip(data["curves"], found.curves, strict=True):
            drawn["means"] = [dict(zip(("round", "selecting", "test"), row, strict=True)) for row in one.means()]
        say_json(data)
        return
    title = "Mean test score by round, with as many training examples a task"
    made = Fitted([("round", "lead"), *((f"{curve.side}, {curve.train_size}", "figure") for curve in found.curves)], title)
    means = [{round: test for round, _, test in curve.means()} for curve in found.curves]
    for round in sorted({round for curve in means for round in curve}):
        values = [curve.get(round) for curve in means]
        made.add(str(round), *("" if value is None else f"{100 * value:.1f}" for value in values))
    console.print(made)
    console.print(
        plain("The candidate is the system prompt in question, the baseline the other one. No test score chose a prompt.")
    )
    for line in _ends(found):
        console.print(plain(line))


def _ends(found: "Adaptation") -> list[str]:
    """What the searches ended with, the examples without a reply, and what all was paid, a line each."""
    from ..domain.excerpts import excerpt
    from ..reports.set_aside import says
    from ..reports.words import paid
    from ..studies.adapt import ends_say

    aside = [excerpt(line, 300) for line in says(found.set_aside)]
    return [*ends_say(found), *aside, f"Paid: {paid(found.paid)}.", *found.cost_notes]


def show_study(report: "StudyReport") -> None:
    """A table a measure, what each method paid, and how to read all that."""
    from ..studies.table import grids, notes

    for grid in grids(report):
        made = Fitted([(grid.columns[0], "lead"), *((name, "figure") for name in grid.columns[1:])], grid.title)
        for row in grid.rows:
            made.add(*row)
        for row in grid.beside:
            made.add(*row, style="italic")
        console.print(made, plain(""))
    for line in notes(report):
        console.print(plain(line))


def _scores(candidate: "Difference", spread: str, baseline: "Difference", change: "Difference") -> tuple[str, ...]:
    first, second = percent(candidate.value), percent(baseline.value)
    own = interval(candidate.low, candidate.high, "")
    return first, spread, own, second, *changed(change)
