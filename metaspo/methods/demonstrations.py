"""Demonstrations: user prompts that carry solved training examples, put together without the optimizer."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from random import Random

from ..domain.results import Example
from ..tasks.demonstrations import apart, block, carried, carrying, demonstration
from ..tasks.task import Task
from ..workspace.method import Proposal, Proposer, none_asked
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .failures import LONGEST, candidate_random, differing, on_train


async def demonstrated(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The parent user prompt with other demonstrations, half of them of what the job's pair gets wrong."""
    if not job["task"]:
        return Proposal(job["system"], reason="demonstrations belong to user prompts")
    task, parent = workspace.tasks[job["task"]], job["users"][job["task"]]
    # What a prompt carries cannot be judged, so at least half of the train examples are left to judge it by.
    size = min(workspace.settings.demonstrations, len(task.splits["train"]) // 2)
    if size < 1:
        return Proposal(parent, reason="there are no demonstrations to carry; set demonstrations to 1 or more")
    [text] = await workspace.prompt_texts(parent)
    failed = {outcome.example for outcome in (await on_train(workspace, job, task.name)).failures}
    chosen = choose(task, failed, carried(task, text), (size, candidate_random(workspace, job)))
    instructions, _ = apart(task, text)
    longest = workspace.problem.user_length
    for count in range(len(chosen), 0, -1):
        prompt = carrying(instructions, block(task, chosen[:count]))
        if not longest or len(prompt) <= longest:
            return Proposal(parent, prompt=prompt)
    return Proposal(parent, reason="no training example fits into a user prompt as a demonstration")


def choose(task: Task, failed: set[str], taken: frozenset[str], draw: tuple[int, Random]) -> list[Example]:
    """So many train examples that are no demonstrations yet (`taken` are), half of them out of the `failed` ones.

    They differ in answer and question. Where one half has too few, the other gives more. `draw` is how many and the
    generator that chooses.
    """
    size, random = draw
    fresh = [example for example in task.splits["train"] if example.id not in taken]
    wrong = [example for example in fresh if example.id in failed]
    right = [example for example in fresh if example.id not in failed]
    chosen = list(islice(_usable(task, differing(wrong, random)), (size + 1) // 2))
    chosen += islice(_usable(task, differing(right, random, chosen)), size - len(chosen))
    others = [example for example in wrong if example not in chosen]
    chosen += islice(_usable(task, differing(others, random, chosen)), size - len(chosen))
    return random.sample(chosen, len(chosen))


def _usable(task: Task, examples: Iterator[Example]) -> Iterator[Example]:
    return (example for example in examples if len(example.question) <= LONGEST and demonstration(task, example))


def rewriting(task: Task, user_prompt: str) -> tuple[str, partial[str]]:
    """The part of a user prompt that an optimizer rewrites, and what makes its text whole: the demonstrations, put back."""
    instructions, kept = apart(task, user_prompt)
    return instructions, partial(_whole, task, kept)


def _whole(task: Task, block: str, written: str) -> str:
    # Completed first: the answer format belongs to the instructions, also where a demonstration happens to hold it.
    return carrying(task.complete(written.strip()), block) if block else written.strip()


DEMONSTRATED = Proposer("demonstrated", demonstrated, requests=none_asked)
