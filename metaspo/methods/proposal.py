"""From a proposal to a candidate: ask, check, ask again a bounded number of times, then drop."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..domain.calls import Constraint
from ..domain.locks import Locks, place
from ..domain.prompts import QUESTION, Level, Prompt
from ..domain.thoughts import without_thoughts
from ..prompts.renderer import fenced
from ..tasks.demonstrations import apart
from ..tasks.task import Task
from ..workspace.events import emit, spent
from ..workspace.method import Proposal
from ..workspace.resources import Workspace
from ..workspace.search import SearchWorkspace
from ..workspace.state import Candidate, Job
from .failures import sample_name

TAG = re.compile(r"<prompt>(.*?)</prompt>", re.DOTALL | re.IGNORECASE)
OPENING = re.compile(r"<prompt>", re.IGNORECASE)
NO_LOCKS = Locks()


@dataclass(frozen=True, slots=True)
class Rules:
    """What every prompt of a level must be.

    `complete` adds what all of them hold, `complaint` says what is wrong with one, or None. What is
    locked in the system prompt is checked beside that, for every way to propose one. `own` is the part
    of a prompt that the optimizer writes. It is told which `placeholders` that holds and how much `room`
    there is, in characters; and with `again` also what was wrong with its last attempt.
    """

    level: Level
    complete: Callable[[str], str] = str.strip
    complaint: Callable[[str], str | None] = lambda prompt: None
    locks: Locks = NO_LOCKS
    own: Callable[[str], str] = str
    placeholders: frozenset[str] = frozenset()
    room: int | None = None
    again: bool = False


def system_rules(workspace: SearchWorkspace) -> Rules:
    """The rules of system prompts in a search, whoever writes them."""
    locks = workspace.problem.locks
    return Rules("system", locks=locks, room=locks.longest - locks.size if locks.longest else None)


def user_rules(task: Task, longest: int | None = None) -> Rules:
    """The rules of a task's user prompts, whoever writes them; `longest` is the most characters of a whole one."""

    def complaint(prompt: str) -> str | None:
        wrong = task.complaint(prompt)
        if wrong is None and longest and len(prompt) > longest:
            return f"is {len(prompt)} characters long, more than {longest}"
        return wrong

    return Rules("user", task.complete, complaint, own=lambda prompt: apart(task, prompt)[0], room=longest)


async def propose(workspace: Workspace, job: Job, proposal: Proposal, rules: Rules) -> Candidate:
    """A checked candidate, or a dropped one with the last complaint as its reason."""
    made, reason = await _made(workspace, job, proposal, rules)
    await emit(
        workspace,
        {
            "event": "proposed", "round": job["round"], "level": job["level"], "task": job["task"],
            "position": job["position"], "dropped": reason, "spent": spent(workspace),
        },
    )  # fmt: skip
    return {
        "task": job["task"], "position": job["position"], "parent": proposal.parent,
        "id": made.id if made else None, "text": made.text if made else None, "reason": reason,
        "failures": list(job.get("failures", [])),
    }  # fmt: skip


async def _made(workspace: Workspace, job: Job, proposal: Proposal, rules: Rules) -> tuple[Prompt | None, str | None]:
    if proposal.request is not None:
        return await ask_for_prompt(workspace, proposal, sample_name(job, "proposal"), rules)
    if proposal.prompt is None:
        return None, proposal.reason
    return await _checked(workspace, rules.complete(proposal.finish(proposal.prompt)), rules)


async def _checked(workspace: Workspace, text: str, rules: Rules) -> tuple[Prompt | None, str | None]:
    """The prompt that a text is, kept from now on, and None; or None and what is wrong with it."""
    written = len(rules.own(text)) - rules.locks.size
    wrong = rules.locks.complaint(text) or rules.complaint(text) or _too_long(written, workspace.settings.prompt_length)
    if wrong is not None:
        return None, wrong
    made = Prompt(rules.level, text)
    await workspace.save_prompts(made)
    return made, None


async def ask_for_prompt(
    workspace: Workspace, proposal: Proposal, sample: str, rules: Rules
) -> tuple[Prompt | None, str | None]:
    """The prompt that the optimizer writes on request and None, or None and the last complaint.

    Asked a bounded number of times; each attempt is a draw of its own, named after `sample`.
    """
    reason: str | None = None
    # Who writes a component only is told of no locked part of the whole.
    told = replace(rules, locks=NO_LOCKS, placeholders=frozenset(), room=None) if proposal.partial else rules
    request = "\n\n".join([proposal.request or "", *_demands(workspace, told)])
    constraint = _constraint(workspace.settings.prompt_length, told)
    for attempt in range(workspace.settings.proposal_attempts):
        asked = f"{request}\n\n{workspace.template('again').render(complaint=reason)}" if reason and rules.again else request
        _, reply = await workspace.ask_optimizer(asked, f"{sample} {attempt}", constraint)
        written = proposed(reply.text)
        if written is None:
            ended = f"{reply.finish}: {reply.error}" if reply.error else reply.finish
            reason = f"no prompt between <prompt> and </prompt> (reply ended: {ended})"
            continue
        made, reason = await _checked(workspace, told.locks.shown(rules.complete(proposal.finish(written))), rules)
        if made is not None:
            return made, None
    return None, reason


def proposed(reply: str) -> str | None:
    """The prompt in an optimizer's reply, thoughts aside: what stands in its last complete <prompt> tag, or None."""
    found = TAG.findall(without_thoughts(reply))
    if not found:
        return None
    # A model that opens the tag twice means the second one.
    return OPENING.split(found[-1])[-1].strip() or None


def _demands(workspace: Workspace, rules: Rules) -> list[str]:
    """What the optimizer is told of what a prompt must hold and may measure, where there is something to tell."""
    told, locks = [], rules.locks
    if locks.parts:
        named = [(place(number), part) for number, part in enumerate(locks.parts, 1)]
        parts = "\n".join(f"{mark}:\n{fenced(part)}" for mark, part in named)
        told.append(workspace.template("locked").render(parts=parts, places=", ".join(mark for mark, _ in named)))
    if rules.placeholders:
        told.append(workspace.template("placeholders").render(names=" ".join(sorted(rules.placeholders))))
    if rules.room is not None:
        told.append(workspace.template("longest").render(characters=str(rules.room)))
    return told


def _too_long(written: int, longest: int) -> str | None:
    # The limit is for what the optimizer writes; a task's own answer format may come on top.
    return f"longer than {longest} characters" if longest and written > 2 * longest else None


def _constraint(longest: int, rules: Rules) -> Constraint | None:
    """The form of a proposal, for backends that can hold a small model to it; without a length it is left free."""
    if not longest:
        return None
    parts, end = rules.locks.parts, f"\\n\\n{QUESTION}" if rules.level == "user" else ""
    if rules.room is not None:
        longest = max(20, min(longest, rules.room - len(end)))
    free = r"[^<>{}\[\]]" if parts else "[^<>{}]"
    if rules.placeholders:
        named = [f'"{name}"' for name in sorted(rules.placeholders)]
        free = f"({' | '.join([free, *named])})"
    if parts:
        # The places are spelled out, so that even a model that would lose them keeps them.
        size = max(20, longest // (len(parts) + 1))
        kept = " ".join(f'" {place(number)}" {free}{{0,{size}}}' for number in range(1, len(parts) + 1))
        return Constraint(f'root ::= "<prompt>" [A-Z] {free}{{20,{size}}} {kept} "</prompt>"')
    return Constraint(f'root ::= "<prompt>" [A-Z] {free}{{20,{longest}}} "{end}</prompt>"')
