"""Graphs of our async functions that are invoked in an event loop or without one, and stream what changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from functools import wraps
from inspect import isawaitable, signature
from typing import Any, TypedDict, cast, get_type_hints

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import ensure_config, merge_configs, set_config_context
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime
from langgraph.typing import ContextT, InputT, OutputT, StateT

from metaspo.approval.late import is_answer, refuse_late
from metaspo.compat import saver_of
from metaspo.domain.errors import ConfigError
from metaspo.models.background import background, in_background
from metaspo.workspace.forms import Shown
from metaspo.workspace.outer import ours
from metaspo.workspace.tracing.round_tracer import traced_by_round


class EitherWay(RunnableLambda[Any, Any]):
    """A function of ours as a node or an edge: of the state, or of the state and the runtime.

    Callers without an event loop wait for it while it runs in the background's. It is no run of its own in traces
    and events: a node is one already, and an edge would tell the whole state once more.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Take the function, async or not."""

        async def alone(state: Any) -> Any:
            given = (state, get_runtime()) if len(signature(function).parameters) > 1 else (state,)
            found = function(*given)
            return await found if isawaitable(found) else found

        # What LangGraph reads from a function's annotations, it reads there.
        blocking = wraps(function)(lambda *given: in_background(alone, *given))
        super().__init__(blocking, afunc=alone, name=function.__name__)
        self._alone = alone

    def invoke(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> Any:
        """Wait for the function, which runs in the background loop."""
        with set_config_context(ensure_config(config)) as context:
            return in_background(self._alone, input, context=context)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **more: Any) -> Any:
        """Run the function in this loop."""
        with set_config_context(ensure_config(config)) as context:
            return await asyncio.create_task(self._alone(input), context=context)


class Graph(Shown[StateT, ContextT, InputT, OutputT]):
    """A compiled graph whose streams leave out what it was given, which may hold thousands of examples.

    Its state has everything.
    """

    def stream(self, input: Any, config: RunnableConfig | None = None, *, context: Any = None, **more: Any) -> Iterator[Any]:
        """As LangGraph's; what is opened for it is closed at its end, unless `metaspo.opened()` keeps it open.

        Raises ConfigError where the checkpointer of the graph around it works in an event loop only.
        """
        saver = saver_of(self, ensure_config(config))
        if saver is not None and type(saver).get_tuple is BaseCheckpointSaver.get_tuple:
            raise ConfigError(
                "the checkpointer here works in an event loop only: call this graph with await graph.ainvoke(...), in an "
                "async node where it is inside another graph"
            )
        if is_answer(input) and saver is not None:
            refuse_late(input, self.get_state(ensure_config(config)))
        config = traced_by_round(config, self.config)
        with (
            background() as loop,
            closing(cast(Any, self._light().stream(input, config, context=ours(context), **more))) as parts,
        ):
            while True:
                with loop.interruptible():
                    try:
                        part = next(parts)
                    except StopIteration:
                        return
                yield part

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, *, context: Any = None, **more: Any
    ) -> AsyncIterator[Any]:
        """As LangGraph's. Raises ConfigError for an answer where none is waited for."""
        if is_answer(input) and saver_of(self, ensure_config(config)) is not None:
            refuse_late(input, await self.aget_state(ensure_config(config)))
        config = traced_by_round(config, self.config)
        async with aclosing(cast(Any, self._light().astream(input, config, context=ours(context), **more))) as parts:
            async for part in parts:
                yield part

    def batch(self, inputs: list[Any], config: Any = None, **more: Any) -> list[Any]:
        """As LangChain's, which would put its own recursion limit in the place of the graph's."""
        return super().batch(inputs, self._with_own(config), **more)

    async def abatch(self, inputs: list[Any], config: Any = None, **more: Any) -> list[Any]:
        """As LangChain's, likewise."""
        return await super().abatch(inputs, self._with_own(config), **more)

    def _with_own(self, config: Any) -> Any:
        given = config if isinstance(config, list | tuple) else [config]
        merged = [merge_configs(self.config, one) for one in given]
        return merged if given is config else merged[0]

    def _light(self) -> "CompiledStateGraph[Any, Any, Any, Any]":
        given: Any = cast(Any, self.builder.input_schema).model_fields
        told = [channel for channel in self.stream_channels_asis if channel not in given]
        return CompiledStateGraph(**parts_of(self) | {"stream_channels": told})


def parts_of(compiled: "CompiledStateGraph[Any, Any, Any, Any]") -> dict[str, Any]:
    """What a compiled graph is made of, to make another of a kind of its own from it."""
    return {name: value for name, value in vars(compiled).items() if name != "__orig_class__"}


def without_given(state: type[Any], given: type[Any], *but: str) -> type[Any]:
    """The schema of a state without what the graph is given, for nodes that do not read that; with those of `but`."""
    kept = {
        name: hint
        for name, hint in get_type_hints(state, include_extras=True).items()
        if name in but or name not in given.model_fields
    }
    return TypedDict("Progress", kept, total=False)  # type: ignore[operator, no-any-return]
