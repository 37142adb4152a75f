"""What a session's result and a plan show of themselves in a notebook and in a terminal of Python."""

from dataclasses import replace

from ..approval.request import Request
from ..domain.costs import cost_says
from ..domain.percentages import signed
from ..reports.notebook.cells import report_cell
from ..reports.notebook.shown import cell_of
from ..reports.pages.cell import Cell, Table, Text
from .need import Needs
from .optimize import Result


@cell_of.register
def _result(result: Result) -> Cell:
    shown = report_cell(result.report)
    rows = [("Rows", "result.to_pandas()"), ("The prompts", "result.system_prompt, result.user_prompts")]
    cell = replace(shown, next=[*(one for one in shown.next if one[0] != "Rows"), *rows])
    if result.request is not None:
        return _with_question(cell, result.request)
    why = str(result.stopped) if result.stopped is not None else ""
    # The run's own reason says it already, where it is the same.
    if not why or why in " ".join(cell.says):
        return cell
    return replace(cell, notes=[*cell.notes, f"This session ended early: {why}."])


def _with_question(cell: Cell, request: Request) -> Cell:
    """The same, with the prompts that wait for a person before all else."""
    names = [f"user prompt of {one['task']}" if one["task"] else "system prompt" for one in request["changes"]]
    texts = [
        Text(f"Waits for your answer: {name}, before and after", one["before"], one["after"])
        for name, one in zip(names, request["changes"], strict=True)
    ]
    rows = [
        [name, signed(one["difference"]), f"{signed(one['low'])} to {signed(one['high'])}"]
        for name, one in zip(names, request["changes"], strict=True)
    ]
    table = Table(
        "What waits: change in points on the examples that select", ("prompt", "change", "95% interval"), rows, ("change",)
    )
    told = [("Or", "answer='reject', answer='stop', or as result.request['how'] tells")]
    return replace(
        cell, texts=[*texts, *cell.texts], tables=[table, *cell.tables], next=[*cell.next[:1], *told, *cell.next[1:]]
    )


@cell_of.register
def _needs(found: Needs) -> Cell:
    columns = ("role", "level", "calls", "input tokens", "output tokens", "cost", "batches in turn")
    rows = [
        [
            one.role, one.level, f"{one.calls:,}", f"{one.input_tokens:,}", f"{one.output_tokens:,}",
            cost_says(one.cost, digits=2), f"{one.batches:,}" if one.batches else "",
        ] for one in found
    ]  # fmt: skip
    known, unpriced = sum(one.cost or 0.0 for one in found), sum(one.calls for one in found if one.cost is None)
    cost = cost_says(known if known or not unpriced else None, unpriced, digits=2)
    said = f"At most {sum(one.calls for one in found):,} calls, cost {cost}. Recorded calls cost nothing again."
    notes = dict.fromkeys([*(one.assumes for one in found), *(line for one in found for line in one.prices)])
    table = Table("Calls at most; tokens and cost are estimates", columns, rows)
    return Cell("Plan", [said], tables=[table] if rows else [], notes=[note for note in notes if note])
