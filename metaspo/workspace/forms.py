"""How the graphs look as forms: what their state shows, and in which words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_exception
from typing import Annotated, Any, cast

from langchain_core.callbacks import Callbacks
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.channels import EphemeralValue, LastValue
from langgraph.errors import GraphBubbleUp
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.typing import ContextT, InputT, OutputT, StateT
from pydantic import BaseModel, Field

from ..domain.complaints import as_written
from ..domain.errors import MetaspoError
from ..domain.redaction import without_keys
from ..domain.tool_words import to_a_model
from ..domain.twins import blocking
from .sizes import SIZES

LOG = logging.getLogger(__name__)


def described(graph: "StateGraph[Any, Any, Any, Any]", given: type[BaseModel]) -> None:
    """Let a state tell of what its run is given in the words of the input."""
    for name, field in given.model_fields.items():
        words = Field(description=field.description, json_schema_extra=field.json_schema_extra)
        told: Any = Annotated[(field.annotation, *field.metadata, words)]
        channel: Any = (EphemeralValue if name == SIZES else LastValue)(told)
        channel.key = name
        graph.channels[name] = channel


def shown_keys(form: type[BaseModel]) -> list[str]:
    """The keys that a form shows, in its order. To work them out makes its whole schema."""
    return [*form.model_json_schema()["properties"]]


def complaint_about_arguments(form: type[BaseModel], given: Any) -> str | None:
    """What is wrong with the keys of a tool's arguments, which a graph would never hear of; None where nothing is."""
    if not isinstance(given, dict):
        return f"the arguments are an object with any of {', '.join(shown_keys(form))}, not {as_written(given)}"
    unknown = next((key for key in given if key not in form.model_fields), None)
    if unknown is None:
        return None
    return f"there is no argument {as_written(unknown)}; write one of: {', '.join(shown_keys(form))}"


class Shown(CompiledStateGraph[StateT, ContextT, InputT, OutputT]):
    """A compiled graph whose state, in forms, is what goes in and what comes out; the rest is the nodes' own affair."""

    @property
    def stream_channels_list(self) -> list[str]:
        """The channels of the state's JSON schema, which is all that the Agent Server asks this for."""
        form = shown_keys(cast(Any, self.builder.input_schema))
        return [*form, *(name for name in self.builder.schemas[self.builder.output_schema] if name not in form)]

    def as_tool(
        self,
        args_schema: type[BaseModel] | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        arg_types: dict[str, type] | None = None,
    ) -> BaseTool:
        """The graph as a tool of an agent, with the form as its arguments; mistakes are answered in a sentence."""
        if args_schema is not None or arg_types is not None:
            return super().as_tool(args_schema, name=name, description=description, arg_types=arg_types)

        async def call(callbacks: Callbacks = None, **given: Any) -> Any:
            if wrong := complaint_about_arguments(cast(Any, self.builder.input_schema), given):
                raise ToolException(wrong)
            with told_to_a_model():
                return await self.ainvoke(cast(Any, given), {"callbacks": callbacks})

        return StructuredTool.from_function(
            func=lambda **given: blocking(call(**given)),
            coroutine=call,
            name=name or self.get_name(),
            description=description or str(self.builder.input_schema.__doc__),
            args_schema=self.get_input_jsonschema(),
            infer_schema=False,
            handle_tool_error=True,
        )


@contextmanager
def told_to_a_model() -> Iterator[None]:
    """Within, what goes wrong is a tool's error, in a sentence; what is wrong with us goes to the log as well."""
    try:
        yield
    except (GraphBubbleUp, ToolException):
        raise
    except Exception as error:
        if not isinstance(error, MetaspoError):
            LOG.error("a tool failed: %s", without_keys("".join(format_exception(error))))
        raise ToolException(to_a_model(type(error).__name__, str(error))) from error
