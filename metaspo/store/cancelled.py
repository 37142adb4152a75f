"""What a checkpointer must not keep of a task that failed or was cancelled."""

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.types import ERROR

from ..domain.redaction import redact


def _presentable(error: Any) -> Any:
    """The error, or its words without keys where its own hold some: a checkpoint keeps what an error says."""
    said = redact(repr(error))
    return error if said == repr(error) else RuntimeError(said)


class RunsFailedAgain(BaseCheckpointSaver[str]):
    """Mixed into a saver of LangGraph's: tasks that are cancelled between their node and its edges are run again.

    LangGraph hands over what such a task has written so far together with its error, and takes any
    such write as a sign that the task is done: its successors would never be sent, and a resumed run
    would lack a candidate. Without these writes the task is run again, from the ledger.
    """

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep a task's writes; of a task that failed, its error alone."""
        failed = [(channel, _presentable(error)) for channel, error in writes if channel == ERROR]
        await super().aput_writes(config, failed or writes, task_id, task_path)
