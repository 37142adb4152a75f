"""What a program did before it answered: messages as plain data, shortened, without keys, as they are kept and shown."""

import json
from collections.abc import Sequence
from typing import Any

from .excerpts import head_and_tail
from .redaction import without_keys

LONGEST = 4_000
"""Characters that are kept of one message, or of the arguments of one call of a tool."""

MOST = 50
"""Messages that are kept, at most."""

SHOWN = 400
"""Characters of one step in words."""


def kept(messages: Sequence[dict[str, Any]]) -> str:
    """Messages as the JSON text that is recorded; empty for none.

    Each is a dict with `role` ("assistant", "tool", ...) and `content`, with `tool_calls` ({"name", "arguments"}) where it
    calls tools, and with the `name` of the tool, and its `arguments`, where it is what one returned.
    """
    if not messages:
        return ""
    found = [_cut(_clean(message)) for message in messages]
    if len(found) > MOST:
        half = MOST // 2
        note = {"role": "note", "content": f"[{len(found) - 2 * half} messages are left out here]"}
        found = [*found[:half], note, *found[-half:]]
    return json.dumps(found, ensure_ascii=False)


def read_steps(steps: str) -> list[dict[str, Any]]:
    """The messages that a recorded text holds."""
    found: list[dict[str, Any]] = json.loads(steps) if steps else []
    return found


def in_words(steps: str) -> str:
    """Recorded steps as text, a line or so each: tools with their arguments, what they returned, what was said between."""
    return "\n".join(head_and_tail(line, SHOWN) for step in read_steps(steps) for line in _lines(step))


def _lines(step: dict[str, Any]) -> list[str]:
    content, name = str(step.get("content") or ""), step.get("name")
    if name or step.get("role") == "tool":
        asked = f"({_arguments(step['arguments'])})" if "arguments" in step else ""
        return [f"{name or 'tool'}{asked} -> {content}"]
    calls = [f"{call.get('name')}({_arguments(call.get('arguments'))})" for call in step.get("tool_calls") or []]
    return [*([f"{step.get('role')}: {content}"] if content.strip() else []), *calls]


def _arguments(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _cut(value: Any) -> Any:
    """The same with long texts shortened; arguments that are long as a whole become a text."""
    if isinstance(value, str):
        return head_and_tail(value, LONGEST)
    if isinstance(value, list):
        return [_cut(part) for part in value]
    if isinstance(value, dict):
        return {name: _cut(_as_text(part) if name == "arguments" else part) for name, part in value.items()}
    return value


def _as_text(arguments: Any) -> Any:
    text = _arguments(arguments)
    return text if len(text) > LONGEST else arguments


def _clean(value: Any) -> Any:
    """Plain data without keys, and without what no file could keep."""
    if isinstance(value, str):
        return without_keys(value.replace("\0", "").encode("utf-8", "replace").decode("utf-8"))
    if isinstance(value, dict):
        return {_clean(str(name)): _clean(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    return value if isinstance(value, int | float | None) else _clean(str(value))
