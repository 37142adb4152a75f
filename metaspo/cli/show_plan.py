"""How a plan looks in a terminal: calls at most, and what its tokens and costs assume."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..domain.costs import cost_says
from .screen import console, plain, say_json
from .tables import Fitted, Kind

if TYPE_CHECKING:
    from ..runs.need import Need


def show_plan(found: "Sequence[Need]", as_json: bool, began: dict[str, Any] | None = None) -> None:
    """What a run will need at most, as JSON or as a table; as JSON beside where it begins, if that is another run."""
    needs: list[dict[str, Any]] = [asdict(need) for need in found]
    if as_json:
        say_json({"from_run": began, "needs": needs} if began else needs)
        return
    total = {key: sum(need[key] for need in needs) for key in ("calls", "input_tokens", "output_tokens", "batches")}
    rows = [*needs, {"role": "total", "level": "", **total}]
    unpriced = sum(need["calls"] for need in needs if need["cost"] is None)
    known = sum(need["cost"] or 0.0 for need in needs)
    whole = cost_says(known if known or not unpriced else None, unpriced, digits=2)
    every = [*(cost_says(need["cost"], digits=2) for need in needs), whole]
    batches = sum(need["batches"] for need in needs)
    names = ["calls, at most", "input tokens, estimate", "output tokens, estimate", "cost, estimate"]
    kinds: dict[str, Kind] = dict.fromkeys([*names, "batches in turn"] if batches else names, "figure")
    made = Fitted({"role": "lead", "level": "lead", **kinds})
    for row, cost in zip(rows, every, strict=True):
        counts = [f"{row[key]:,}" for key in ("calls", "input_tokens", "output_tokens")]
        in_turn = [f"{row['batches']:,}" if row["batches"] else ""] if batches else []
        made.add(row["role"], row["level"], *counts, cost, *in_turn)
    console.print(made)
    if batches:
        follow = "1 batch" if batches == 1 else f"At most {batches:,} batches follow one another"
        console.print(plain(f"{follow}, and each takes minutes to a day; what one does not answer goes out in a further one."))
    said = [*(str(need["assumes"]) for need in needs), *(line for need in needs for line in need["prices"])]
    for line in dict.fromkeys(said):
        console.print(plain(line))
    console.print(plain("Recorded calls cost nothing again."))
