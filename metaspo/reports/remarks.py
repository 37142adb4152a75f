"""What looks wrong with the endpoints of a run, judging by the calls that it paid, and what they refused."""

from sqlite_utils import Database

from ..models.adaptation import SAID
from ..store import runs

FEWEST = 16
"""Calls of a model that a remark needs, at least."""

DIFFERENT = 1.5
"""How many times longer the longest request is than the shortest, at least, so that their tokens should differ."""


def remarks(db: Database, run: str) -> list[str]:
    """A sentence for each thing that a model's requests went without, and for each model whose token counts never change.

    Such a model may cut what it reads, in silence.
    """
    known = runs.known(db, run)
    left_out = known.config.get("left_out", {}) if known else {}
    said = [f"{model} {SAID[name]}." for model, names in left_out.items() for name in names if name in SAID]
    rows = db.execute(
        "SELECT role, model, min(input_tokens), count(*), min(length(request)), max(length(request)) FROM calls"
        " WHERE run = ? AND input_tokens > 0 GROUP BY role, model"
        " HAVING count(*) >= ? AND min(input_tokens) = max(input_tokens) AND max(length(request)) >= ? * min(length(request))",
        [run, FEWEST, DIFFERENT],
    )
    return said + [
        f"{model} says that it read {tokens} tokens in each of {count} calls, though the longest request is "
        f"{longest / shortest:.1f} times as long as the shortest: it may cut requests off, or not count."
        for _, model, tokens, count, shortest, longest in rows
    ]
