"""From a draft to a candidate: ask, check, ask again a bounded number of times, then drop."""

import re
from collections.abc import Callable

from ..domain.calls import Constraint
from ..domain.locks import Locks, place
from ..domain.prompts import QUESTION, Level, Prompt
from ..prompts.renderer import fenced, template
from ..workspace.events import emit, spent
from ..workspace.method import Draft
from ..workspace.opening import Workspace
from ..workspace.state import Candidate, Job
from .failures import sample_name

TAG = re.compile(r"<prompt>(.*?)</prompt>", re.DOTALL | re.IGNORECASE)
NO_LOCKS = Locks()
OPENING = re.compile(r"<prompt>", re.IGNORECASE)


async def propose(
    workspace: Workspace, job: Job, draft: Draft, level: Level, complete: Callable[[str], str],
    complaint: Callable[[str], str | None],
) -> Candidate:  # fmt: skip
    """A checked candidate, or a dropped one with the last complaint as its reason.

    `complete` adds what every prompt of this kind holds; `complaint` says what is wrong with one. What is
    locked in the system prompt is checked here, for every way to propose one.
    """
    made: Prompt | None = None
    reason = draft.reason

    def whole(prompt: str) -> str:
        return complete(draft.finish(prompt))

    if draft.prompt is not None:
        text = whole(draft.prompt)
        reason = _complaint(workspace, locks_of(workspace, level), text, complaint)
        if reason is None:
            made = Prompt(level, text)
            await workspace.save_prompts(made)
    elif draft.request is not None:
        # Who writes a component only is told of no locked part of the whole.
        told = Locks() if draft.partial else locks_of(workspace, level)
        made, reason = await ask_for_prompt(
            workspace, draft.request, sample_name(job, "proposal"), level, whole, complaint, told
        )
    emit(
        {
            "event": "proposed", "round": job["round"], "level": job["level"], "task": job["task"],
            "position": job["position"], "dropped": reason, "spent": spent(workspace),
        }
    )  # fmt: skip
    return {
        "task": job["task"], "position": job["position"], "parent": draft.parent,
        "id": made.id if made else None, "text": made.text if made else None, "reason": reason,
    }  # fmt: skip


async def ask_for_prompt(
    workspace: Workspace, text: str, sample: str, level: Level, complete: Callable[[str], str],
    complaint: Callable[[str], str | None], told: Locks = NO_LOCKS,
) -> tuple[Prompt | None, str | None]:  # fmt: skip
    """The prompt that the optimizer writes on request and None, or None and the last complaint.

    Asked a bounded number of times; each attempt is a draw of its own, named after `sample`. `told` is
    what the optimizer is told to keep.
    """
    reason: str | None = None
    request = "\n\n".join([text, *_demands(told)])
    constraint = _constraint(workspace.settings.prompt_length, level, told)
    for attempt in range(workspace.settings.proposal_attempts):
        _, reply = await workspace.ask_optimizer(request, f"{sample} {attempt}", constraint)
        prompt = proposed(reply.text)
        if prompt is None:
            reason = f"no prompt between <prompt> and </prompt> (reply ended: {reply.finish})"
            continue
        prompt = told.shown(complete(prompt))
        reason = _complaint(workspace, locks_of(workspace, level), prompt, complaint)
        if reason is None:
            made = Prompt(level, prompt)
            await workspace.save_prompts(made)
            return made, None
    return None, reason


def proposed(reply: str) -> str | None:
    """The prompt in an optimizer's reply: what stands in its last complete <prompt> tag, or None."""
    found = TAG.findall(reply)
    if not found:
        return None
    # A model that opens the tag twice means the second one.
    return OPENING.split(found[-1])[-1].strip() or None


def locks_of(workspace: Workspace, level: Level) -> Locks:
    """What every prompt of a level must keep."""
    return workspace.problem.locks if level == "system" else NO_LOCKS


def _complaint(workspace: Workspace, locks: Locks, prompt: str, complaint: Callable[[str], str | None]) -> str | None:
    written = len(prompt) - locks.size
    return locks.complaint(prompt) or complaint(prompt) or _too_long(written, workspace.settings.prompt_length)


def _demands(locks: Locks) -> list[str]:
    """What the optimizer is told about locked parts and the length of a prompt, where there is something to tell."""
    told = []
    if locks.parts:
        named = [(place(number), part) for number, part in enumerate(locks.parts, 1)]
        parts = "\n".join(f"{mark}:\n{fenced(part)}" for mark, part in named)
        told.append(template("locked").render(parts=parts, places=", ".join(mark for mark, _ in named)))
    if locks.longest:
        told.append(template("longest").render(characters=str(locks.longest - locks.size)))
    return told


def _too_long(written: int, longest: int) -> str | None:
    # The limit is for what the optimizer writes; a task's own answer format may come on top.
    return f"longer than {longest} characters" if longest and written > 2 * longest else None


def _constraint(longest: int, level: Level, locks: Locks) -> Constraint | None:
    """The form of a proposal, for backends that can hold a small model to it; without a length it is left free."""
    if not longest:
        return None
    if locks.longest:
        longest = max(20, min(longest, locks.longest - locks.size))
    if locks.parts:
        # The places are spelled out, so that even a model that would lose them keeps them.
        free, size = r"[^<>{}\[\]]", max(20, longest // (len(locks.parts) + 1))
        parts = " ".join(f'" {place(number)}" {free}{{0,{size}}}' for number in range(1, len(locks.parts) + 1))
        return Constraint(f'root ::= "<prompt>" [A-Z] {free}{{20,{size}}} {parts} "</prompt>"')
    end = f"\\n\\n{QUESTION}" if level == "user" else ""
    return Constraint(f'root ::= "<prompt>" [A-Z] [^<>{{}}]{{20,{longest}}} "{end}</prompt>"')
