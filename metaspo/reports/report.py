"""What a run achieved, read from the store: the same figures that anyone can recompute with SQL."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from ..domain.calls import Usage
from ..domain.intervals import Difference, Statistic, paired_difference
from ..domain.locks import without_marks
from ..domain.results import Evaluation, Outcome
from ..store import calls, evaluations, prompts, runs
from ..store.database import Store
from ..store.evaluations import RunTask
from ..tasks import metrics
from ..tasks.catalogue import builtin_tasks
from ..tasks.generalization import score_on


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task's test scores with the seed prompts and with the prompts found; all in [0, 1]."""

    name: str
    role: str
    metric: str
    constrained: bool
    examples: int
    before: float
    after: float
    difference: Difference
    majority: float
    unparsed_before: float
    unparsed_after: float


@dataclass(frozen=True, slots=True)
class Report:
    """A run's prompts, scores and costs. `source` and `target` are the mean differences, None where nothing was tested."""

    run: runs.Run
    system_before: str
    system_after: str
    user_before: dict[str, str]
    user_after: dict[str, list[str]]
    rounds: list[prompts.RoundRow]
    train_before: float | None
    train_after: float | None
    tasks: list[TaskReport]
    source: Difference | None
    target: Difference | None
    usage: Usage
    lineage: list[prompts.CandidateRow]
    texts: dict[str, str]
    store: str
    base: str
    optimizer: str
    builtin: bool


def open_report(path: str | Path, name: str = "last") -> Report:
    """The report of a run by the beginning of its id; raises StoreError when there is none."""
    with closing(Store(path, create=False)) as store:
        return report(store, runs.find(store.db, name))


def report(store: Store, run: runs.Run) -> Report:
    """The report of a run, finished or not."""
    db = store.db
    every = prompts.ancestry(db, run.id)
    rows = [row for row in every if row.status == "seed" and row.run == run.id]
    pairs = prompts.kept_pairs(db, run.id)
    closed = prompts.rounds(db, run.id)
    ids = {row.prompt or "" for row in rows} | {pair.user for pair in pairs} | {pair.system for pair in pairs}
    lineage = _lineage(every, pairs[0].system if pairs else None)
    texts = prompts.prompt_texts(db, sorted(ids | {row.prompt or "" for row in lineage}))
    context = run.config.get("context", {})
    seed_system = next((row.prompt for row in rows if row.level == "system"), None)
    seed_users = {row.task: row.prompt or "" for row in rows if row.level == "user"}
    after = pairs[0].system if pairs else seed_system
    kept: dict[str, list[str]] = {}
    for pair in pairs:
        kept.setdefault(pair.task, []).append(pair.user)
    compared = _compared(db, run.id, seed_system, after, seed_users, kept)
    return Report(
        run=run,
        system_before=texts.get(seed_system or "", without_marks(run.config.get("problem", {}).get("system_prompt", ""))),
        system_after=texts.get(after or "", ""),
        user_before={task: texts[id] for task, id in seed_users.items()},
        user_after={task: [texts[id] for id in ids] for task, ids in kept.items()},
        rounds=closed,
        train_before=closed[0].score if closed else None,
        train_after=closed[-1].score if closed else None,
        tasks=[one.report for one in compared],
        source=_mean_difference([one for one in compared if one.report.role == "source"]),
        target=_mean_difference([one for one in compared if one.report.role == "target"]),
        usage=calls.usage(db, run.id),
        lineage=lineage,
        texts=texts,
        store=str(store.path),
        base=_label(context.get("base")),
        optimizer=_label(context.get("optimizer")),
        builtin=all(task.name in builtin_tasks() for task in evaluations.run_tasks(db, run.id)),
    )


def _label(spec: dict[str, str] | None) -> str:
    return f"{spec['provider']}:{spec['name']}" if spec else ""


def _lineage(every: Sequence[prompts.CandidateRow], winner: str | None) -> list[prompts.CandidateRow]:
    """The winner's ancestors, from the seed to itself."""
    chain: list[prompts.CandidateRow] = []
    # A prompt that a branch carried over was first proposed by an ancestor, unless it was edited.
    first = {row.prompt: row for row in reversed(every) if row.prompt and not row.task}
    while winner is not None and winner in first and first[winner] not in chain:
        chain.append(first[winner])
        winner = first[winner].parent
    return chain[::-1]


@dataclass(frozen=True, slots=True)
class _Compared:
    report: TaskReport
    size: int
    statistic: Statistic


def _compared(
    db: Database, run: str, seed: str | None, after: str | None, seed_users: dict[str, str], kept: dict[str, list[str]]
) -> list[_Compared]:
    """The tasks whose seed pair and best pair were both scored on the test split."""
    found = evaluations.run_evaluations(db, run, "test")
    result = []
    for task in evaluations.run_tasks(db, run):
        own = {(e.system, e.user): e for e in found if e.task == task.task}
        first = seed_users.get(task.name) or next((user for _, user in own), "")
        best = kept.get(task.name, [first])[0]
        if (seed or "", first) in own and (after or "", best) in own:
            result.append(_compare(db, task, own[seed or "", first], own[after or "", best]))
    return result


def _compare(db: Database, task: RunTask, before: Evaluation, after: Evaluation) -> _Compared:
    golds = evaluations.golds(db, task.task)
    order = [golds[outcome.example] for outcome in before.outcomes]
    metric, spec = evaluations.task_metric(db, task.task)
    first, second = score_on(metric, [before], order), score_on(metric, [after], order)

    def statistic(at: Sequence[int]) -> float:
        return second(at) - first(at)

    size = len(before.outcomes)
    row = TaskReport(
        name=task.name,
        role=task.role,
        metric=metric,
        constrained=bool(spec.get("constrain")),
        examples=size,
        before=before.score,
        after=after.score,
        difference=paired_difference([(size, statistic)]),
        majority=metrics.majority(order, metric),
        unparsed_before=_share_unparsed(before.outcomes),
        unparsed_after=_share_unparsed(after.outcomes),
    )
    return _Compared(row, size, statistic)


def _share_unparsed(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.answer is None for outcome in outcomes) / len(outcomes) if outcomes else 0.0


def _mean_difference(compared: Sequence[_Compared]) -> Difference | None:
    return paired_difference([(one.size, one.statistic) for one in compared]) if compared else None
