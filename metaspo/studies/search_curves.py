"""Score against calls: what the searches of a study told while they were at work, the mean over seeds."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from ..reports.pairs import AFTER_SEARCH
from ..store.events import told

MOST = 150
"""Points of a curve that are kept: more are no picture's to show."""

Curve = Sequence[tuple[int, float]]
"""Calls that a search had made, and its score then, from left to right."""


def search_curve(db: Database, run: str) -> Curve:
    """The calls and the score, in [0, 1], of the system prompt in force on the examples that select, round by round.

    Calls whose replies were known count too; prompts that another search had scored on the same examples have none.
    Empty for a run of an earlier version, which has told nothing. A round that was told twice counts as it was told last.
    """
    rounds: dict[int, tuple[int, float]] = {}
    known = before = 0
    for _, _, event in told(db, run):
        if "spent" not in event:
            continue
        # Every session counts from 0 again what was known already.
        before += known if event["spent"]["cached"] < known else 0
        known = int(event["spent"]["cached"])
        if event.get("event") == "round_closed" and event["level"] not in AFTER_SEARCH:
            rounds = {at: point for at, point in rounds.items() if at < event["round"]}
            rounds[event["round"]] = (int(event["spent"]["calls"]) + before + known, float(event["score"]))
    return [rounds[at] for at in sorted(rounds)]


def mean_curve(curves: Iterable[Curve]) -> Curve:
    """The mean of curves that each keep a score until the next; it begins where all have begun."""
    known = [curve for curve in curves if curve]
    if not known:
        return []
    start = max(curve[0][0] for curve in known)
    across = sorted({start, *(calls for curve in known for calls, _ in curve if calls > start)})
    made = [(calls, sum(_at(curve, calls) for curve in known) / len(known)) for calls in across]
    step = -(-len(made) // MOST)
    return made if step < 2 else [*made[:-1:step], made[-1]]


def _at(curve: Curve, calls: int) -> float:
    return curve[bisect_right([at for at, _ in curve], calls) - 1][1]
