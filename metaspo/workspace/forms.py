"""How the graphs look as forms: what their state shows, and in which words."""

from typing import Annotated, Any

from langgraph.channels import EphemeralValue, LastValue
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel, Field

from .sizes import SIZES


def described(graph: "StateGraph[Any, Any, Any, Any]", given: type[BaseModel]) -> None:
    """Let a state tell of what its run is given in the words of the input."""
    for name, field in given.model_fields.items():
        words = Field(description=field.description, json_schema_extra=field.json_schema_extra)
        told: Any = Annotated[(field.annotation, *field.metadata, words)]
        channel: Any = (EphemeralValue if name == SIZES else LastValue)(told)
        channel.key = name
        graph.channels[name] = channel


class Shown(CompiledStateGraph[Any, Any, Any, Any]):
    """A compiled graph whose state, in forms, is what goes in and what comes out; the rest is the nodes' own affair."""

    @property
    def stream_channels_list(self) -> list[str]:
        """The channels of the state's JSON schema, which is all that the Agent Server asks this for."""
        form = self.builder.input_schema.model_json_schema()["properties"]
        return [*form, *(name for name in self.builder.schemas[self.builder.output_schema] if name not in form)]


def shown(compiled: "CompiledStateGraph[Any, Any, Any, Any]") -> Shown:
    """The same graph, as forms should show it."""
    return Shown(**{name: value for name, value in vars(compiled).items() if name != "__orig_class__"})
