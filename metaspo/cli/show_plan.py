"""How a plan looks in a terminal: calls at most, and what its tokens and costs assume."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from .screen import console, plain, say_json

if TYPE_CHECKING:
    from ..runs.plan import Need


def show_plan(found: "Sequence[Need]", as_json: bool) -> None:
    """What a run will need at most, as JSON or as a table."""
    needs: list[dict[str, Any]] = [asdict(need) for need in found]
    if as_json:
        say_json(needs)
        return
    total = {key: sum(need[key] for need in needs) for key in ("calls", "input_tokens", "output_tokens", "cost")}
    rows = [*needs, {"role": "total", "level": "", **total}]
    made = Table()
    for name in ("role", "level", "calls, at most", "input tokens, estimate", "output tokens, estimate", "cost, estimate"):
        made.add_column(name, justify="left" if name in ("role", "level") else "right")
    for row in rows:
        counts = [f"{row[key]:,}" for key in ("calls", "input_tokens", "output_tokens")]
        made.add_row(row["role"], row["level"], *counts, f"{row['cost']:,.2f}")
    console.print(made)
    for line in dict.fromkeys(str(need["assumes"]) for need in needs):
        console.print(plain(line))
    console.print(plain("Recorded calls cost nothing again."))
