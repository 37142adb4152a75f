"""How a verification looks in a terminal: what differs, what could not be looked at, and one sentence."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from .screen import say

if TYPE_CHECKING:
    from ..reports.verification.verify import Verification


def show_verification(found: "Verification") -> None:
    """Each difference in a paragraph, then what could not be looked at, then the sum of it."""
    for one in found.findings.differences:
        where = [f"{name} {value}" for name in ("run", "task", "pair", "example") if (value := asdict(one)[name])]
        say(f"{one.what}: {', '.join(where)}\n  recorded: {one.recorded}\n  found:    {one.found}")
    for why, count in found.findings.unchecked.items():
        say(f"could not be checked: {count} {why}")
    checked = ", ".join(f"{count} x {what}" for what, count in sorted(found.findings.checked.items())) or "nothing"
    usage = found.usage
    paid = f"{usage.total_calls} calls with {usage.input_tokens + usage.output_tokens} tokens at a cost of {usage.cost_says}"
    runs = "1 run" if len(found.runs) == 1 else f"{len(found.runs)} runs"
    if found.well:
        say(f"All is as recorded in {runs}, which paid {paid}; found again: {checked}.")
        return
    differs, unchecked = len(found.findings.differences), sum(found.findings.unchecked.values())
    say(f"In {runs}, which paid {paid}, {differs} differ and {unchecked} could not be checked; looked at: {checked}.")
