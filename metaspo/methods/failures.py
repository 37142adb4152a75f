"""Failing examples: which ones a proposal is made from, and how the optimizer sees them."""

import json
from collections.abc import Mapping, Sequence
from random import Random

from ..prompts.renderer import fenced
from ..workspace.resources import Workspace
from ..workspace.scoring import score_pair
from ..workspace.state import Failure, Job

LONGEST = 2000
"""Characters of a question or a reply that the optimizer is shown."""


def draw(found: Mapping[str, Sequence[Failure]], size: int, random: Random) -> list[Failure]:
    """Up to `size` failures of every task, shuffled together (paper, section 3)."""
    drawn = [failure for failures in found.values() for failure in random.sample(failures, min(size, len(failures)))]
    random.shuffle(drawn)
    return drawn


async def failures_of(workspace: Workspace, job: Job) -> dict[str, list[Failure]]:
    """What each task's best user prompt gets wrong on train, under the job's system prompt."""
    [system] = await workspace.prompt_texts(job["system"])
    found: dict[str, list[Failure]] = {}
    for name, user in job["users"].items():
        [text] = await workspace.prompt_texts(user)
        evaluation = await score_pair(workspace, workspace.tasks[name], system, text, "train")
        found[name] = [{"task": name, "example": o.example, "call": o.call} for o in evaluation.failures]
    return found


async def shown(workspace: Workspace, failures: Sequence[Failure]) -> str:
    """Failing examples as text for the optimizer.

    One JSON object a line inside a fence: whatever an example holds, be it tags, placeholders or
    orders, stays within its own quoted string.
    """
    lines = []
    for failure in failures:
        example = workspace.tasks[failure["task"]].examples[failure["example"]]
        reply = await workspace.store.find_call(failure["call"])
        line = {
            "question": example.question[:LONGEST],
            "expected": example.answer,
            "reply": reply.text[:LONGEST] if reply else "",
        }
        lines.append(json.dumps(line, ensure_ascii=False))
    return fenced("\n".join(lines))


def candidate_random(workspace: Workspace, job: Job) -> Random:
    """The generator of a candidate's own choices, the same when a run is resumed."""
    return Random(f"{workspace.problem.seed}/{job['round']}/{job['level']}/{job['task']}/{job['position']}")


def sample_name(job: Job, purpose: str) -> str:
    """What tells one draw of the optimizer apart from all others of the run."""
    return f"round {job['round']}, {job['level']} {job['task'] or 'all'} {job['position']}, {purpose}"
