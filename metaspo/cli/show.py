"""How reports look in a terminal. Scores are percentages here and only here."""

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from ..domain.costs import cost_says
from ..domain.messages import message_of, text_of
from .screen import console, panel, plain
from .show_controls import by_field, replies

if TYPE_CHECKING:
    from ..domain.intervals import Difference
    from ..reports.report import Report


def table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with the same keys as a table."""
    made = Table()
    for key in rows[0] if rows else ():
        made.add_column(key, overflow="fold")
    for row in rows:
        made.add_row(*(plain(str(value)) for value in row.values()))
    console.print(made)


def summary(report: "Report") -> None:
    """What a run gained, in a table a person understands, with honest words about it."""
    from ..reports.words import controls, paid, scores_say

    console.print(panel(report.system_after or report.system_before, "system prompt"))
    if report.run.status == "done" and report.run.reason:
        console.print(plain(f"Why the search ended: {report.run.reason}."))
    if report.tasks:
        console.print(_scores(report))
        if any(task.models for task in report.tasks):
            console.print(_by_model(report))
        if any(task.fields for task in report.tasks):
            console.print(by_field(report))
        for line in scores_say(report):
            console.print(plain(line))
    elif report.train_before is not None and report.train_after is not None:
        console.print(
            f"Score on the examples that were optimized on: {_percent(report.train_before)} before, "
            f"{_percent(report.train_after)} now. The final test has not been run."
        )
    for line in controls(report):
        console.print(plain(line))
    console.print(plain(f"Paid: {paid(report.usage)}, {report.run.seconds:.0f} s."))
    for line in report.cost_notes:
        console.print(plain(line))
    console.print(plain(f"Run {report.run.id[:8]} in {report.store}. See it again: metaspo show {report.run.id[:8]}"))
    if report.builtin:
        console.print(
            plain(
                "Next: your own tasks ('metaspo init' writes a config and a sample task to edit), "
                "and an optimizer that writes prompts (--preset paper --optimizer openai:gpt-4o-mini, or any server)."
            )
        )


COLUMNS = ("task", "n", "before", "after", "change", "95% interval", "majority", "un-\nparsed")


def _scores(report: "Report") -> Table:
    made = Table(
        title="Test scores with the seed prompts and with the prompts found",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in COLUMNS:
        made.add_column(name, justify="left" if name == "task" else "right", min_width=20 if name == "task" else None)
    for role, title, difference in (("source", "source tasks", report.source), ("target", "unseen tasks", report.target)):
        rows = [task for task in report.tasks if task.role == role]
        for task in rows:
            unparsed = f"{100 * task.unparsed_before:.0f} -> {100 * task.unparsed_after:.0f}"
            scores = [_percent(task.before), _percent(task.after), *_change(task.difference), _percent(task.majority) or "none"]
            made.add_row(task.name, str(task.examples), *scores, unparsed)
        if difference is not None:
            before, after = (sum(getattr(task, when) for task in rows) / len(rows) for when in ("before", "after"))
            scores = [_percent(before), _percent(after), *_change(difference)]
            made.add_row(f"mean of {title}", "", *scores, "", "", style="bold", end_section=True)
    return made


def _by_model(report: "Report") -> Table:
    made = Table(title="The same by base model", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("task", "base model", "before", "after", "change", "95% interval"):
        made.add_column(name, justify="left" if name in ("task", "base model") else "right", overflow="fold")
    for task in report.tasks:
        for at, one in enumerate(task.models):
            scores = [_percent(one.before), _percent(one.after), *_change(one.difference)]
            last = at == len(task.models) - 1
            made.add_row("" if at else plain(task.name), plain(one.model), *scores, end_section=last)
    return made


def run(report: "Report") -> None:
    """A run in full: status, prompts as diffs, scores, rounds, lineage."""
    from ..reports.words import answered

    about = report.run
    console.print(plain(f"run {about.id}  {about.status}{f': {about.reason}' if about.reason else ''}", style="bold"))
    models = f"base {report.base}, optimizer {report.optimizer}" + (f", analyst {report.analyst}" if report.analyst else "")
    console.print(plain(f"method {about.method}, {models}, started {about.created}"))
    if report.optimizer_prompts:
        own = ", ".join(f"{name} ({short})" for name, short in report.optimizer_prompts.items())
        console.print(plain(f"optimizer prompts of its own: {own}"))
    _diff("system prompt", report.system_before, report.system_after)
    for task, after in report.user_after.items():
        _diff(f"user prompt of {task}", report.user_before[task], after[0])
    console.print(plain("rounds", style="bold"))
    table(
        [
            {
                "round": row.round, "level": row.level, "score": _percent(row.score),
                "changed": "yes" if row.accepted else "no", "dropped proposals": row.dropped, "system prompt": row.system[:8],
            }
            for row in report.rounds
        ]
    )  # fmt: skip
    if report.answers:
        console.print(plain("answers of people", style="bold"))
        table(answered(report.answers))
    console.print(plain("lineage of the winner", style="bold"))
    for row in report.lineage:
        console.print(
            plain(f"  round {row.round}, {row.status}, score {_percent(row.score)}: {report.texts.get(row.prompt or '', '')}")
        )
    if report.tasks:
        console.print(replies(report))
    summary(report)


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
    # The server's ids begin with the time: as many characters as tell them all apart.
    long = next(size for size in range(8, 37) if size == 36 or len({str(row["run"])[:size] for row in rows}) == len(rows))

    def add(parent: str | None, depth: int) -> None:
        for row in children.get(parent, []):
            mark = "  " * (depth - 1) + "└ " if depth else ""
            started = str(row["started"])[:16].replace("T", " ")
            paid = cost_says(row["cost"], row["unpriced"]) if row["cost"] or row["unpriced"] else ""
            name, score = f"{mark}{row['run'][:long]}", _percent(row["score"])
            shown = {**row, "cost": paid, "run": name, "score": score, "started": started}
            lines.append({key: value for key, value in shown.items() if key not in ("parent", "unpriced")})
            add(row["run"], depth + 1)

    add(None, 0)
    table([{key: "" if value is None else value for key, value in line.items()} for line in lines])


def history(rows: Sequence[Mapping[str, Any]]) -> None:
    """The rounds of a run."""
    table([{**row, "score": _percent(row["score"]), "changed": "yes" if row["changed"] else "no"} for row in rows])


def comparison(found: Mapping[str, Any]) -> None:
    """Two runs side by side."""
    first, second = (run[:8] for run in found["runs"])
    rows = [{"": key, first: values[0], second: values[1]} for key, values in found["settings"].items()]
    rows.append(
        {"": "score on the examples optimized on", first: _percent(found["train"][0]), second: _percent(found["train"][1])}
    )
    rows += [{"": f"test score of {key}", first: _percent(a), second: _percent(b)} for key, (a, b) in found["tasks"].items()]
    rows.append({"": "the prompts found are", first: found["verdict"][0], second: found["verdict"][1]})
    rows.append({"": "calls", first: found["calls"][0], second: found["calls"][1]})
    costs = [cost_says(*side) for side in zip(found["cost"], found["unpriced"], strict=True)]
    rows.append({"": "cost", first: costs[0], second: costs[1]})
    table(rows)
    _diff(f"system prompt, {first} to {second}", *found["system"])
    for task, pair in found["users"].items():
        _diff(f"user prompt of {task}", *pair)


def preview(shown: Mapping[str, Any]) -> None:
    """One call as a model gets it."""
    for message in shown["messages"]:
        console.print(panel(text_of(message_of(message)[1]), message["role"]))
    console.print(plain(f"expected answer: {shown['expected'] or 'none'}"))
    if shown["constraint"]:
        console.print(plain(f"constrained, where the backend can, to: {shown['constraint']}"))


def _percent(score: float | None) -> str:
    return "" if score is None else f"{100 * score:.1f}"


def _change(difference: "Difference") -> tuple[str, str]:
    return f"{100 * difference.value:+.1f}", f"{100 * difference.low:+.0f} to {100 * difference.high:+.0f}"
