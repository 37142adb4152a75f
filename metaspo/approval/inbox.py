"""Changes as inboxes of agents show them, and their answers: LangChain's human-in-the-loop form, and the one before it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ..domain.errors import ConfigError
from .comparison import Change


class ActionRequest(TypedDict):
    """One change: what is to be done, the prompt as it would be, and the scores with the diff as Markdown."""

    name: str
    args: dict[str, str]
    description: str


class ReviewConfig(TypedDict):
    """What may be decided about actions of a name."""

    action_name: str
    allowed_decisions: list[str]


DECISIONS = {
    "approve": "accept",
    "accept": "accept",
    "edit": "edit",
    "reject": "reject",
    "ignore": "reject",
    "response": "reject",
}
"""Our decisions by theirs. An inbox that takes a reason with a rejection may call it a response."""


def action_requests(changes: Sequence[Change]) -> list[ActionRequest]:
    """Each change as an action to approve."""
    return [
        {
            "name": _name(change),
            "args": {**({"task": change["task"]} if change["task"] else {}), "text": change["after"]},
            "description": _description(change),
        }
        for change in changes
    ]


def review_configs(changes: Sequence[Change]) -> list[ReviewConfig]:
    """What may be decided about each change."""
    return [{"action_name": _name(change), "allowed_decisions": ["approve", "edit", "reject"]} for change in changes]


def is_inbox_answer(given: Any) -> bool:
    """Whether an answer is in the form of an inbox: `decisions` in their order, or what older ones send."""
    if isinstance(given, list):
        return True
    return isinstance(given, Mapping) and ("decisions" in given or ("type" in given and "decision" not in given))


def from_inbox(given: Any, changes: Sequence[Change]) -> dict[str, Any]:
    """The same answer in our form; raises ConfigError for one that does not fit the changes."""
    also = {name: given[name] for name in ("id", "person") if name in given} if isinstance(given, Mapping) else {}
    decisions = given if isinstance(given, list) else given.get("decisions", [given])
    if not isinstance(decisions, list) or len(decisions) != len(changes):
        found = len(decisions) if isinstance(decisions, list) else "no list of them"
        raise ConfigError(
            f"decisions: {found}, where {len(changes)} wait; give one for each of action_requests, in their order"
        )
    return {**also, "tasks": {change["task"]: _decision(one, change) for change, one in zip(changes, decisions, strict=True)}}


def _decision(given: Any, change: Change) -> dict[str, Any]:
    said = given.get("type") if isinstance(given, Mapping) else None
    about = f"task {change['task']}" if change["task"] else "the system prompt"
    if not isinstance(said, str) or said not in DECISIONS:
        raise ConfigError(f"{about}: a decision has a 'type', one of approve, edit, reject")
    made: dict[str, Any] = {"decision": DECISIONS[said]}
    if said == "edit":
        action = given.get("edited_action", given.get("args"))
        args = action.get("args") if isinstance(action, Mapping) else None
        if not isinstance(args, Mapping) or args.get("task", change["task"]) != change["task"]:
            raise ConfigError(f"{about}: an edit comes with the new text as 'text' in its action's 'args', the rest as it was")
        made["text"] = args.get("text")
    why = given.get("message", given.get("args"))
    if made["decision"] == "reject" and isinstance(why, str) and why.strip():
        made["message"] = why
    return made


def _name(change: Change) -> str:
    return "user_prompt" if change["task"] else "system_prompt"


def _description(change: Change) -> str:
    lines = [
        f"{row['task']}: {100 * row['before']:.1f} -> {100 * row['after']:.1f} on {row['examples']} examples, change "
        f"{100 * row['difference']:+.1f}, 95% interval {100 * row['low']:+.0f} to {100 * row['high']:+.0f}"
        for row in change["tasks"]
    ]
    what = f"user prompt of {change['task']}" if change["task"] else "system prompt"
    parts = [f"A new {what}:", "\n".join(f"- {line}" for line in lines), _fenced(change["diff"], "diff")]
    for text in change["also"]:
        parts += [f"Another {what}, kept as well:", _fenced(text)]
    return "\n\n".join(parts)


def _fenced(text: str, kind: str = "") -> str:
    # Longer than any in the text, so that the text can't end it.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{text}\n{fence}"
