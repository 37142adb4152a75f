"""What a checkpointer must not keep of an answer that somebody has taken."""

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME

from ..compat import nobodys_task


class TakesAnswersOnce(BaseCheckpointSaver[str]):
    """Mixed into a saver of LangGraph's: an answer that a task has taken, and asked again about, is not given out again.

    LangGraph keeps a bare answer with the checkpoint, beside the one in the task's own list. Whoever goes on from there
    without an answer would give the task the old one a second time, as an answer to what it asks now.
    """

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep a task's writes; of one that waits, and so has had what there was, the bare answer goes."""
        await super().aput_writes(config, writes, task_id, task_path)
        if any(channel == INTERRUPT for channel, _ in writes):
            await super().aput_writes(config, [(RESUME, None)], nobodys_task())
