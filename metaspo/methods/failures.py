"""Failing examples: which ones a proposal is made from, and how the optimizer sees them."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from math import ceil
from random import Random

from ..domain.errors import ConfigError
from ..domain.results import Evaluation, Example
from ..domain.steps import in_words
from ..prompts.renderer import fenced
from ..tasks.scores.judge import reasons
from ..tasks.task import Task
from ..workspace.method import Method, find_method
from ..workspace.resources import Workspace
from ..workspace.scoring import score_pair
from ..workspace.state import Failure, Job

LONGEST = 2000
"""Characters of a question or a reply that the optimizer is shown."""

POOL = 50
"""Examples that are looked at for the one whose question differs most from those drawn."""

WORD = re.compile(r"\w+")


def own_method(workspace: Workspace) -> Method:
    """The method of a run; a run of another kind, such as a generalization, goes by the defaults of one."""
    try:
        return find_method(workspace.problem.method)
    except ConfigError:
        return Method(workspace.problem.method, "", lambda sizes: [])


async def drawn(workspace: Workspace, job: Job, meets: int) -> list[Failure]:
    """The failing examples that a job's candidate is written from, or has to mend one of: `meets` at most."""
    if not meets:
        return []
    sizes = workspace.settings
    found, random = await failures_of(workspace, job), candidate_random(workspace, job)
    most = sizes.most_failures
    if job["task"]:
        size = sizes.user_failures
    else:
        size = ceil(most / max(1, sum(map(bool, found.values())))) if most else sizes.system_failures
    differing = own_method(workspace).shown.differing
    chosen = draw_differing(workspace.tasks, found, size, random) if differing else draw(found, size, random)
    return chosen[: min(most, meets) if most else meets]


def draw(found: Mapping[str, Sequence[Failure]], size: int, random: Random) -> list[Failure]:
    """Up to `size` failures of every task, shuffled together (paper, section 3)."""
    drawn = [failure for failures in found.values() for failure in random.sample(failures, min(size, len(failures)))]
    random.shuffle(drawn)
    return drawn


def draw_differing(
    tasks: Mapping[str, Task], found: Mapping[str, Sequence[Failure]], size: int, random: Random
) -> list[Failure]:
    """Up to `size` failures of every task that differ by answer and question; tasks take turns."""
    by_example = {(one["task"], one["example"]): one for failures in found.values() for one in failures}
    orders = []
    for name in random.sample(list(found), len(found)):
        examples = [tasks[name].examples[failure["example"]] for failure in found[name]]
        orders.append([by_example[name, example.id] for example in islice(differing(examples, random), size)])
    return [failure for failure in chain.from_iterable(zip_longest(*orders)) if failure]


def differing(examples: Sequence[Example], random: Random, before: Sequence[Example] = ()) -> Iterator[Example]:
    """Examples in an order in which they differ: answers take turns, and of those due the most unlike question is next.

    `before` are examples to differ from as well. Chance settles what is alike. Each place is chosen out of
    `POOL` examples at most, so that a few are drawn quickly from however many there are.
    """
    left = {example.id: example for example in random.sample(examples, len(examples))}
    words: dict[str, frozenset[str]] = {}
    seen = [_words(example, words) for example in before]
    taken = Counter(example.answer.casefold() for example in before)

    def likeness(example: Example) -> float:
        own = _words(example, words)
        return max((len(own & other) / max(1, len(own | other)) for other in seen), default=0.0)

    while left:
        least = min(taken[example.answer.casefold()] for example in left.values())
        due = (example for example in left.values() if taken[example.answer.casefold()] == least)
        chosen = min(islice(due, POOL), key=likeness)
        yield left.pop(chosen.id)
        taken[chosen.answer.casefold()] += 1
        seen.append(_words(chosen, words))


def _words(example: Example, known: dict[str, frozenset[str]]) -> frozenset[str]:
    if example.id not in known:
        known[example.id] = frozenset(WORD.findall(example.question[:LONGEST].casefold()))
    return known[example.id]


async def failures_of(workspace: Workspace, job: Job) -> dict[str, list[Failure]]:
    """What each task's best user prompt gets wrong on train, under the job's system prompt."""
    # All at once: where other examples select, this asks the model, and one task would wait for the other.
    found = await asyncio.gather(*(on_train(workspace, job, name) for name in job["users"]))
    return {
        name: [{"task": name, "example": o.example, "call": o.call} for o in one.failures]
        for name, one in zip(job["users"], found, strict=True)
    }


async def on_train(workspace: Workspace, job: Job, task: str) -> Evaluation:
    """How the job's pair of prompts does on a task's train examples; it has been scored before, but for rare runs."""
    system, user = await workspace.prompt_texts(job["system"], job["users"][task])
    return await score_pair(workspace, workspace.tasks[task], system, user, "train")


async def shown(workspace: Workspace, job: Job, failures: Sequence[Failure]) -> str:
    """Failing examples as text for the optimizer.

    One JSON object a line inside a fence: whatever an example holds, be it tags, placeholders or
    orders, stays within its own quoted string.
    """
    how = own_method(workspace).shown
    said = await _explanations(workspace, job, failures) if how.explanations else {}
    lines = []
    for failure in failures:
        example = workspace.tasks[failure["task"]].examples[failure["example"]]
        reply = await workspace.store.find_call(failure["call"])
        line = {"question": shown_question(example, how.tails)}
        if example.answers:
            line["expected"] = example.answer
        if reply and reply.steps:
            line["steps"] = shortened(in_words(reply.steps), how.tails)
        line["reply"] = shortened(reply.text, how.tails) if reply else ""
        if why := reasons(said.get((failure["task"], failure["example"]), "")):
            line["explanation"] = shortened(why, how.tails)
        lines.append(json.dumps(line, ensure_ascii=False))
    return fenced("\n".join(lines))


async def _explanations(workspace: Workspace, job: Job, failures: Sequence[Failure]) -> dict[tuple[str, str], str]:
    """What a metric, a judge or a reader said about the failures, by task and example."""
    return {
        (name, outcome.example): outcome.explanation
        for name in dict.fromkeys(failure["task"] for failure in failures)
        for outcome in (await on_train(workspace, job, name)).failures
    }


def shortened(text: str, tails: bool) -> str:
    """As much of a text as the optimizer is shown: the head of a long one, or with `tails` its head and its tail."""
    if not tails or len(text) <= LONGEST:
        return text[:LONGEST]
    half = LONGEST // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters are left out here]\n{text[-half:]}"


def shown_question(example: Example, tails: bool) -> str:
    """A question as the optimizer is shown it; of a conversation the end as well, which is what was to be answered."""
    return shortened(example.question, tails or bool(example.messages))


def candidate_random(workspace: Workspace, job: Job) -> Random:
    """The generator of a candidate's own choices, the same when a run is resumed."""
    return Random(f"{workspace.problem.seed}/{job['round']}/{job['level']}/{job['task']}/{job['position']}")


def sample_name(job: Job, purpose: str) -> str:
    """What tells one draw of the optimizer apart from all others of the run."""
    return f"round {job['round']}, {job['level']} {job['task'] or 'all'} {job['position']}, {purpose}"
