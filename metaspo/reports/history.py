"""The rounds of a run with the checkpoints behind them."""

from pathlib import Path
from typing import Any

from ..domain.twins import blocking
from ..store import prompts, runs
from ..store.chains import last_checkpoint
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
    checkpoints = blocking(_checkpoints(path, run))
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


async def _checkpoints(path: str | Path, run: runs.Run) -> dict[int, str]:
    """The first checkpoint in which a round is closed, by round, on the way from the input to the run's last checkpoint."""
    found: dict[int, str] = {}
    async with open_checkpointer(path) as saver:
        config = await last_checkpoint(saver, run.thread_id, run.id)
        while config is not None:
            # One after the other: a way that was left when the thread was taken back to an earlier one is not this.
            kept = await saver.aget_tuple(config)
            if kept is None:
                break
            values = kept.checkpoint["channel_values"]
            if kept.metadata.get("source") == "input" or values.get("run", run.thread_id) != run.id:
                break
            if values.get("rounds"):
                found[values["rounds"][-1]["round"]] = kept.config["configurable"]["checkpoint_id"]
            config = kept.parent_config
    return found
