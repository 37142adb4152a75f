"""How reports look in a terminal. Scores are percentages here and only here."""

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..domain.costs import cost_says
from ..domain.messages import message_of, text_of
from ..domain.percentages import percent
from .screen import console, continued, panel, plain, wrapped
from .show_scores import by_field, by_model, replies, scores
from .tables import Fitted, rows_as_table

if TYPE_CHECKING:
    from ..reports.generalization import GeneralizationReport
    from ..reports.report import Report
    from .tables import Kind


def table(rows: Sequence[Mapping[str, Any]], **kinds: "Kind") -> None:
    """Rows with the same keys as a table."""
    if rows:
        console.print(rows_as_table(rows, **kinds))


def gained(report: "Report | GeneralizationReport") -> None:
    """What was gained, which is what a person looks for first."""
    from ..reports.gained import gained_says

    console.print(plain(gained_says(report), style="bold"))


def next_steps(report: "Report | GeneralizationReport") -> None:
    """What to do next, which is what a person reads last."""
    from ..reports.next_steps import next_steps as steps_of

    if steps := steps_of(report):
        console.print(plain("Next", style="bold"))
    for step in steps:
        for at, line in enumerate(wrapped(step.says.rstrip(".") + ":" if step.command else step.says, console.width - 2)):
            console.print(plain(f"{'  ' if at else '- '}{line}"))
        if step.command:
            command_of(step.command)


def command_of(command: str) -> None:
    """A command to be pasted, in as many lines as it takes."""
    for line in continued(command, console.width, 4):
        console.print(plain(line))


def ending(report: "Report", *, steps: bool = True) -> None:
    """What a run ends with: what was gained, its scores, and with `steps` what to do next."""
    gained(report)
    summary(report)
    if steps:
        next_steps(report)


def summary(report: "Report") -> None:
    """What a run gained, in a table a person understands, with honest words about it."""
    from ..reports.commands import command, telling
    from ..reports.words import controls, paid, scores_say

    console.print(panel(report.system_after or report.system_before, "system prompt"))
    if report.run.status == "done" and report.run.reason:
        console.print(plain(f"Why the search ended: {report.run.reason}."))
    if report.tasks:
        console.print(scores(report))
        if any(task.models for task in report.tasks):
            console.print(by_model(report))
        if any(task.fields for task in report.tasks):
            console.print(by_field(report))
        for line in scores_say(report):
            console.print(plain(line))
    elif report.train_before is not None and report.train_after is not None:
        console.print(
            f"Score on the examples that were optimized on: {percent(report.train_before)} before, "
            f"{percent(report.train_after)} now. The final test has not been run."
        )
    for line in controls(report):
        console.print(plain(line))
    console.print(plain(f"Paid: {paid(report.usage)}, {report.run.seconds:.0f} s."))
    for line in report.cost_notes:
        console.print(plain(line))
    console.print(plain(f"Run {telling(report.run.id)} in {report.store}. See it again:"))
    command_of(command("show", report.run.id, report.store))


def run(report: "Report") -> None:
    """A run in full: what was gained, status, prompts as diffs, rounds, lineage, scores, and what to do next."""
    gained(report)
    from ..reports.words import answered

    _about(report)
    _diff("system prompt", report.system_before, report.system_after)
    for task, after in report.user_after.items():
        _diff(f"user prompt of {task}", report.user_before[task], after[0])
    _rounds(report)
    if report.answers:
        console.print(plain("answers of people", style="bold"))
        table(answered(report.answers))
    console.print(plain("lineage of the winner", style="bold"))
    for row in report.lineage:
        console.print(
            plain(f"  round {row.round}, {row.status}, score {percent(row.score)}: {report.texts.get(row.prompt or '', '')}")
        )
    if report.tasks:
        console.print(replies(report))
    summary(report)
    next_steps(report)


def _about(report: "Report") -> None:
    """Which run it is, with which models it worked, and where it began."""
    about = report.run
    console.print(plain(f"run {about.id}  {about.status}{f': {about.reason}' if about.reason else ''}", style="bold"))
    models = f"base {report.base}, optimizer {report.optimizer}" + (f", analyst {report.analyst}" if report.analyst else "")
    console.print(plain(f"method {about.method}, {models}, started {about.created}"))
    if report.optimizer_prompts:
        own = ", ".join(f"{name} ({short})" for name, short in report.optimizer_prompts.items())
        console.print(plain(f"optimizer prompts of its own: {own}"))
    if report.from_run:
        console.print(plain(f"begun from run {report.from_run.run}"))
        console.print(plain("\n".join(report.from_run.says)))


def _rounds(report: "Report") -> None:
    console.print(plain("rounds", style="bold"))
    table(
        [
            {
                "round": row.round, "level": row.level, "score": percent(row.score),
                "changed": "yes" if row.accepted else "no", "dropped proposals": row.dropped, "system prompt": row.system[:8],
            }
            for row in report.rounds
        ],
        score="figure",
    )  # fmt: skip


def _diff(title: str, before: str, after: str) -> None:
    if before == after or not after:
        console.print(panel(before, f"{title} (unchanged)"))
        return
    made = plain("")
    for line in difflib.ndiff(before.splitlines(), after.splitlines()):
        if not line.startswith("?"):
            made.append(line + "\n", style={"+": "green", "-": "red"}.get(line[0], ""))
    console.print(panel(made, title))


def runs(rows: Sequence[Mapping[str, Any]]) -> None:
    """The runs of a store, branches under the runs that they came from."""
    children: dict[str | None, list[Mapping[str, Any]]] = {}
    known = {row["run"] for row in rows}
    for row in rows:
        children.setdefault(row["parent"] if row["parent"] in known else None, []).append(row)
    lines: list[dict[str, Any]] = []
    long = telling_apart([str(row["run"]) for row in rows])

    def add(parent: str | None, depth: int) -> None:
        for row in children.get(parent, []):
            mark = "  " * (depth - 1) + "└ " if depth else ""
            started = str(row["started"])[:16].replace("T", " ")
            paid = cost_says(row["cost"], row["unpriced"]) if row["cost"] or row["unpriced"] else ""
            name, score = f"{mark}{row['run'][:long]}", percent(row["score"])
            shown = {**row, "cost": paid, "run": name, "score": score, "started": started}
            lines.append({key: value for key, value in shown.items() if key not in ("parent", "unpriced")})
            add(row["run"], depth + 1)

    add(None, 0)
    table(lines, method="word", score="figure", cost="figure", started="word")


def history(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rounds of a run."""
    table(
        [{**row, "score": percent(row["score"]), "changed": "yes" if row["changed"] else "no"} for row in rows],
        score="figure",
        checkpoint="word",
    )


def comparison(found: Mapping[str, Any]) -> None:
    """Two runs side by side."""
    first, second = (run[: telling_apart(found["runs"])] for run in found["runs"])
    made = Fitted([("", "lead"), (first, "text"), (second, "text")])
    for key, values in found["settings"].items():
        made.add(key, *("" if value is None else str(value) for value in values))
    made.add("score on the examples optimized on", *map(percent, found["train"]))
    for key, values in found["tasks"].items():
        made.add(f"test score of {key}", *map(percent, values))
    made.add("the prompts found are", *found["verdict"])
    made.add("calls", *(f"{calls:,}" for calls in found["calls"]))
    made.add("cost", *(cost_says(*side) for side in zip(found["cost"], found["unpriced"], strict=True)))
    console.print(made)
    _diff(f"system prompt, {first} to {second}", *found["system"])
    for task, pair in found["users"].items():
        _diff(f"user prompt of {task}", *pair)


def telling_apart(ids: Sequence[str]) -> int:
    """How many characters of ids tell them apart, 8 at least: the server's begin with the time."""
    every = set(ids)
    return next(size for size in range(8, 37) if size == 36 or len({id[:size] for id in every}) == len(every))


def preview(shown: Mapping[str, Any]) -> None:
    """One call as a model gets it."""
    for message in shown["messages"]:
        console.print(panel(text_of(message_of(message)[1]), message["role"]))
    console.print(plain(f"expected answer: {shown['expected'] or 'none'}"))
    if shown["constraint"]:
        console.print(plain(f"constrained, where the backend can, to: {shown['constraint']}"))
