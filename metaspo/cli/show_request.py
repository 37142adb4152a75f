"""How what waits for approval looks in a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..domain.intervals import Difference
from ..domain.percentages import changed
from .screen import console, panel, plain
from .show_scores import MOVED
from .tables import Fitted

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


def _scores(change: "Change") -> Fitted:
    made = Fitted({"task": "lead", "n": "figure", **MOVED}, "Scores on the examples that select")
    for row in change["tasks"]:
        scores = [f"{100 * score:.1f}" for score in (row["before"], row["after"])]
        made.add(row["task"], f"{row['examples']:,}", *scores, *_change(row["difference"], row["low"], row["high"]))
    if len(change["tasks"]) > 1:
        made.add("mean", "", "", "", *_change(change["difference"], change["low"], change["high"]), style="bold")
    return made


def _change(difference: float, low: float, high: float) -> tuple[str, str]:
    return changed(Difference(difference, low, high))


def _examples(title: str, examples: "Sequence[ExampleChange]") -> Fitted:
    made = Fitted({"task": "lead", "question": "text", "gold": "text", "before": "text", "after": "text"}, title)
    for row in examples:
        answers = ("(unparsed)" if answer is None else answer for answer in (row["before"], row["after"]))
        made.add(row["task"], row["question"], row["gold"], *answers)
    return made
