"""What a candidate is held against beside the rules of its level: its seed, the training examples, what was tried before."""

from collections.abc import Sequence
from dataclasses import replace

from ..domain.prompts import QUESTION
from ..tasks.demonstrations import apart
from ..tasks.task import Task
from ..workspace.generalization import Generalization
from ..workspace.problem import Problem
from ..workspace.resources import Workspace
from ..workspace.search import SearchWorkspace
from ..workspace.state import Job
from .attempts import earlier
from .checks import about_placeholders, cut_off, placeholders, same_as, strays, training
from .failures import own_method
from .proposal import Rules, system_rules, user_rules


async def candidate_rules(workspace: SearchWorkspace, job: Job, parent: str | None) -> Rules:
    """The rules of a job's candidate: those of its level, and `checks`. `parent` is the prompt that it was made from, by id."""
    before = await workspace.prompt_texts(parent) if parent else []
    rules = _rules(workspace, job["task"], before)
    if not own_method(workspace).strict:
        return rules
    rows = await earlier(workspace, job)
    tried = await workspace.prompt_texts(*dict.fromkeys(row.prompt or "" for row in rows))
    return _strict(rules, before, _seeds(workspace, job["task"]), tried)


def induction_rules(workspace: Workspace, task: Task) -> Rules:
    """The rules of a user prompt that is made from labelled examples alone, in a run of whichever kind."""
    return _rules(workspace, task.name, [])


def _rules(workspace: Workspace, task: str, before: Sequence[str]) -> Rules:
    """The rules of a level with the checks that every candidate has to pass; `before` is its parent, if it has one."""
    problem, seeds = workspace.problem, _seeds(workspace, task)
    allowed: frozenset[str] | None = None
    kept = frozenset.intersection(*map(placeholders, seeds))
    if task:
        kept -= {QUESTION}
        rules = user_rules(workspace.tasks[task], problem.user_length if isinstance(problem, Problem) else None)
        if before and rules.room is not None:
            # The parent's demonstrations stay, and what is written has the rest.
            rules = replace(rules, room=max(1, rules.room - len(apart(workspace.tasks[task], before[0])[1])))
    else:
        assert isinstance(workspace, SearchWorkspace)
        rules, allowed = system_rules(workspace), frozenset().union(*map(placeholders, [*seeds, *before]))
    index = training(workspace.sources.values(), [seed for name in ["", *workspace.tasks] for seed in _seeds(workspace, name)])

    def complaint(prompt: str) -> str | None:
        own = rules.own(prompt)
        return rules.complaint(prompt) or about_placeholders(own, kept, allowed) or index.complaint(own)

    return replace(rules, complaint=complaint, placeholders=kept)


def _strict(rules: Rules, before: Sequence[str], seeds: Sequence[str], tried: Sequence[str]) -> Rules:
    """Rules with the checks of a strict method beside. Texts that were `tried` before are those of earlier rounds."""
    ends = tuple(part.rstrip() for part in rules.locks.parts)

    def complaint(prompt: str) -> str | None:
        wrong = rules.complaint(prompt) or same_as(prompt, [*before, *seeds, *tried])
        wrong = wrong or strays(rules.own(prompt), [*before, *seeds, *rules.locks.parts])
        if wrong or rules.level == "user" or not before or (ends and prompt.rstrip().endswith(ends)):
            return wrong
        return cut_off(prompt, before[0])

    return replace(rules, complaint=complaint, again=True)


def _seeds(workspace: Workspace, task: str) -> list[str]:
    """The prompts that a person gave to begin with: the task's, or the system prompts."""
    if task:
        spec = workspace.tasks[task].spec
        return [spec.user_prompt, *spec.user_prompts]
    problem = workspace.problem
    if isinstance(problem, Problem):
        return [problem.first_system_prompt, *problem.system_prompts]
    return [prompt.text for prompt in problem.system_prompts] if isinstance(problem, Generalization) else []
