"""What a person answers when prompts wait for approval, and how an answer is read."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import ConfigDict, Field

from ..domain.errors import ConfigError, PromptError
from ..domain.visible import half_character, visible
from ..methods.proposal import system_rules, user_rules
from ..tasks.documents import check
from ..tasks.written import Exact
from ..workspace.search import SearchWorkspace
from .comparison import Change
from .inbox import from_inbox, is_inbox_answer

Choice = Literal["accept", "reject", "edit"]

Decisions = dict[str, "Decision"]
"""What is to become of each task's change ("" is the system prompt)."""

LONGEST_NAME, LONGEST_MESSAGE = 100, 2000
"""Characters that are kept of a person's name, and of why they rejected."""


class TaskAnswer(Exact):
    """What is to become of one change; `text` goes with edit, `message` says why, with reject."""

    model_config = ConfigDict(extra="forbid")

    decision: Choice
    text: str | None = None
    message: str | None = None


class Answer(Exact):
    """An answer to the request of that `id`: one decision for all its changes, or one by task; `text` goes with edit.

    `person` is who answers, as they say themselves.
    """

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    decision: Literal["accept", "reject", "edit", "stop"] | None = None
    text: str | None = None
    message: str | None = None
    tasks: dict[str, TaskAnswer] = Field(default_factory=dict)
    person: str | None = None


class Decision(TaskAnswer):
    """A decision that can be carried out: an edit's text has been checked."""


class Refused(ConfigError):
    """An answer that cannot be used, with what is wrong about each task's change, where it is about that."""

    def __init__(self, said: str, by_task: Mapping[str, str] | None = None) -> None:
        """Say what is wrong."""
        super().__init__(said)
        self.by_task = dict(by_task or {})


def read_answer(given: Any, changes: Sequence[Change]) -> Answer:
    """An answer in any form; raises ConfigError for one that is none."""
    data = _as_data(given)
    return check(Answer, from_inbox(data, changes) if is_inbox_answer(data) else data, ConfigError)


def addressed(given: Any, id: str, person: str | None = None) -> Any:
    """The answer as one to the request of that id, and from that person, where it says nothing else itself."""
    data = _as_data(given)
    if isinstance(data, list):
        data = {"decisions": data}
    return {"id": id, **({"person": person} if person is not None else {}), **data} if isinstance(data, dict) else data


def addressee(given: Any) -> str | None:
    """The request that an answer says it is to, None where it doesn't."""
    data = _as_data(given)
    named = data.get("id") if isinstance(data, dict) else None
    return None if named is None else name_of(named)


def decisions(workspace: SearchWorkspace, changes: Sequence[Change], answer: Answer) -> Decisions | None:
    """The decision about every change, None for stop; raises Refused where one of them cannot be used."""
    if answer.decision == "stop":
        return None
    names = [change["task"] for change in changes]
    unknown = sorted(set(answer.tasks) - set(names))
    if unknown:
        waiting = ", ".join(names) if any(names) else "the system prompt alone: leave 'tasks' out"
        raise Refused(f"no change of a task named {unknown[0]!r} waits for an answer; waiting: {waiting}")
    found: Decisions = {}
    wrong: dict[str, str] = {}
    for change in changes:
        try:
            found[change["task"]] = _decision(workspace, change, answer, several=len(changes) > 1)
        except (ConfigError, PromptError) as error:
            wrong[change["task"]] = str(error)
    if wrong:
        said = "; ".join(f"task {task}: {words}" if task else f"the system prompt: {words}" for task, words in wrong.items())
        raise Refused(said, wrong)
    return found


def _decision(workspace: SearchWorkspace, change: Change, answer: Answer, *, several: bool) -> Decision:
    own = answer.tasks.get(change["task"])
    said = own or answer
    if said.decision is None or said.decision == "stop":
        raise ConfigError("no decision; give one of accept, reject, edit")
    if (said.decision == "edit") != bool(said.text and said.text.strip()):
        raise ConfigError("'edit' comes with the new text as 'text', and no other decision does")
    if said.decision == "edit" and not own and several:
        raise ConfigError("several prompts wait; give each edited one its own text under 'tasks'")
    text = _checked(workspace, change, said.text) if said.text else None
    message = visible(said.message)[:LONGEST_MESSAGE] if said.message else None
    return Decision(decision=said.decision, text=text, message=message)


def name_of(said: Any) -> str:
    """A name or an id that came with an answer, as it can be kept and shown."""
    return visible(" ".join(str(said).split()))[:LONGEST_NAME]


def _as_data(given: Any) -> Any:
    if not isinstance(given, str):
        return given if isinstance(given, dict | list) else {"decision": given}
    try:
        return json.loads(given) if given.lstrip().startswith(("{", "[")) else {"decision": given.strip()}
    except (ValueError, RecursionError) as error:
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
