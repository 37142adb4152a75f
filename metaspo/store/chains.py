"""A run's own checkpoints among those of its thread, which may be several runs', one after another."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

BEGINS = "__start__"
"""LangGraph's channel that holds new input until a superstep has taken it in."""


async def untaken_input(saver: "BaseCheckpointSaver[str]", thread: str) -> Any:
    """The newest input to a thread, where no superstep has taken it in yet; else None."""
    found = await saver.aget_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})
    return found.checkpoint["channel_values"].get(BEGINS) if found else None


async def last_checkpoint(saver: "BaseCheckpointSaver[str]", thread: str, run: str) -> RunnableConfig | None:
    """The newest checkpoint of a thread in which that run is at work, has ended or waits; None where there is none.

    Input that nothing has taken in yet belongs to no run: its checkpoint still shows the state of the one before.
    The thread's own newest checkpoint is named by the thread alone, as LangGraph has it.
    """
    newest = True
    async for found in saver.alist({"configurable": {"thread_id": thread, "checkpoint_ns": ""}}):
        values, id = found.checkpoint["channel_values"], found.checkpoint["id"]
        if BEGINS not in values and values.get("run", thread) == run:
            return {"configurable": {"thread_id": thread} | ({} if newest else {"checkpoint_id": id})}
        newest = False
    return None
