"""Test-time adaptation: the system prompt frozen, user prompts searched on each task; scores by round and by share of data."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from sqlite_utils import Database

from ..domain.calls import Usage
from ..domain.errors import ConfigError, MetaspoError
from ..domain.results import Evaluation
from ..domain.significance import Change
from ..domain.twins import twin_of
from ..prompts.renderer import DEFAULT_SYSTEM_PROMPT
from ..reports.claims import claim
from ..reports.costs import cost_notes
from ..reports.curve import Point, open_curve
from ..reports.notebook.live import listening
from ..reports.notebook.shown import Shown
from ..reports.set_aside import SetAside, set_aside
from ..runs.config import RunConfig, located, nested
from ..runs.prompt_source import PromptSource, read_prompt
from ..store import calls, evaluations, prompts
from ..store.database import Store, default_store, open_store
from ..store.runs import save_adaptation, statuses
from ..tasks.documents import check
from ..tasks.scores.paired import Paired, mean_change, read_paired
from ..workspace.problem import ADAPT
from ..workspace.sizes import on_top
from .batch import BatchListener, Planned, account_of, run_all

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
class Search:
    """A search of an adaptation by its run, and how that stands; "not begun" before there is one."""

    side: Side
    train_size: int
    run: str
    status: str


@dataclass(frozen=True, slots=True, repr=False)
class Adaptation(Shown):
    """All curves, most data first, the system prompt in question before the other one.

    `ends` compares what each search of the candidate ended with to what the baseline ended with on all of the data, on
    the same test examples, by the candidate's number of training examples. `searches` are all of them, done or not.
    """

    drawn_in: ClassVar[str] = "studies"

    system_prompt: str
    against: str
    curves: list[Curve]
    store: str
    stopped: MetaspoError | None = None
    ends: dict[int, Change] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    cost_notes: list[str] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)

    @property
    def paid(self) -> Usage:
        """What the searches that are done have paid together."""
        together = Usage()
        for curve in self.curves:
            together.include(curve.usage)
        return together


@dataclass(frozen=True, slots=True, repr=False)
class AdaptationPlan(Shown):
    """The searches of an adaptation: side, training examples and run of each."""

    drawn_in: ClassVar[str] = "studies"

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
    told = read_prompt(against, known) if against is not None else PromptSource(DEFAULT_SYSTEM_PROMPT)
    other, made_by = told.text, [*source.made_by, *told.made_by]
    data = {**source.settings, "store": known, "method": ADAPT, "made_by": made_by}
    data = located({**on_top(data, nested(settings, data)), "targets": []}, Path())
    source.insist_on_tasks(data.get("tasks"))
    config = check(RunConfig, data, ConfigError)
    whole = config.problem().settings().train_size
    aside = whole + config.problem().settings().validation_size
    sizes = sorted({max(1, round(share * whole)) for share in shares}, reverse=True)
    texts: dict[Side, str] = {"candidate": source.text, "baseline": other}
    searches = [
        (side, size, Planned(f"{side} {size}", _problem(config, text, size, aside), config.context()))
        for size in sizes
        for side, text in texts.items()
    ]
    return AdaptationPlan(source.text, other, config.store, config, searches)


def _problem(config: RunConfig, system_prompt: str, train_size: int, aside: int) -> Any:
    # All of them leave aside as many examples as the largest, so that they test the same ones and train on nested ones.
    return config.problem().model_copy(update={"system_prompt": system_prompt, "train_size": train_size, "aside": aside})


async def aadapt(plan: AdaptationPlan, *, parallel: int = 4, listener: BatchListener | None = None) -> Adaptation:
    """Run the searches that are not done yet; a second call with the same plan goes on where the first stopped."""
    planned = [search for _, _, search in plan.searches]
    runs = await asyncio.to_thread(lambda: [one.run for one in planned])
    account = await asyncio.to_thread(account_of, plan.store, runs, plan.config.budget)
    with listening(listener) as told:
        stopped = await run_all(planned, parallel, account, told)
    await asyncio.to_thread(remember, plan)
    return await asyncio.to_thread(open_adaptation, plan, stopped)


adapt = twin_of(aadapt)


def remember(plan: AdaptationPlan) -> None:
    """Record with each search what it is part of, so that the adaptation is known by any of its runs."""
    searches = [(side, size, search.run) for side, size, search in plan.searches]
    told = {"system_prompt": plan.system_prompt, "against": plan.against, "searches": searches}
    with open_store(plan.store, create=True) as store:
        save_adaptation(store.db, [run for _, _, run in searches], told)


def open_adaptation(plan: AdaptationPlan, stopped: MetaspoError | None = None) -> Adaptation:
    """The curves of the searches that are done."""
    with open_store(plan.store, create=True) as store:
        searches = [(side, size, search.run) for side, size, search in plan.searches]
        return read_adaptation(store, (plan.system_prompt, plan.against), searches, stopped)


def read_adaptation(
    store: Store, systems: tuple[str, str], runs: Sequence[tuple[Side, int, str]], stopped: MetaspoError | None = None
) -> Adaptation:
    """The same from an open store, for the system prompt in question and the other one: side, training examples and run."""
    known = statuses(store.db)
    searches = [Search(side, size, run, known.get(run, "not begun")) for side, size, run in runs]
    curves = [
        Curve(one.side, one.train_size, one.run, open_curve(store.path, one.run), calls.usage(store.db, one.run))
        for one in searches
        if one.status == "done"
    ]
    most = max((one.train_size for one in searches), default=0)
    against = next((curve for curve in curves if curve.side == "baseline" and curve.train_size == most), None)
    ends = {one.train_size: mean_change(both) for one in curves if against and (both := _ends(store.db, one, against))}
    notes = cost_notes(store.db, [curve.run for curve in curves])
    aside = list(dict.fromkeys(one for curve in curves for one in set_aside(store.db, curve.run)))
    return Adaptation(*systems, curves, str(store.path), stopped, ends, aside, notes, searches)


def ends_say(found: Adaptation) -> list[str]:
    """What the searches of the candidate ended with beside those of the baseline, a sentence each."""
    lines, most = [], max(found.ends, default=0)
    for size, change in found.ends.items():
        fewer = f" with {size} training examples" if size < most else ""
        whole = f" with all {most}" if size < most else ""
        lines.append(claim(f"In the end, the candidate{fewer} against the baseline{whole}", change))
    return lines


def _ends(db: Database, candidate: Curve, baseline: Curve) -> list[Paired]:
    """Each task's test scores at the end of two searches; none unless both were tested on the same examples of every task."""
    if candidate.side == "baseline":
        return []
    new, old = _tested(db, candidate.run), _tested(db, baseline.run)
    tasks = evaluations.run_tasks(db, candidate.run)
    if any(task.name not in new or task.name not in old for task in tasks):
        return []
    return [read_paired(db, task, [new[task.name]], [old[task.name]]) for task in tasks]


def _tested(db: Database, run: str) -> dict[str, Evaluation]:
    """The test scores of the best pairs that a run ended with, by task."""
    best = {pair.task: (pair.system, pair.user) for pair in prompts.kept_pairs(db, run) if pair.position == 0}
    names = {task.task: task.name for task in evaluations.run_tasks(db, run)}
    scored = evaluations.run_evaluations(db, run, "test")
    return {names[one.task]: one for one in scored if best.get(names[one.task]) == (one.system, one.user)}
