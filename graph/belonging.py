"""Before a graph touches a thread: whether the thread's run is in the store that this process works with."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import ensure_config
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.pregel import Pregel

from metaspo.compat import saver_of
from metaspo.workspace.opening import where_is
from metaspo.workspace.outer import store_named
from metaspo.workspace.whereabouts import arefuse_strayed, refuse_strayed


async def abelongs(graph: "Pregel[Any, Any, Any, Any]", config: RunnableConfig | None, context: Any) -> None:
    """Raise ElsewhereError where a thread's run is in another store, or further on there; nothing is written before.

    Inside another graph there is no telling yet which part of its thread is ours; the nodes look there.
    """
    at = _own_thread(config)
    saver = saver_of(graph, ensure_config(config))
    if at is not None and saver is not None:
        thread = at["configurable"]["thread_id"]
        await arefuse_strayed(store_named(context) or where_is(thread), thread, await saver.aget_tuple(at))


def belongs(graph: "Pregel[Any, Any, Any, Any]", config: RunnableConfig | None, context: Any) -> None:
    """The same without an event loop."""
    at = _own_thread(config)
    saver = saver_of(graph, ensure_config(config))
    if at is not None and saver is not None and is_blocking(saver):
        thread = at["configurable"]["thread_id"]
        refuse_strayed(store_named(context) or where_is(thread), thread, saver.get_tuple(at))


def is_blocking(saver: "BaseCheckpointSaver[Any] | None") -> bool:
    """Whether a checkpointer can be asked without an event loop; LangGraph says what to do about one that cannot."""
    return saver is not None and type(saver).get_tuple is not BaseCheckpointSaver.get_tuple


def _own_thread(config: RunnableConfig | None) -> RunnableConfig | None:
    """The thread that a graph of its own works on, and the checkpoint that is named; None where there is neither."""
    given = ensure_config(config).get("configurable", {})
    if not given.get("thread_id") or given.get("checkpoint_ns"):
        return None
    named = {"checkpoint_id": given["checkpoint_id"]} if given.get("checkpoint_id") else {}
    return {"configurable": {"thread_id": str(given["thread_id"]), "checkpoint_ns": "", **named}}
