"""Test-time adaptation: the system prompt frozen, user prompts searched on each task; scores by round and by share of data."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..domain.calls import Usage
from ..domain.errors import ConfigError, MetaspoError
from ..domain.twins import twin_of
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..reports.curve import Point, open_curve
from ..runs.config import RunConfig, located, nested
from ..runs.prompt_source import read_prompt
from ..store import calls
from ..store.database import default_store, open_store
from ..tasks.documents import check
from ..workspace.problem import ADAPT
from .batch import BatchListener, Planned, account_of, run_all, statuses

SHARES = (0.25, 0.5, 1.0)
"""Of the training examples that a search may use."""


Side = Literal["candidate", "baseline"]
"""The system prompt in question, and the one that it is compared with."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One search: which system prompt it is under, its training examples, and its scores by round."""

    side: Side
    train_size: int
    run: str
    points: list[Point]
    usage: Usage

    def means(self) -> list[tuple[int, float, float | None]]:
        """Round, mean selecting score and mean test score over tasks; a round that a task skipped counts its last."""
        last: dict[str, Point] = {}
        rows = []
        for round in sorted({point.round for point in self.points}):
            last |= {point.task: point for point in self.points if point.round == round}
            tests = [point.test for point in last.values()]
            known = [test for test in tests if test is not None]
            mean = sum(known) / len(known) if len(known) == len(tests) else None
            rows.append((round, sum(point.selecting for point in last.values()) / len(last), mean))
        return rows


@dataclass(frozen=True, slots=True)
class Adaptation:
    """All curves, most data first, the system prompt in question before the other one."""

    system_prompt: str
    against: str
    curves: list[Curve]
    store: str
    stopped: MetaspoError | None = None

    def reached(self) -> list[dict[str, Any]]:
        """When each curve of the candidate first does as well on test as the baseline ends with all of the data, if ever."""
        baseline = next((curve for curve in self.curves if curve.side == "baseline"), None)
        target = baseline.means()[-1][2] if baseline and baseline.points else None
        if target is None:
            return []
        return [
            {
                "train_size": curve.train_size,
                "rounds": next((round for round, _, test in curve.means() if test is not None and test >= target), None),
                "of": curve.points[-1].round if curve.points else 0,
                "score": target,
            }
            for curve in self.curves
            if curve.side == "candidate"
        ]


@dataclass(frozen=True, slots=True)
class AdaptationPlan:
    """The searches of an adaptation: side, training examples and run of each."""

    system_prompt: str
    against: str
    store: str
    config: RunConfig
    searches: list[tuple[Side, int, Planned]]


def plan_adaptation(
    prompt: str,
    settings: dict[str, Any],
    *,
    against: str | None = None,
    shares: Sequence[float] = SHARES,
    store: str | Path | None = None,
) -> AdaptationPlan:
    """The searches for a prompt's name, another one's to compare with, and settings on top.

    `prompt` and `against` are files or runs; `against` is the plain default if None. Models and tasks that
    are not set are those of the prompt's run. `shares` are in (0, 1]. Raises UserError.
    """
    if not shares or not all(0 < share <= 1 for share in shares):
        raise ConfigError(f"shares are numbers above 0 and up to 1, such as 0.25, 0.5, 1; not {list(shares)}")
    known = str(store or default_store())
    source = read_prompt(prompt, known)
    other = read_prompt(against, known).text if against is not None else DEFAULT_SYSTEM_PROMPT
    data = {**source.settings, "store": known, "method": ADAPT}
    data = located({**data, **nested(settings, data), "targets": []}, Path())
    config = check(RunConfig, data, ConfigError)
    whole = config.problem().settings().train_size
    sizes = sorted({max(1, round(share * whole)) for share in shares}, reverse=True)
    prompts: dict[Side, str] = {"candidate": source.text, "baseline": other}
    searches = [
        (side, size, Planned(f"{side} {size}", _problem(config, text, size), config.context()))
        for size in sizes
        for side, text in prompts.items()
    ]
    return AdaptationPlan(source.text, other, config.store, config, searches)


def _problem(config: RunConfig, system_prompt: str, train_size: int) -> Any:
    return config.problem().model_copy(update={"system_prompt": system_prompt, "train_size": train_size})


async def aadapt(plan: AdaptationPlan, *, parallel: int = 4, listener: BatchListener | None = None) -> Adaptation:
    """Run the searches that are not done yet; a second call with the same plan goes on where the first stopped."""
    planned = [search for _, _, search in plan.searches]
    runs = await asyncio.to_thread(lambda: [one.run for one in planned])
    account = await asyncio.to_thread(account_of, plan.store, runs, plan.config.budget)
    stopped = await run_all(planned, parallel, account, listener)
    return await asyncio.to_thread(open_adaptation, plan, stopped)


adapt = twin_of(aadapt)


def open_adaptation(plan: AdaptationPlan, stopped: MetaspoError | None = None) -> Adaptation:
    """The curves of the searches that are done."""
    curves = []
    known = statuses(plan.store)
    done = [(side, size, run) for side, size, search in plan.searches if known.get(run := search.run) == "done"]
    with open_store(plan.store, create=True) as store:
        usages = [calls.usage(store.db, run) for _, _, run in done]
    for (side, size, run), usage in zip(done, usages, strict=True):
        curves.append(Curve(side, size, run, open_curve(plan.store, run), usage))
    return Adaptation(plan.system_prompt, plan.against, curves, plan.store, stopped)
