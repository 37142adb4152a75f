"""What the blocks of a task that people write have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict

NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
CALLABLE = r"[\w.]+:[\w.]+"
"""How a Python callable is named: package.module:function."""

VERSION = "package.module:function: stands for its code, which is then not followed; another one means other scores."


class Written(BaseModel):
    """A block of a task as a person writes it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def word(value: Any) -> Any:
    """A label or a version as text, whatever YAML took it for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value.strip() if isinstance(value, str) else value


def text_keys(value: Any) -> Any:
    """Nested data with its keys as JSON has them, so that it is the same after being stored: 0 and true become text."""
    if isinstance(value, dict):
        return {word(key): text_keys(inner) for key, inner in value.items()}
    return [text_keys(inner) for inner in value] if isinstance(value, list) else value
