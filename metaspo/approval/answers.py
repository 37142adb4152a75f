"""What a person answers when prompts wait for approval, and how an answer is read."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ..domain.errors import ConfigError, PromptError
from ..domain.visible import half_character
from ..methods.proposal import system_rules, user_rules
from ..tasks.documents import check
from ..tasks.written import Exact
from ..workspace.search import SearchWorkspace
from .comparison import Change

Choice = Literal["accept", "reject", "edit"]

Decisions = dict[str, tuple[Choice, str | None]]
"""What is to become of each task's change ("" is the system prompt), with the new text of an edit."""


class TaskAnswer(Exact):
    """What is to become of one change; `text` goes with edit."""

    model_config = ConfigDict(extra="forbid")

    decision: Choice
    text: str | None = None


class Answer(Exact):
    """An answer to a request: one decision for all its changes, or one by task; `text` goes with edit."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["accept", "reject", "edit", "stop"] | None = None
    text: str | None = None
    tasks: dict[str, TaskAnswer] = Field(default_factory=dict)


HOW = (
    'Answer {"decision": "accept"}, {"decision": "reject"}, {"decision": "edit", "text": "..."} or {"decision": "stop"}. '
    'Several tasks: {"tasks": {"NAME": {"decision": "accept"}, ...}}, with "decision" for those that are not named.'
)


def read_answer(workspace: SearchWorkspace, changes: Sequence[Change], given: Any) -> Decisions | None:
    """The decision about every change, None for stop; raises UserError for an answer that cannot be used."""
    answer = check(Answer, _as_data(given), ConfigError)
    if answer.decision == "stop":
        return None
    names = [change["task"] for change in changes]
    unknown = sorted(set(answer.tasks) - set(names))
    if unknown:
        waiting = ", ".join(names) if any(names) else "the system prompt alone: leave 'tasks' out"
        raise ConfigError(f"no change of a task named {unknown[0]!r} waits for an answer; waiting: {waiting}")
    found: Decisions = {}
    for change in changes:
        own = answer.tasks.get(change["task"])
        decision, text = (own.decision, own.text) if own else (answer.decision, answer.text)
        about = f"task {change['task']}" if change["task"] else "the system prompt"
        if decision is None:
            raise ConfigError(f"{about}: no decision; give one of accept, reject, edit")
        if (decision == "edit") != bool(text and text.strip()):
            raise ConfigError(f"{about}: 'edit' comes with the new text as 'text', and no other decision does")
        if decision == "edit" and not own and len(changes) > 1:
            raise ConfigError(f"{about}: several prompts wait; give each edited one its own text under 'tasks'")
        try:
            found[change["task"]] = (decision, _checked(workspace, change, text) if text else None)
        except PromptError as error:
            raise PromptError(f"{about}: {error}") from None
    return found


def _as_data(given: Any) -> Any:
    if not isinstance(given, str):
        return given if isinstance(given, dict) else {"decision": given}
    try:
        return json.loads(given) if given.lstrip().startswith("{") else {"decision": given.strip()}
    except ValueError as error:
        raise ConfigError(f"the answer is not valid JSON: {error}") from None


def _checked(workspace: SearchWorkspace, change: Change, text: str) -> str:
    """A person's text as a prompt like any other; raises PromptError for what no candidate may do either."""
    rules = (
        user_rules(workspace.tasks[change["task"]], workspace.problem.user_length)
        if change["task"]
        else system_rules(workspace)
    )
    text = rules.complete(rules.locks.edited(text).strip())
    complaint = rules.complaint(text)
    if complaint:
        raise PromptError(f"the edited text {complaint}")
    if half_character(text) is not None:
        raise PromptError("the edited text holds half of a character (a lone surrogate); write it again")
    if text == change["before"]:
        raise PromptError("the edited text is the prompt in force; to keep that, reject")
    return text
