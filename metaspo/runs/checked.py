"""A task checked before a run pays for it: what is wrong with it, and what may be, for a preset and a base model."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..domain.calls import estimated_tokens
from ..domain.errors import ConfigError, ModelError, TaskError
from ..domain.excerpts import excerpt
from ..domain.results import Split
from ..methods import builtin as builtin  # registers the method whose sizes count
from ..models.addresses import check_key
from ..models.scripted import Scripted
from ..models.spec import ModelSpec
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..tasks.catalogue import builtin_tasks, read_task
from ..tasks.cautions import cautions
from ..tasks.examples import Pools, load_pools
from ..tasks.inspection import described
from ..tasks.spec import TaskSpec
from ..tasks.splits import Sizes, draw
from ..tasks.task import Task
from ..workspace.context import Context
from ..workspace.problem import Problem

CONTEXT = 2048
"""Tokens that a local model takes where its spec says nothing; as in metaspo/models/local.py, which loads its engine."""

MUCH = 8000
"""Tokens of a request and its reply from which on they are told where nobody says how many the base model takes."""

FEW = 30
"""Test examples below which hardly any difference can be told from chance."""


def check_task(source: str, preset: str | None = None, base: str | None = None) -> dict[str, Any]:
    """Load everything that a task names, and say what it holds and, under "warnings", what to look at before a run pays for it.

    `preset` are the sizes that there should be examples for, those of a run on the task if none; `base` is the model that
    its requests should fit. Raises UserError for what would stop a run: no model is asked, and nothing sent.
    """
    spec = read_task(source, Path())
    left_out = Counter[str]()
    pools = load_pools(spec, left_out=left_out)
    task = Task(spec, {})
    task.load()
    judge = _judge(spec)
    model = Context.model_validate({"base": base}).base_models[0] if base else None
    preset = preset or ("quick" if source in builtin_tasks() else "paper")
    found = [*_rows(spec, pools, preset), *cautions(task, pools), *_length(spec, pools, model)]
    found += [said for one in (judge, model) if one is not None and (said := _without_key(one))]
    return {**described(spec, pools, left_out), "warnings": found}


def _judge(spec: TaskSpec) -> ModelSpec | None:
    """The model that a task names as its judge; raises ConfigError where it is none."""
    if spec.metric.kind != "judge" or not spec.metric.model:
        return None
    try:
        found = ModelSpec.parse(spec.metric.model)
        if found.provider == "scripted":
            Scripted(found)
    except ModelError as error:
        raise ConfigError(f"task '{spec.name}': metric.model: {error}") from None
    return found


def _without_key(spec: ModelSpec) -> str | None:
    try:
        check_key(spec)
    except ModelError as error:
        return str(error)
    return None


def _rows(spec: TaskSpec, pools: Pools, preset: str) -> Iterator[str]:
    """Fewer rows than the preset's sizes ask for, as a run would deal them."""
    sizes = Problem.model_validate({"tasks": ["-"], "preset": preset}).settings()
    wanted: dict[Split, int] = {"train": sizes.train_size, "validation": sizes.validation_size}
    there = Sizes(10**9 if pools.keys() & {"", "train"} else 0, 10**9, 10**9, frozenset(wanted))
    target = spec.role == "target"
    try:
        dealt = draw(spec.name, pools, there, 0, target=target and "" in pools)
    except TaskError as error:
        yield f"too few rows: {error}"
        return
    learning = len(dealt["train"]) + len(dealt["validation"])
    if not target and (learning < sum(wanted.values()) or not dealt["train"] or not dealt["validation"]):
        wants = ", ".join(f"{size} for {split}" for split, size in wanted.items())
        has = ", ".join(f"{len(dealt[split])} for {split}" for split in ("train", "validation", "test"))
        yield (
            f"too few rows for preset {preset}, which wants {wants} and tests at most {sizes.test_size}: there are {has}; add "
            f"rows, or take {'another preset with --preset' if preset == 'quick' else '--preset quick'} or smaller sizes"
        )
    if len(dealt["test"]) < FEW:
        yield f"{_count(len(dealt['test']))} for the test: hardly any gain can be told from chance on fewer than {FEW}"


def _count(number: int) -> str:
    return "no example is left" if not number else "1 example is left" if number == 1 else f"{number} examples are left"


def _length(spec: TaskSpec, pools: Pools, model: ModelSpec | None) -> Iterator[str]:
    """Requests that with their replies are more than the base model takes."""
    reply = spec.max_tokens or (model.longest("base") if model else 0)
    context = model and (model.context or (CONTEXT if model.provider == "local" else None))
    around = estimated_tokens(DEFAULT_SYSTEM_PROMPT, spec.user_prompt) + reply
    every = [(split, at, example) for split, pool in pools.items() for at, example in enumerate(pool, 1)]
    sizes = [around + estimated_tokens(example.question) for _, _, example in every]
    if max(sizes) <= (context or MUCH):
        return
    over = sum(size > (context or MUCH) for size in sizes)
    split, at, example = every[sizes.index(max(sizes))]
    room = f"{model.label} takes {context:,}: set its context" if model and context else "see that the base model takes as many"
    yield (
        f"{over} {'prompt is' if over == 1 else 'prompts are'} long: {split or 'row'} {at} ({excerpt(example.question, 40)!r}) "
        f"comes to about {max(sizes):,} tokens{f' with a reply of {reply:,}' if reply else ''}, and {room}, "
        "or shorten the question"
    )
