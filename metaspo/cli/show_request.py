"""How what waits for approval looks in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from .screen import console, panel, plain

if TYPE_CHECKING:
    from ..approval.comparison import Change, ExampleChange
    from ..approval.request import Request


def show_request(request: "Request") -> None:
    """What waits for approval: differences, scores with intervals, examples that moved."""
    from ..approval.request import waiting_for

    for change in request["changes"]:
        _show_change(change)
    console.print(plain(f"Run {request['run'][:8]}: {waiting_for(request)}, question {request['id']}.", style="bold"))
    if request["problem"]:
        console.print(plain(f"The last answer could not be used: {request['problem']}"))


def _show_change(change: "Change") -> None:
    name = f"user prompt of {change['task']}" if change["task"] else "system prompt"
    made = plain("")
    for line in change["diff"].splitlines()[2:]:
        made.append(line + "\n", style={"+": "green", "-": "red", "@": "dim"}.get(line[:1], ""))
    title = f"{name}{', as you edited it' if change['edited'] else ''}{'' if change['best'] else ', kept beside the best one'}"
    console.print(panel(made, title))
    for text in change["also"]:
        console.print(panel(text, f"another {name}, kept as well"))
    console.print(_scores(change))
    for words, examples in (("better", change["better"]), ("worse", change["worse"])):
        if examples:
            console.print(_examples(f"Answered {words}", examples))


def _scores(change: "Change") -> Table:
    made = Table(title="Scores on the examples that select", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("task", "n", "before", "after", "change", "95% interval"):
        made.add_column(name, justify="left" if name == "task" else "right")
    for row in change["tasks"]:
        scores = [f"{100 * score:.1f}" for score in (row["before"], row["after"])]
        made.add_row(row["task"], str(row["examples"]), *scores, *_change(row["difference"], row["low"], row["high"]))
    if len(change["tasks"]) > 1:
        made.add_section()
        made.add_row("mean", "", "", "", *_change(change["difference"], change["low"], change["high"]), style="bold")
    return made


def _change(difference: float, low: float, high: float) -> tuple[str, str]:
    return f"{100 * difference:+.1f}", f"{100 * low:+.0f} to {100 * high:+.0f}"


def _examples(title: str, examples: "Sequence[ExampleChange]") -> Table:
    made = Table(title=title, box=SIMPLE_HEAD, pad_edge=False)
    for name in ("task", "question", "gold", "before", "after"):
        made.add_column(name, overflow="fold")
    for row in examples:
        answers = ("(unparsed)" if answer is None else answer for answer in (row["before"], row["after"]))
        made.add_row(*(plain(value) for value in (row["task"], row["question"], row["gold"], *answers)))
    return made
