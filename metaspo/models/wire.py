"""LangChain's OpenAI chat models, for what servers write: a message of any role or none, an error with HTTP 200."""

import warnings
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai.types.chat import ChatCompletion

from .error_words import shown
from .faults import Fault, fault_of_payload
from .usage import as_openai

# What LangChain says of a refusal beside raising it is about a way to call it that is not ours.
warnings.filterwarnings("ignore", "(This model does not support|Invalid schema for) OpenAI's structured output feature")


class _AsWritten(BaseChatOpenAI):
    """What servers write where OpenAI has something else."""

    def message(self, body: Any) -> AIMessage:
        """The message in the body of a response, as a call would return it."""
        [generation, *_] = self._create_chat_result(body).generations
        return cast(AIMessage, generation.message)

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        body = response if isinstance(response, dict) else response.model_dump(warnings=False) if response else response
        if not isinstance(body, dict):
            raise Fault("transient", f"malformed reply: {shown(str(body))}")
        if body.get("error"):
            raise fault_of_payload(body["error"])
        if body.get("choices") is None:
            told = {
                name: value for name, value in body.items() if value is not None and name not in ChatCompletion.model_fields
            }
            if told:
                raise fault_of_payload(told)
        for choice in body.get("choices") or ():
            message = choice.get("message") if isinstance(choice, dict) else None
            if isinstance(message, dict):
                message["role"] = "assistant"
        body["usage"] = as_openai(body.get("usage"))
        result = super()._create_chat_result(body, generation_info)
        for generation, choice in zip(result.generations, body["choices"], strict=True):
            # LangChain copies a refusal from the client's own type only.
            if refusal := choice["message"].get("refusal"):
                generation.message.additional_kwargs["refusal"] = refusal
        return result


class ServerChat(_AsWritten):
    """A chat model at any server."""


class OpenAIChat(_AsWritten, ChatOpenAI):
    """A chat model at OpenAI: the only one that is sure to know `max_completion_tokens`."""
