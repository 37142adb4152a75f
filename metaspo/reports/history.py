"""The rounds of a run with the checkpoints behind them."""

from pathlib import Path
from typing import Any

from ..domain.twins import blocking
from ..graph.bilevel import build
from ..store import prompts, runs
from ..store.checkpoints import open_checkpointer
from ..store.database import open_store


def history(path: str | Path, name: str = "last") -> list[dict[str, Any]]:
    """Every closed round: number, level, score in [0, 1], whether it changed something, system prompt, checkpoint.

    The checkpoint is the one that LangGraph wrote when the round was closed.
    """
    with open_store(path) as store:
        run = runs.find(store.db, name)
        closed = prompts.rounds(store.db, run.id)
        texts = prompts.prompt_texts(store.db, sorted({row.system for row in closed}))
    checkpoints = blocking(_checkpoints(path, run.id))
    return [
        {
            "round": row.round,
            "level": row.level,
            "score": row.score,
            "changed": bool(row.accepted),
            "dropped": row.dropped,
            "checkpoint": checkpoints.get(row.round),
            "system prompt": texts[row.system],
        }
        for row in closed
    ]


async def _checkpoints(path: str | Path, run: str) -> dict[int, str]:
    """The first checkpoint in which a round is closed, by round, on the way that led to the last checkpoint."""
    found: dict[int, str] = {}
    way: str | None = None
    async with open_checkpointer(path) as saver:
        async for state in build(saver).aget_state_history({"configurable": {"thread_id": run}}):
            checkpoint = state.config["configurable"]["checkpoint_id"]
            if way not in (None, checkpoint):
                continue  # A way that was left when the thread was taken back to an earlier checkpoint.
            way = state.parent_config["configurable"]["checkpoint_id"] if state.parent_config else ""
            if state.values.get("rounds"):
                found[state.values["rounds"][-1]["round"]] = checkpoint
    return found
