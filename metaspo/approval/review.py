"""Approval: a person accepts, rejects or edits new prompts before they count.

`select` decides as ever and then asks here. LangGraph runs a node again from its start when it gets an
answer, so nothing before an interrupt changes more than the run's status. An edited prompt is a
candidate like any other: the same round scores it with the pairs that every candidate has to prove
itself with, and `select` asks again with its numbers. The round closes when nothing is left to ask.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from langgraph.config import get_config

from ..compat import is_checkpointed
from ..domain.errors import ConfigError
from ..domain.prompts import Level, Prompt
from ..methods.selection import REJECTED
from ..store.answers import forget
from ..workspace.search import SearchWorkspace
from ..workspace.state import Candidate, Incumbent, Kept, State
from .asking import ask
from .comparison import Change, compared

LEVELS: Mapping[str, tuple[Level, ...]] = {"none": (), "user": ("user",), "system": ("system",), "both": ("user", "system")}
"""The levels that a person is asked about, by the setting `approve`."""

DECIDED = ("accept", "reject")
"""Answers that need no further work; an edited prompt has to be scored first."""


EDITED = "edited by a person"
"""The reason of a candidate that a person wrote."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands after a person was asked. With `edits`, nothing is decided yet: they have to be scored first."""

    incumbent: Incumbent
    kept: dict[str, list[Kept]]
    candidates: list[Candidate]
    edits: list[Candidate] = field(default_factory=list)
    review: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _New:
    """A prompt that would newly count, first of those of its task, and the further ones."""

    task: str
    before: str
    id: str
    text: str
    also: tuple[Kept, ...] = ()


def needs_checkpointer(workspace: SearchWorkspace) -> None:
    """Raise ConfigError where a person is to be asked and nothing would keep the run while it waits."""
    if workspace.context.approve != "none" and not is_checkpointed(get_config()["configurable"]):
        raise ConfigError(
            f"approve: {workspace.context.approve} needs a checkpointer, which keeps the run while it waits: "
            "build_graph(checkpointer), a parent graph with one, the Agent Server, or 'metaspo optimize'"
        )


def edited(workspace: SearchWorkspace, state: State) -> dict[str, Candidate]:
    """The prompts that a person wrote in the round at work, by task; they take the place of what scores would choose."""
    if state.get("level", "seed") not in LEVELS[workspace.context.approve]:
        return {}
    made = {(candidate["task"], candidate["id"]): candidate for candidate in state.get("candidates", [])}
    return {task: made[task, said] for task, said in state.get("review", {}).items() if said not in DECIDED}


async def review(workspace: SearchWorkspace, state: State, incumbent: Incumbent, kept: dict[str, list[Kept]]) -> Verdict:
    """Have a person decide about what is new in `incumbent` and `kept`, where that is asked for."""
    candidates = list(state.get("candidates", []))
    asks = state.get("level", "seed") in LEVELS[workspace.context.approve]
    new = _would_count(state, incumbent, kept, edited(workspace, state)) if asks else []
    if not new:
        await workspace.store.run(forget, workspace.run, state.get("round", workspace.first_round))
        return Verdict(incumbent, kept, candidates)
    told = {task: said for task, said in state.get("review", {}).items() if said in DECIDED}
    waiting = [one for one in new if one.task not in told]
    if waiting:
        changes = [await _change(workspace, state, kept, one) for one in waiting]
        answers = await ask(workspace, state, changes)
        told |= {task: answer.decision for task, answer in answers.items()}
        edits = [_edit(state, one, text) for one in waiting if (text := answers[one.task].text)]
        if edits:
            await workspace.save_prompts(*(Prompt(_level(edit["task"]), edit["text"] or "") for edit in edits))
            told |= {edit["task"]: edit["id"] or "" for edit in edits}
            return Verdict(incumbent, kept, candidates, edits, told)
    refused = [one for one in new if told[one.task] == "reject"]
    gone = {(one.task, id) for one in refused for id in (one.id, *(other["id"] for other in one.also))}
    for candidate in candidates:
        if (candidate["task"], candidate["id"]) in gone:
            candidates[candidates.index(candidate)] = {**candidate, "reason": REJECTED}
    if any(not one.task for one in refused):
        return Verdict(state["incumbent"], state["kept"], candidates)
    return Verdict(incumbent, kept | {one.task: state["kept"][one.task] for one in refused}, candidates)


def _level(task: str) -> Level:
    return "user" if task else "system"


def _would_count(state: State, incumbent: Incumbent, kept: Mapping[str, Sequence[Kept]], edits: Container[str]) -> list[_New]:
    """What would newly count: a new incumbent, or by task the user prompts that were not kept before or that are edited."""
    before = state["incumbent"]
    if incumbent["id"] != before["id"]:
        return [_New("", before["text"], incumbent["id"], incumbent["text"])]
    found = []
    for task, prompts in kept.items():
        old = {prompt["id"] for prompt in state["kept"][task]}
        new = list(prompts[:1]) if task in edits else [prompt for prompt in prompts if prompt["id"] not in old]
        if new:
            found.append(_New(task, state["kept"][task][0]["text"], new[0]["id"], new[0]["text"], tuple(new[1:])))
    return found


async def _change(workspace: SearchWorkspace, state: State, kept: Mapping[str, Sequence[Kept]], one: _New) -> Change:
    system, task = state["incumbent"]["text"], one.task
    if task:
        pairs = {task: [((system, one.before), (system, one.text))]}
    else:
        # In the order of the new scores, so that the examples shown are of each task's best pair.
        pairs = {
            name: [((system, prompt["text"]), (one.text, prompt["text"])) for prompt in prompts]
            for name, prompts in kept.items()
        }
    found = await compared(workspace, one.before, one.text, pairs)
    best = not task or kept[task][0]["id"] == one.id
    mine = task in edited(workspace, state)
    return {**found, "task": task, "best": best, "edited": mine, "also": [prompt["text"] for prompt in one.also]}


def _edit(state: State, one: _New, text: str) -> Candidate:
    position = sum(candidate["task"] == one.task for candidate in state.get("candidates", []))
    return {
        "task": one.task, "position": position, "parent": one.id,
        "id": Prompt(_level(one.task), text).id, "text": text, "reason": EDITED,
    }  # fmt: skip
