"""A program in the place of the base model: a chain or an agent of the user's own, with a slot for the system prompt.

What a program is given is its system prompt and the messages of a question: one human message, the user
prompt with the question filled in, or a conversation. What it may be:

- a compiled LangGraph graph whose state has `messages` and whose state or context has `system_prompt`,
- any other Runnable, which is invoked with `{"system_prompt": str, "messages": [HumanMessage, ...]}`,
- a chat model, which is invoked with both as messages,
- a function `make(system_prompt)` that builds one of them around a system prompt,
- a function without parameters that returns any of these.

What it may return: text, a message, a list of messages, or a state with `messages`; the answer is
the last AI message's text.
"""

import asyncio
import contextvars
import inspect
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, get_type_hints

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, convert_to_messages
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import merge_configs, var_child_runnable_config
from langgraph.checkpoint.serde.types import INTERRUPT
from langgraph.errors import GraphRecursionError
from langgraph.graph.state import CompiledStateGraph

from ..domain.calls import Reply, Request
from ..domain.errors import ModelError
from ..domain.messages import Content, as_data, text_of, with_more_images
from ..domain.steps import kept
from .backend import traced
from .error_words import said
from .faults import Fault, fault_of_program
from .reading import end_of, refusal_of
from .spec import ModelSpec, code_identity, imported
from .steps import Heard, steps_of
from .usage import completed, message_usage

RECURSION_LIMIT = 50
"""Supersteps that a graph may take for one question if its own config sets no limit."""

SLOT = "system_prompt"
GIVEN = "given-"
"""What the id of an assistant's turn begins with that a program is given: it is none of the program's own."""
BUILT = 32
"""Programs kept that `make(system_prompt)` built: a round's candidates are at work at the same time."""


class Program:
    """A backend that runs a program once per request.

    The program keeps its own models, tools and sampling settings; a request's temperature, length and
    constraint are not passed on. It starts without any memory of other requests: outside of our
    graph's thread, without its checkpointer.
    """

    def __init__(self, label: str, found: Any, identity: dict[str, Any]) -> None:
        """Check that `found` is a program; raises ModelError saying what it lacks. Nothing is run."""
        self.identity = identity
        self._for: Callable[[str], Runnable[Any, Any]]
        if not isinstance(found, Runnable) and _required(found) == 0:
            found = _called(label, found)
        if isinstance(found, Runnable):
            program = _checked(label, found)
            self._for = lambda system: program
        elif _required(found) == 1:
            self._for = lru_cache(BUILT)(lambda system: _runnable(label, found(system)))
        else:
            raise ModelError(
                f"{label} is {type(found).__name__}; a program is a LangChain Runnable, a compiled graph, a function "
                f"make({SLOT}) that returns one, or a function without parameters that does"
            )

    async def ready(self) -> None:
        """There is nothing to start."""

    async def complete(self, request: Request) -> Reply:
        """Run the program on one request; see `Backend`."""
        system = "\n\n".join(text_of(content) for role, content in request.messages if role == "system")
        messages = convert_to_messages([as_data(message) for message in request.messages if message[0] != "system"])
        for at, message in enumerate(messages):
            if isinstance(message, AIMessage):
                message.id = f"{GIVEN}{at}"
        meter, heard = _Meter(), Heard()
        try:
            output = await self._run(system, messages, [meter, heard], traced(request))
        except GraphRecursionError:
            # Going in circles is what this prompt made of this example, no fault of an endpoint.
            circling = AIMessage("", response_metadata={"finish_reason": "recursion_limit"})
            return replace(_reply(circling, meter.heard), steps=kept(heard.messages))
        except Fault:
            raise
        except Exception as error:
            fault = fault_of_program(error)
            if fault.kind == "mistake":
                fault.message = f"the program {fault.message}"
            raise fault from error
        if isinstance(output, dict) and INTERRUPT in output:
            raise Fault("mistake", "the program stopped to ask a person; optimize one that runs through without")
        spoken = [message for message in _messages(output) if not str(message.id).startswith(GIVEN)]
        reply = _reply(spoken[-1] if spoken else AIMessage(""), meter.heard or [_as_reply(one, []) for one in spoken])
        return replace(reply, steps=steps_of(output, messages, heard, reply.text))

    async def _run(
        self, system: str, messages: list[BaseMessage], heard: list[BaseCallbackHandler], seen: RunnableConfig
    ) -> Any:
        program = self._for(system)
        given, options = _input(program, system, messages)
        # Within one of our nodes the ambient config would make the program a subgraph of ours, with our
        # thread, checkpoints and recursion limit. Only callbacks, and with them traces, are handed down.
        ambient = var_child_runnable_config.get() or {}
        kept: Any = {key: ambient[key] for key in ("callbacks", "tags", "metadata") if key in ambient}
        own: RunnableConfig = {"callbacks": heard, "configurable": {"thread_id": str(uuid.uuid4())}}
        if not (getattr(program, "config", None) or {}).get("recursion_limit"):
            own["recursion_limit"] = RECURSION_LIMIT
        context = contextvars.copy_context()
        context.run(var_child_runnable_config.set, None)
        config = context.run(merge_configs, kept, seen, own)
        return await asyncio.create_task(program.ainvoke(given, config, **options), context=context)

    async def close(self) -> None:
        """The program belongs to whoever made it."""


def _called(label: str, factory: Callable[[], Any]) -> Any:
    try:
        return factory()
    except Exception as error:
        raise ModelError(f"{label} failed with {type(error).__name__}: {said(error)}") from error


def _runnable(label: str, built: Any) -> Runnable[Any, Any]:
    if not isinstance(built, Runnable):
        raise Fault("mistake", f"{label} returned {type(built).__name__}, not a Runnable or a compiled graph")
    return _without_checkpointer(built)


def _required(found: Any) -> int | None:
    """How many parameters a function needs, None for what is no plain function."""
    if not callable(found) or inspect.iscoroutinefunction(found):
        return None
    parameters = inspect.signature(found).parameters.values()
    return sum(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _schema_fields(schema: Any) -> set[str]:
    return set(get_type_hints(schema)) if isinstance(schema, type) else set()


def _checked(label: str, found: Runnable[Any, Any]) -> Runnable[Any, Any]:
    if isinstance(found, CompiledStateGraph):
        state, context = _schema_fields(found.builder.input_schema), _schema_fields(found.context_schema)
        if "messages" not in state:
            raise ModelError(f"{label}: the graph's input has no 'messages'; put a RunnableLambda before it that maps them")
        if SLOT not in state | context:
            raise ModelError(
                f"{label}: the graph has no place for the system prompt; add '{SLOT}: str' to its state or its context, "
                f"or name a function make({SLOT}) that builds the graph"
            )
    return _without_checkpointer(found)


def _without_checkpointer(found: Runnable[Any, Any]) -> Runnable[Any, Any]:
    # Thousands of examples are no threads that anybody wants to come back to.
    return found.copy({"checkpointer": None}) if isinstance(found, CompiledStateGraph) else found


def _input(program: Runnable[Any, Any], system: str, messages: list[BaseMessage]) -> tuple[Any, dict[str, Any]]:
    """What the program is invoked with, and keywords beside it: a graph is given what its schemas have."""
    if isinstance(program, BaseChatModel):
        return ([SystemMessage(system), *messages] if system else messages), {}
    filled: dict[str, Any] = {SLOT: system, "messages": messages}
    if not isinstance(program, CompiledStateGraph):
        return filled, {}
    state, context = _schema_fields(program.builder.input_schema), _schema_fields(program.context_schema)
    options = {"context": {SLOT: system}} if SLOT in context else {}
    return {key: value for key, value in filled.items() if key in state}, options


def _messages(output: Any) -> list[AIMessage]:
    """The AI messages in whatever a program returned."""
    if isinstance(output, str):
        return [AIMessage(output)]
    if isinstance(output, Mapping):
        output = output.get("messages")
    if isinstance(output, BaseMessage):
        output = [output]
    if not isinstance(output, list) or not all(isinstance(one, BaseMessage) for one in output):
        raise Fault(
            "mistake", f"the program returned {type(output).__name__}; return text, a message, or a state with messages"
        )
    return [one for one in output if isinstance(one, AIMessage)]


def _reply(message: AIMessage, heard: list[Reply]) -> Reply:
    return Reply(
        text=str(message.text),
        finish=end_of(message),
        input_tokens=sum(one.input_tokens for one in heard),
        output_tokens=sum(one.output_tokens for one in heard),
        cost=_sum_of([one.cost for one in heard]),
        estimated=any(one.estimated for one in heard),
        cached_tokens=sum(one.cached_tokens for one in heard),
        error=refusal_of(message),
    )


def _sum_of(costs: Sequence[float | None]) -> float | None:
    """What calls cost together, unknown where one of them does not tell, or nothing is known of any."""
    told = [cost for cost in costs if cost is not None]
    return sum(told) if told and len(told) == len(costs) else None


def _as_reply(message: AIMessage, asked: Sequence[BaseMessage]) -> Reply:
    """One call of a chat model inside a program; what it does not tell is estimated from what it was asked and said."""
    took = message_usage(message)
    said = f"{message.text}{message.tool_calls or ''}"
    reply = Reply(said, "stop", took.read, took.written, cost=took.cost, cached_tokens=took.cached)
    return completed(Request(tuple((one.type, _shown(one)) for one in asked), 0, 0.0), reply) if asked else reply


def _shown(message: BaseMessage) -> Content:
    """What a message holds that its tokens are estimated from: its text, and how many images."""
    blocks = message.content if isinstance(message.content, list) else []
    images = [block for block in blocks if isinstance(block, dict) and "image" in str(block.get("type"))]
    return with_more_images(str(message.text), ["data:"] * len(images))


class _Meter(BaseCallbackHandler):
    """The tokens of every chat model call inside a program, however deep.

    LangChain's own UsageMetadataCallbackHandler leaves out models that do not report their name.
    """

    run_inline = True

    def __init__(self) -> None:
        self.heard: list[Reply] = []
        self._asked: dict[uuid.UUID, list[BaseMessage]] = {}

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: uuid.UUID, **kwargs: Any
    ) -> None:
        self._asked[run_id] = [message for batch in messages for message in batch]

    def on_llm_end(self, response: LLMResult, *, run_id: uuid.UUID, **kwargs: Any) -> None:
        asked = self._asked.pop(run_id, [])
        for generation in response.generations[0][:1] if response.generations else []:
            if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                self.heard.append(_as_reply(generation.message, asked))


def load(spec: ModelSpec) -> Program:
    """The program that a spec names by `package.module:attribute`; raises ModelError when there is none.

    Recorded replies are found again under the name and the version. Without a version the text of the named
    module counts instead, and of all that it imports from beside it: any edit there makes another program.
    """
    if ":" not in spec.name:
        raise ModelError(f"{spec.label}: write program:package.module:attribute")
    found = imported(spec)
    return Program(spec.label, found, {"program": spec.name, "version": None} | code_identity(spec))
