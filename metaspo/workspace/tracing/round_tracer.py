"""Traces by round: each round is a trace of its own, since LangSmith takes no more than 25,000 runs in one.

The graph's own run stays where it was, at the root or inside the agent that called it. Its nodes go below the root of
their round; `metaspo_run` in the metadata and among the tags of each root says which run they all belong to.
"""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.langchain import LangChainTracer
from langchain_core.tracers.schemas import Run
from langgraph.graph import START
from langsmith import get_tracing_context, uuid7
from langsmith.utils import tracing_is_enabled

from .trace_client import given_by_a_person, trace_client

MOST = 20_000
"""Runs in a trace. What more a round has goes into further ones; LangSmith takes 25,000, and calls may have runs below them."""


@dataclass
class _Part:
    """A trace of a round: its root, and how many runs it has."""

    root: UUID
    runs: int = 1


@dataclass
class _Invocation:
    """One invocation of a graph: the parts of the rounds at work, and which of its nodes are."""

    rounds: dict[int, list[_Part]] = field(default_factory=dict)
    last: int = 0
    nodes: dict[UUID, int] = field(default_factory=dict)


class RoundTracer(LangChainTracer):
    """LangChain's tracer, with a trace for each round of the graphs that were named to it; others are traced as ever."""

    def __init__(self, **given: Any) -> None:
        """Take what LangChain's tracer takes."""
        super().__init__(**given)
        self._graphs: dict[UUID, _Invocation] = {}
        self._nodes: dict[UUID, _Invocation] = {}
        self._lock = threading.RLock()

    def by_round(self, graph: UUID) -> None:
        """Trace what the graph does, by the id of its run, that is about to start."""
        self._graphs[graph] = _Invocation()

    def copy_with_metadata_defaults(self, **given: Any) -> LangChainTracer:
        """As LangChain's; the copy knows of the same graphs."""
        copied = cast(RoundTracer, super().copy_with_metadata_defaults(**given))
        copied._graphs, copied._nodes, copied._lock = self._graphs, self._nodes, self._lock
        return copied

    def _start_trace(self, run: Run) -> None:
        with self._lock:
            if run.parent_run_id in self._graphs and run.name != START:
                self._begin_node(run, self._graphs[run.parent_run_id])
            elif run.parent_run_id in self._nodes:
                self._begin_call(run, self._nodes[run.parent_run_id])
        super()._start_trace(run)

    def _begin_node(self, run: Run, graph: _Invocation) -> None:
        given = run.inputs if isinstance(run.inputs, Mapping) else {}
        graph.last = given.get("round", graph.last)
        if graph.last not in graph.rounds:
            graph.rounds[graph.last] = [self._begin_part(run, given, 1)]
        graph.nodes[run.id], self._nodes[run.id] = graph.last, graph
        self._put(run, graph, graph.last)

    def _begin_call(self, run: Run, graph: _Invocation) -> None:
        parts = graph.rounds[graph.nodes[cast(UUID, run.parent_run_id)]]
        if len(parts) > 1 or parts[0].runs >= MOST:
            # Below its node, it would be in the node's trace, which is full.
            self._put(run, graph, graph.nodes[cast(UUID, run.parent_run_id)])
        else:
            parts[0].runs += 1

    def _put(self, run: Run, graph: _Invocation, round: int) -> None:
        """Put a run below the newest root of its round, beginning another where that is full."""
        parts = graph.rounds[round]
        if parts[-1].runs >= MOST:
            parts.append(self._begin_part(run, {**self._told(parts[-1].root), "round": round}, len(parts) + 1))
        parts[-1].runs += 1
        run.parent_run_id = parts[-1].root

    def _told(self, root: UUID) -> Mapping[str, Any]:
        found = self.run_map.get(str(root))
        return found.inputs if found else {}

    def _begin_part(self, first: Run, given: Mapping[str, Any], number: int) -> _Part:
        metadata = first.extra.get("metadata") or {}
        run, round, level = given.get("run") or metadata.get("thread_id"), given.get("round", 0), given.get("level")
        inputs = {name: value for name, value in (("run", run), ("round", round), ("level", level)) if value is not None}
        name = f"metaspo {str(run or '')[:8]} round {round}" + (f" ({level})" if level else "")
        named = {f"metaspo_{name}": value for name, value in inputs.items()}
        # LangSmith shows what shares a thread together.
        named |= {name: metadata[name] for name in ("thread_id",) if name in metadata}
        root = uuid7()
        self.on_chain_start(
            {}, inputs, run_id=root, name=name + (f", part {number}" if number > 1 else ""), metadata=named,
            tags=["metaspo", f"metaspo_run:{run}"],
        )  # fmt: skip
        return _Part(root)

    def _on_chain_end(self, run: Run) -> None:
        super()._on_chain_end(run)
        outputs = run.outputs if isinstance(run.outputs, Mapping) else {}
        with self._lock:
            graph = self._nodes.pop(run.id, None)
            if graph is not None:
                round = graph.nodes.pop(run.id)
                if closed := outputs.get("rounds"):
                    self._end(graph, round, closed[-1])
            elif run.id in self._graphs:
                self._leave(self._graphs.pop(run.id))

    def _on_chain_error(self, run: Run) -> None:
        super()._on_chain_error(run)
        with self._lock:
            if graph := self._nodes.pop(run.id, None):
                graph.nodes.pop(run.id, None)
            if run.id in self._graphs:
                self._leave(self._graphs.pop(run.id), run.error)

    def _leave(self, graph: _Invocation, error: str | None = None) -> None:
        """End what a graph leaves open: at its end, where it waits for a person, or when it fails."""
        for round in [*graph.rounds]:
            self._end(graph, round, {}, error)
        for node in graph.nodes:
            self._nodes.pop(node, None)

    def _end(self, graph: _Invocation, round: int, closed: Mapping[str, Any], error: str | None = None) -> None:
        for part in graph.rounds.pop(round, []):
            root = self.run_map.get(str(part.root))
            if root is not None and error is not None:
                root.error = error
            with suppress(Exception):
                self.on_chain_end(dict(closed), run_id=part.root)


_by_round: "WeakKeyDictionary[LangChainTracer, RoundTracer]" = WeakKeyDictionary()


def traced_by_round(config: RunnableConfig | None, own: RunnableConfig | None) -> RunnableConfig | None:
    """The config for an invocation of a graph with the config `own`, that traces it by round if it is traced at all."""
    given: RunnableConfig = {**config} if config else {}
    sources = (given, own or {}, var_child_runnable_config.get() or {})
    tracers = [tracer for source in sources for tracer in _take_over(cast(dict[str, Any], source))]
    if not tracers and not tracing_is_enabled():
        return config
    if not tracers:
        tracers = [_new()]
        callbacks = given.get("callbacks")
        if isinstance(callbacks, BaseCallbackManager):
            given["callbacks"] = copied = callbacks.copy()
            copied.add_handler(tracers[0])
        else:
            given["callbacks"] = [*(callbacks or []), *tracers]
    given.setdefault("run_id", uuid7())
    for tracer in tracers:
        # A server gives it as text.
        tracer.by_round(UUID(str(given["run_id"])))
    return given


def _take_over(config: dict[str, Any]) -> list[RoundTracer]:
    """Put tracers by round in the place of a config's tracers; they know the runs that those have begun."""
    callbacks = config.get("callbacks")
    if isinstance(callbacks, BaseCallbackManager):
        # The manager is the caller's, and what it hears elsewhere a tracer by round hears as any tracer does.
        callbacks.handlers = [_taken_over(one) for one in callbacks.handlers]
        callbacks.inheritable_handlers = [_taken_over(one) for one in callbacks.inheritable_handlers]
        found = [*callbacks.handlers, *callbacks.inheritable_handlers]
    elif callbacks:
        found = config["callbacks"] = [_taken_over(one) for one in callbacks]
    else:
        found = []
    return [*{id(one): one for one in found if isinstance(one, RoundTracer)}.values()]


def _taken_over(handler: Any) -> Any:
    if not isinstance(handler, LangChainTracer) or isinstance(handler, RoundTracer):
        return handler
    if handler not in _by_round:
        _by_round[handler] = RoundTracer(
            example_id=handler.example_id,
            project_name=handler.project_name,
            address=handler.address,
            client=handler.client if given_by_a_person(handler.client) else trace_client(),
            tags=handler.tags,
            metadata=handler.tracing_metadata,
            run_map=handler.run_map,
            order_map=handler.order_map,
            _external_run_ids=handler._external_run_ids,
        )
    return _by_round[handler]


def _new() -> RoundTracer:
    """A tracer for what nobody traces yet, though the environment or the program asks for it."""
    context = get_tracing_context()
    names = ("project_name", "address", "tags", "metadata")
    return RoundTracer(client=context["client"] or trace_client(), **{name: context.get(name) for name in names})
