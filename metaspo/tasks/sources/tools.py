"""Rows as the field's tools write them, given the `question` and the `answer` that are clear from their form. Pure functions.

LangSmith's examples and exports, promptfoo's tests, OpenAI's evals and chats to train on. Where several fields could be
the question, none is added: a person names it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from ..rows.row import Row
from .asserts import GOLDS, gold_of, kinds_of, of_csv
from .plain import ROLES

Fill = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From a row to what is added to it: `question`, `answer` or `answers`, or nothing."""


class Lack(str):
    """In the place of a value that a row does not give: what to write."""


def filled(row: Row) -> Row:
    """The row with what its form makes clear, and what to write where that is not all; what it says itself stays."""
    for belongs, fill in TOOLS:
        if belongs(row.values):
            added = {name: value for name, value in fill(row.values).items() if name not in row.values}
            lacks = {name: str(value) for name, value in added.items() if isinstance(value, Lack)}
            values = {name: value for name, value in added.items() if name not in lacks} | dict(row.values)
            return replace(row, values=values, hint=partial(_hint, lacks, row))
    return row


def _hint(lacks: Mapping[str, str], row: Row, field: str) -> str:
    return lacks.get(field) or row.hint(field)


def _langsmith(values: Mapping[str, Any]) -> dict[str, Any]:
    inputs, outputs = _opened(values["inputs"]), _opened(values["outputs"])
    return {**_only("question", inputs, conversation, "inputs"), **_only("answer", outputs, _said, "outputs")}


def _langsmith_csv(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_only("question", {name: value for name, value in values.items() if _side(name) == "input"}, conversation),
        **_only("answer", {name: value for name, value in values.items() if _side(name) == "output"}, _said),
    }


def _promptfoo(values: Mapping[str, Any]) -> dict[str, Any]:
    tested = {name: value for name, value in values["vars"].items() if name not in GOLDS}
    asserts = kinds_of(values) or "no assert"
    open_answer = Lack(f"write an assert of type equals or contains, or vars.expected: the test has {asserts}")
    return {**_only("question", tested, conversation, "vars"), **(gold_of(values) or {"answer": open_answer})}


def _promptfoo_csv(values: Mapping[str, Any]) -> dict[str, Any]:
    test = of_csv(values)
    return {**_promptfoo(test), "vars": test["vars"], "assert": test["assert"]}


def _evals(values: Mapping[str, Any]) -> dict[str, Any]:
    ideal = values["ideal"]
    return {"question": conversation(values["input"]), "answers" if isinstance(ideal, list) else "answer": ideal}


def _chat(values: Mapping[str, Any]) -> dict[str, Any]:
    *before, last = messages(values["messages"]) or [{}]
    if before and last.get("role") == "assistant" and isinstance(last.get("content"), str):
        return {"question": conversation(before), "answer": last["content"]}
    return {}


def _is_chat(values: Mapping[str, Any]) -> bool:
    return isinstance(values.get("messages"), list)


TOOLS: tuple[tuple[Callable[[Mapping[str, Any]], bool], Fill], ...] = (
    (lambda v: isinstance(v.get("vars"), Mapping), _promptfoo),
    (lambda v: any(str(name).startswith("__expected") for name in v), _promptfoo_csv),
    (lambda v: all(isinstance(_opened(v.get(name)), Mapping) for name in ("inputs", "outputs")), _langsmith),
    (lambda v: "input" in v and "ideal" in v, _evals),
    (lambda v: {"input", "output"} <= {_side(name) for name in v}, _langsmith_csv),
    (_is_chat, _chat),
)
"""How the rows of each tool are known, and what is added to them."""


def conversation(value: Any) -> Any:
    """A question: of messages, the text where it is one of a user, and else the list; anything else as it is."""
    found = messages(value)
    if found is None:
        return value
    if len(found) == 1 and found[0]["role"] == "user" and isinstance(found[0]["content"], str):
        return found[0]["content"]
    return found


def messages(value: Any) -> list[dict[str, Any]] | None:
    """Chat messages in OpenAI's form, from that or from LangChain's; None for what is no list of messages."""
    if not isinstance(value, list) or not value:
        return None
    read = [_message(one) for one in value]
    return [one for one in read if one is not None] if all(read) else None


def _message(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping):
        return None
    # LangChain's own forms have the content inside.
    inside: Mapping[str, Any] = next((value[key] for key in ("data", "kwargs") if isinstance(value.get(key), Mapping)), value)
    role = value.get("role") or ROLES.get(str(inside.get("type") or value.get("type")))
    if not isinstance(role, str) or "content" not in inside:
        return None
    more = {name: inside[name] for name in ("name", "tool_calls", "tool_call_id") if inside.get(name)}
    return {"role": role, "content": inside["content"], **more}


def _said(value: Any) -> Any:
    """An answer: what the last message says where it is one or several, else the value."""
    one = value[-1] if isinstance(value, list) and messages(value) else value
    message = _message(one)
    return message["content"] if message and isinstance(message["content"], str) else value


def _only(role: str, side: Mapping[str, Any], read: Callable[[Any], Any], under: str = "") -> dict[str, Any]:
    """The one value of a side under its role; of several, what to write to say which."""
    if len(side) == 1:
        [value] = side.values()
        return {role: read(value)} if value is not None else {}
    paths = [f"{under}.{name}" if under else str(name) for name in side]
    if not paths:
        return {}
    choice = f'question: "{" ".join(f"{{{path}}}" for path in paths)}"' if role == "question" else f"answer: {paths[0]}"
    return {role: Lack(f"write {choice} in the task: it may be any of {', '.join(paths)}")}


def _side(name: object) -> str:
    """Which side of an example a column of an exported table is: input_question, outputs.answer."""
    side, mark, rest = str(name).replace(".", "_").partition("_")
    return side.removesuffix("s") if mark and rest and side in ("input", "inputs", "output", "outputs") else ""


def _opened(value: Any) -> Any:
    """The object that a cell of a table spells as JSON; anything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
