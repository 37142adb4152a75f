"""What people do to a thread's state: an edit begins a fork, all else goes on as it was, and what can be neither is refused.

LangGraph writes what a client edits into the state as if a node had returned it, and the search would go on with scores
that are not its prompts'. Here an edit is the start of a new run in the same thread, which `START` takes up when the
thread is run on. Until then no run is known of it.
"""

import asyncio
import operator
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import uuid4

from langchain_core.runnables import RunnableConfig
from langgraph.channels import BinaryOperatorAggregate
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint, CheckpointTuple
from langgraph.checkpoint.serde.types import RESUME
from langgraph.graph import START
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Overwrite, Send, StateUpdate
from langgraph.typing import ContextT, InputT, OutputT, StateT
from pydantic import BaseModel

from metaspo.compat import pending_sends, saver_of
from metaspo.domain.complaints import as_written
from metaspo.domain.errors import EditError, MetaspoError
from metaspo.methods.forking import Given, Here, copy_of, edits_in, fork_of
from metaspo.store import runs
from metaspo.store.database import open_store
from metaspo.workspace.opening import where_is
from metaspo.workspace.outer import store_named
from metaspo.workspace.state import EDITED

from .belonging import abelongs, belongs, is_blocking
from .either_way import Graph, parts_of

COPY, END, INPUT = "__copy__", "__end__", "__input__"
"""What LangGraph calls a copy of a checkpoint, the end of all work, and what a thread is given."""

CLOSING = ("select", "summarize")
"""The node of a graph that returns what stands, and whose edges send nothing where a fork is to begin."""

AT_WORK = {"level": EDITED, "stage": 0, "judged": [], "review": {}}
"""What a state says of the round at work where a fork is to begin."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A thread at a checkpoint: its id, the values that it shows, whether anything comes next, and what is kept there.

    `answered` says that a question was asked and answered there, and that the thread has gone on since.
    """

    thread: str
    shown: Mapping[str, Any]
    goes_on: bool
    kept: Checkpoint | None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What a graph is run with, one after the other, after an update of the state if there is one."""

    inputs: Sequence[Any]
    update: StateUpdate | None = None


class Editable(Graph[StateT, ContextT, InputT, OutputT]):
    """A compiled graph whose threads can be edited and copied: what goes on from there is a run of its own."""

    async def abulk_update_state(self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]) -> RunnableConfig:
        """Begin a fork, or copy the checkpoint where nothing is edited; raises EditError or ElsewhereError before that."""
        values = self._written(supersteps)
        await abelongs(self, config, None)
        step = await asyncio.to_thread(self._step, await self._aseen(config), values)
        return await super().abulk_update_state(config, [[step]])

    def bulk_update_state(self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]) -> RunnableConfig:
        """The same without an event loop."""
        values = self._written(supersteps)
        belongs(self, config, None)
        return super().bulk_update_state(config, [[self._step(self._seen(config), values)]])

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, *, context: Any = None, **more: Any
    ) -> AsyncIterator[Any]:
        """As LangGraph's; an update in a command is an edit like any other, and the copy of a thread goes on as a fork."""
        entry = Entry([input])
        await abelongs(self, config, context)
        if config is not None and self._has_a_say(input, config):
            entry = await asyncio.to_thread(self._entry, input, await self._aseen(config), store_named(context))
            if entry.update:
                await super().abulk_update_state(config, [[entry.update]])
                config = newest(config)
        for given in entry.inputs:
            async with aclosing(cast(Any, super().astream(given, config, context=context, **more))) as parts:
                async for part in parts:
                    yield part

    def stream(self, input: Any, config: RunnableConfig | None = None, *, context: Any = None, **more: Any) -> Iterator[Any]:
        """The same without an event loop."""
        entry = Entry([input])
        belongs(self, config, context)
        if config is not None and self._has_a_say(input, config) and is_blocking(saver_of(self, config)):
            entry = self._entry(input, self._seen(config), store_named(context))
            if entry.update:
                super().bulk_update_state(config, [[entry.update]])
                config = newest(config)
        for given in entry.inputs:
            with closing(cast(Any, super().stream(given, config, context=context, **more))) as parts:
                yield from parts

    def _has_a_say(self, input: Any, config: RunnableConfig) -> bool:
        """Whether it is more than new input, in a thread of our own. Raises EditError for input that no graph is given."""
        if isinstance(input, str | int | float | list):
            raise EditError(f"a run is given an object, such as {{'preset': 'quick'}}, and not {as_written(input)}")
        configurable = config.get("configurable", {})
        if not configurable.get("thread_id") or configurable.get("checkpoint_ns"):
            return False
        records = [name for name in self.builder.channels if name not in self._kind.model_fields]
        names = [name for name in input if name in records] if isinstance(input, Mapping) else []
        if names:
            raise EditError(
                f"{names[0]} is nothing that a run is given; to edit what a thread shows, update its state, and run it on "
                "without input"
            )
        return (input is None or isinstance(input, Command)) and saver_of(self, config) is not None

    def _entry(self, input: Command[Any] | None, seen: Seen, store_path: str | None) -> Entry:
        """How a thread goes on."""
        if input and input.goto:
            raise EditError("a search goes its own way: leave 'goto' out, or go on from another checkpoint")
        if input and input.update:
            if input.resume is not None:
                raise EditError("an edit and an answer do not go together; answer first, or edit and run on")
            return Entry([None], self._step(seen, plain(input.update)))
        if input and input.resume and seen.answered:
            # LangGraph would give the old answer once more, and take the run back without a word.
            raise EditError(
                f"what run {self._run_of(seen)} asked at this checkpoint has been answered; answer what it asks now, or take "
                "it back: run it on from here without an answer, then answer anew"
            )
        if not seen.goes_on or self._run_of(seen) == seen.thread:
            return Entry([input])
        here = self._here(seen, store_path)
        if here.run is None or here.run.thread_id == seen.thread:
            return Entry([input])
        here = untaken(here)
        with open_store(store_path or where_is(here.name)) as store:
            fork, taken = copy_of(store.db, here), runs.known(store.db, seen.thread)
        # What waits for an answer is asked again before it is answered.
        return Entry([None, input] if input else [None], self._begins(here, fork, {}, str(uuid4()) if taken else seen.thread))

    def _written(self, supersteps: Sequence[Sequence[StateUpdate]]) -> dict[str, Any]:
        """What a client edits, whatever node it says that comes from."""
        values: dict[str, Any] = {}
        for update in (one for superstep in supersteps for one in superstep):
            if update.as_node == END:
                raise EditError("a thread cannot be edited to its end; cancel its run, or leave it where it is")
            if update.as_node not in (*self.nodes, INPUT, COPY, None):
                raise EditError(f"there is no node {str(update.as_node)!r}; there are {', '.join(self.builder.nodes)}")
            several = update.as_node == COPY and isinstance(update.values, list)
            for one in cast(Any, update.values) if several else [[update.values]]:
                values |= plain(one[0] if isinstance(one, list | tuple) and one else one)
        return values

    def _step(self, seen: Seen, values: dict[str, Any]) -> StateUpdate:
        """What LangGraph is to write: a fork that begins when the thread is run on, or the same once more."""
        try:
            here = self._here(seen)
            if here.run and here.run.thread_id != seen.thread:
                here = untaken(here)
            edits = edits_in(here, values, [*self.builder.channels])
            with open_store(where_is(here.name)) as store:
                fork = fork_of(store.db, here, edits) if edits else None
        except MetaspoError as error:
            # The Agent Server answers ValueError with 400.
            raise EditError(str(error)) from None
        if fork is not None:
            return self._begins(here, fork, edits, str(uuid4()))
        if not seen.kept:
            raise EditError("this thread has not begun: run it with input, or write what it is to be given")
        return StateUpdate(None, COPY)

    def _begins(self, here: Here, fork: Given, edits: Mapping[str, Any], run: str) -> StateUpdate:
        """The update after which `START` takes up a fork."""
        left = {
            name: Overwrite([])
            for name, channel in self.builder.channels.items()
            if isinstance(channel, BinaryOperatorAggregate) and channel.operator is operator.add
        }
        written = fork.model_dump(mode="json")
        given = {name: written.get(name, getattr(fork, name)) for name in self._kind.model_fields}
        shown = {**AT_WORK, **edits, **left, "run": run, "fork_of": here.origin}
        update: Any = Command(
            update={name: value for name, value in shown.items() if name in self.builder.channels}, goto=Send(START, given)
        )
        return StateUpdate(update, next(name for name in CLOSING if name in self.nodes))

    def _here(self, seen: Seen, store_path: str | None = None) -> Here:
        sends, waiting = pending_sends(seen.kept)
        name, opens = self._run_of(seen), waiting is not None or not seen.shown.get("rounds")
        opens = opens or any(one.get("level") == "seed" for one in [*sends, *seen.shown.get("scores", [])])
        # Input that waits in a thread that has been at work is no part of what that was given.
        mine = waiting is None or "run" not in seen.shown or seen.shown.get("level") in (None, EDITED)
        with open_store(store_path or where_is(name)) as store:
            run = runs.known(store.db, name) if mine else None
        return Here(self._kind, seen.shown, name, run, waiting, opens)

    def _run_of(self, seen: Seen) -> str:
        """The run that works at a checkpoint; the first one of a thread has no state that names it before its first scores."""
        named = [job["run"] for job in pending_sends(seen.kept)[0] if "run" in job]
        return str(named[0] if named else seen.shown.get("run") or seen.thread)

    async def _aseen(self, config: RunnableConfig) -> Seen:
        state, saver = await self.aget_state(config), saver_of(self, config)
        kept = (await saver.aget_tuple(config), await saver.aget(newest(config))) if saver else (None, None)
        return _seen(config, state, *kept)

    def _seen(self, config: RunnableConfig) -> Seen:
        state, saver = self.get_state(config), saver_of(self, config)
        kept = (saver.get_tuple(config), saver.get(newest(config))) if saver else (None, None)
        return _seen(config, state, *kept)

    @property
    def _kind(self) -> type[Given]:
        return cast("type[Given]", self.builder.input_schema)


def _seen(config: RunnableConfig, state: Any, kept: CheckpointTuple | None, last: Checkpoint | None) -> Seen:
    at = config["configurable"]
    if kept is None and at.get("checkpoint_id"):
        raise EditError(f"thread {at['thread_id']} has no checkpoint {at['checkpoint_id']}; name one of its history")
    left = kept is not None and last is not None and kept.checkpoint["id"] != last["id"]
    taken = any(channel == RESUME and value is not None for _, channel, value in (kept and kept.pending_writes) or [])
    checkpoint = kept.checkpoint if kept else None
    return Seen(str(at["thread_id"]), dict(state.values), bool(state.next), checkpoint, answered=left and taken)


def untaken(here: Here) -> Here:
    """Where an edit has begun a fork in the thread that this one is a copy of, or in its copy: as if it had not."""
    return replace(here, run=None) if here.waiting is not None and here.shown.get("level") == EDITED else here


def editable(
    compiled: "CompiledStateGraph[StateT, ContextT, InputT, OutputT]",
) -> "Editable[StateT, ContextT, InputT, OutputT]":
    """A graph that LangGraph has compiled, as one whose threads can be edited."""
    return Editable(**parts_of(compiled))


def kept_by(
    graph: "Editable[StateT, ContextT, InputT, OutputT]", checkpointer: "BaseCheckpointSaver[str]"
) -> "Editable[StateT, ContextT, InputT, OutputT]":
    """The same graph with its threads in this checkpointer. Its nodes are not built again: a run begins 12 ms earlier."""
    compiled = editable(graph.builder.compile(checkpointer=checkpointer, name=graph.name))
    return compiled.with_config(graph.config)


def plain(values: Any) -> dict[str, Any]:
    """What an update writes, by channel."""
    if isinstance(values, Command):
        if values.goto or values.resume is not None:
            raise EditError("a thread's state takes an 'update'; goto and resume are for its runs")
        values = values.update
    if isinstance(values, BaseModel):
        return values.model_dump(mode="json", exclude_unset=True)
    if values is None or isinstance(values, Mapping):
        return dict(values or {})
    if isinstance(values, list | tuple) and all(is_pair(one) for one in values):
        return dict(values)
    if isinstance(values, list) and all(isinstance(one, Mapping) for one in values):
        return {name: value for one in values for name, value in one.items()}
    raise EditError('an edit is an object with new values by name, such as {"system_prompt": "..."}')


def is_pair(given: Any) -> bool:
    """Whether it is a name with a value."""
    return isinstance(given, list | tuple) and len(given) == 2 and isinstance(given[0], str)


def newest(config: RunnableConfig) -> RunnableConfig:
    """The config of the newest checkpoint of a thread."""
    configurable = {name: value for name, value in config["configurable"].items() if name != "checkpoint_id"}
    return {**config, "configurable": configurable}
