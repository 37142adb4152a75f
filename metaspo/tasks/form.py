"""How blocks that people write look as JSON schemas: the order of their keys, and blocks that are kept as plain data."""

from collections.abc import Callable
from typing import Any

from pydantic import BeforeValidator

Arrange = Callable[[dict[str, Any]], None]


def in_order(*first: str, last: tuple[str, ...] = (), examples: tuple[Any, ...] = ()) -> Arrange:
    """A `json_schema_extra` that shows these keys first and those last, whatever order they are stored in, with examples."""

    def arrange(schema: dict[str, Any]) -> None:
        there = schema.get("properties", {})
        between = [name for name in there if name not in first and name not in last]
        schema["properties"] = {name: there[name] for name in (*first, *between, *last) if name in there}
        if examples:
            schema["examples"] = [*examples]

    return arrange


def form_of(kind: Any) -> BeforeValidator:
    """Annotates data that is checked later, and changes nothing of it: its JSON schema is that of `kind`."""
    return BeforeValidator(lambda data: data, json_schema_input_type=kind)
