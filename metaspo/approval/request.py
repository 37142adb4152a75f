"""What a person is asked: the question with its id, as plain JSON, and in the form that inboxes of agents show."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypedDict

from ..domain.prompts import Level
from ..workspace.state import State
from .comparison import Change
from .inbox import ActionRequest, ReviewConfig, action_requests, review_configs

HOW = (
    'Answer {"id": ID, "decision": "accept"}, {"id": ID, "decision": "reject"}, {"id": ID, "decision": "edit", "text": "..."} '
    'or {"id": ID, "decision": "stop"}, with this request\'s id. '
    'Several tasks: {"id": ID, "tasks": {"NAME": {"decision": "accept"}, ...}}, with "decision" for those that are not named.'
)

SEEN = ("before", "after", "also", "best", "edited", "difference", "low", "high", "tasks")
"""What is kept of a change that was answered, and what tells a question from any other."""

DIGITS = 9


class Request(TypedDict):
    """What an interrupt shows, as plain JSON: the changes that wait for a person, and how to answer.

    `id` is this question's: another one, also about an edited prompt, has another. `problem` says what was wrong with
    the last answer, `problems` the same by task; `stopped` that the last answer was to stop. `action_requests` and
    `review_configs` show the changes as LangChain's human-in-the-loop middleware would.
    """

    id: str
    run: str
    round: int
    level: Level
    changes: list[Change]
    choices: list[str]
    how: str
    problem: str | None
    problems: dict[str, str]
    stopped: bool
    action_requests: list[ActionRequest]
    review_configs: list[ReviewConfig]


def request_about(run: str, state: State, changes: list[Change]) -> Request:
    """The question that a run asks about some changes."""
    level: Level = "user" if changes[0]["task"] else "system"
    return {
        # What a person has edited in the round so far is among its candidates.
        "id": _id(run, state["round"], level, len(state.get("candidates", [])), [seen(change) for change in changes]),
        "run": run, "round": state["round"], "level": level, "changes": changes,
        "choices": ["accept", "reject", "edit", "stop"], "how": HOW, "problem": None, "problems": {}, "stopped": False,
        "action_requests": action_requests(changes), "review_configs": review_configs(changes),
    }  # fmt: skip


def seen(change: Change) -> dict[str, Any]:
    """What of a change goes on record: the prompts, and their scores with intervals."""
    return {"task": change["task"], **{name: change[name] for name in SEEN}}  # type: ignore[literal-required]


def _id(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(_rounded(parts), sort_keys=True).encode()).hexdigest()[:16]


def _rounded(value: Any) -> Any:
    """Without the last digits, in which two machines may differ."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    return round(value, DIGITS) if isinstance(value, float) else value


WAITS, STOPPED = "waiting for a person to approve", "a person stopped it before approving"
"""How the reason begins of a run that a person has to go on with."""


def waiting_for(request: Request) -> str:
    """A request in one line."""
    return f"{STOPPED if request['stopped'] else WAITS} {what_waits(request)}"


def asks_a_person(reason: str | None) -> bool:
    """Whether that is why a run does not go on."""
    return (reason or "").startswith((WAITS, STOPPED))


def what_waits(request: Request) -> str:
    """What a request is about, in a few words."""
    tasks = ", ".join(change["task"] for change in request["changes"])
    what = "the system prompt" if request["level"] == "system" else f"the user prompts of {tasks}"
    return f"{what} of round {request['round']}"


def not_asked(named: str, request: Request, answered: Sequence[str] = ()) -> str:
    """Why an answer to another question is refused, with who has answered that one, and what is asked now."""
    known = f", which {' and '.join(answered)} answered," if answered else ""
    return (
        f"this answers question {named}{known} and not what is asked now: question {request['id']}, {what_waits(request)}; "
        "look at that one and answer it"
    )
