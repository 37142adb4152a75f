"""The steps of a program: all messages between the question and its final answer, from its state or as they were heard."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from ..domain.chains import chain
from ..domain.steps import kept

ROLES = {"ai": "assistant", "human": "user"}
"""What LangChain calls the roles of chat messages."""


class Heard(BaseCallbackHandler):
    """What chat models said and tools returned inside a program, however deep, in the order in which they were done."""

    run_inline = True

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self.messages: list[dict[str, Any]] = []
        self._tools: dict[uuid.UUID, tuple[str, Any]] = {}

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Keep what a model said."""
        for generation in response.generations[0][:1] if response.generations else []:
            if isinstance(generation, ChatGeneration):
                self.messages.append(_plain(generation.message))

    def on_tool_start(self, serialized: dict[str, Any], input_str: str, *, run_id: uuid.UUID, **kwargs: Any) -> None:
        """Note what a tool was asked."""
        name = str((serialized or {}).get("name") or kwargs.get("name") or "tool")
        self._tools[run_id] = name, kwargs.get("inputs") or input_str

    def on_tool_end(self, output: Any, *, run_id: uuid.UUID, **kwargs: Any) -> None:
        """Keep what a tool returned."""
        self._returned(run_id, str(output.text) if isinstance(output, BaseMessage) else str(output))

    def on_tool_error(self, error: BaseException, *, run_id: uuid.UUID, **kwargs: Any) -> None:
        """Keep how a tool failed."""
        self._returned(run_id, f"failed with {chain(error)}")

    def _returned(self, run: uuid.UUID, content: str) -> None:
        name, asked = self._tools.pop(run, ("tool", ""))
        calls = [call["name"] for message in self.messages for call in message.get("tool_calls", ())]
        # A tool that a chain runs by itself was called by no model.
        arguments = {} if name in calls else {"arguments": asked}
        self.messages.append({"role": "tool", "name": name, **arguments, "content": content})


def steps_of(output: Any, asked: Sequence[BaseMessage], heard: Heard, answer: str) -> str:
    """The steps that led to an answer, as the JSON text that is recorded; empty where there were none.

    They are the messages of a graph's state where it has some, else what was heard, less the answer itself.
    """
    found = [_plain(message) for message in _between(output, asked)]
    if not found:
        found = [*heard.messages]
        if found and found[-1]["role"] == "assistant" and found[-1]["content"].strip() == answer.strip():
            found.pop()
    return kept(found)


def _between(output: Any, asked: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages of a state after those that the program was given and before its last of an AI."""
    found = output.get("messages") if isinstance(output, Mapping) else None
    messages = [one for one in found if isinstance(one, BaseMessage)] if isinstance(found, list) else []
    end = max((at for at, one in enumerate(messages) if isinstance(one, AIMessage)), default=0)
    last = asked[-1] if asked else None
    start = next(
        (at + 1 for at, one in enumerate(messages) if last and (one.type, one.content) == (last.type, last.content)), 0
    )
    return messages[start:end]


def _plain(message: BaseMessage) -> dict[str, Any]:
    told: dict[str, Any] = {"role": ROLES.get(message.type, message.type), "content": str(message.text)}
    if isinstance(message, AIMessage) and message.tool_calls:
        told["tool_calls"] = [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls]
    if isinstance(message, ToolMessage):
        told["name"] = message.name or "tool"
    return told
