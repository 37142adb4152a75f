"""Induction: prompts from labelled examples instead of from failures (APE; the paper's ablation and its unseen setting)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from random import Random

from ..domain.errors import TaskError
from ..domain.prompts import Prompt
from ..domain.results import Example
from ..prompts.renderer import NONE, fenced, template
from ..tasks.task import Task
from ..workspace.method import Proposal, Proposer
from ..workspace.resources import Workspace
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .failures import candidate_random, own_method, shown_question
from .proposal import ask_for_prompt
from .rules import induction_rules

USER_PAIRS, SYSTEM_PAIRS = 10, 5
"""Labelled examples that a user prompt is induced from, and of each task that a system prompt is (paper, section 4)."""


async def induce_user_prompt(workspace: Workspace, task: Task, sample: str, pairs: int = USER_PAIRS) -> Prompt | None:
    """A user prompt for a task that the optimizer induces from `pairs` of its train examples.

    `sample` tells one prompt of a task from its next: it seeds the draw of the examples and the
    optimizer's. The prompt holds `{question}` once and the task's answer format; None when no
    attempt did. Raises TaskError for a task without train examples.
    """
    random = Random(f"{workspace.problem.seed}/induction/{task.name}/{sample}")
    text = user_request(task, random, pairs, own=workspace.problem.optimizer_prompts)
    rules = induction_rules(workspace, task)
    made, _ = await ask_for_prompt(workspace, Proposal(None, text), f"{task.name}, {sample}, induction", rules)
    return made


def user_request(
    task: Task, random: Random, pairs: int = USER_PAIRS, *, tails: bool = False, own: Mapping[str, str] = NONE
) -> str:
    """The request for a user prompt from `pairs` labelled train examples of its task, shown with their `tails` or cut."""
    shown = shown_pairs(draw_pairs(task, pairs, random), tails)
    return template("induce_user", own).render(examples=shown, answer_format=task.format_asked)


def system_request(
    tasks: Iterable[Task], random: Random, pairs: int = SYSTEM_PAIRS, *, tails: bool = False, own: Mapping[str, str] = NONE
) -> str:
    """The request for a system prompt from `pairs` labelled train examples of each task, shuffled together."""
    tasks = list(tasks)
    # Those without gold answers have nothing to show, unless no task has any.
    labelled = [task for task in tasks if any(example.answers for example in task.splits["train"])] or tasks
    drawn = [example for task in labelled for example in draw_pairs(task, pairs, random)]
    random.shuffle(drawn)
    return template("induce_system", own).render(examples=shown_pairs(drawn, tails))


def draw_pairs(task: Task, size: int, random: Random) -> list[Example]:
    """Up to `size` labelled examples, of train only: what is scored on other splits must not be shown."""
    train = task.splits["train"]
    if not train:
        raise TaskError(f"task '{task.name}' has no train examples to induce a prompt from; open it as a source task")
    labelled = [example for example in train if example.answers]
    if not labelled:
        raise TaskError(
            f"task '{task.name}' has no gold answers to induce a prompt from; give its examples answers, or take a method that "
            "learns from failures"
        )
    return random.sample(labelled, min(size, len(labelled)))


def shown_pairs(examples: Sequence[Example], tails: bool = False) -> str:
    """Labelled examples as fenced text for the optimizer, one JSON object a line."""
    lines = [{"input": shown_question(example, tails), "output": example.answer} for example in examples]
    return fenced("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))


async def induced(workspace: SearchWorkspace, job: Job) -> Proposal:
    """The request for a prompt from labelled train examples, of the task or of every source task."""
    own = workspace.problem.optimizer_prompts
    random, tails = candidate_random(workspace, job), own_method(workspace).shown.tails
    if job["task"]:
        return Proposal(None, user_request(workspace.tasks[job["task"]], random, tails=tails, own=own))
    return Proposal(None, system_request(workspace.sources.values(), random, tails=tails, own=own))


INDUCED = Proposer(
    "induced", induced, pairs=lambda sizes, level: USER_PAIRS if level == "user" else SYSTEM_PAIRS, labelled=True
)
