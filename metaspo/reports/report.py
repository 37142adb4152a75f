"""What a run achieved, read from the store: scores before and after, intervals, controls, lineage, cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from ..domain.calls import Usage
from ..domain.intervals import Difference
from ..domain.locks import without_marks
from ..store import calls, evaluations, prompts, runs
from ..store.database import Store, open_store
from ..store.prompts import KeptPair
from ..tasks.catalogue import builtin_tasks
from ..tasks.paired import Paired, mean_difference, read_paired


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task's test scores with the seed prompts and with the prompts found; all in [0, 1]."""

    name: str
    role: evaluations.Role
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
    with open_store(path) as store:
        return report(store, runs.find(store.db, name))


def report(store: Store, run: runs.Run) -> Report:
    """The report of a run, finished or not."""
    db = store.db
    every = prompts.ancestry(db, run.id)
    seeds = [row for row in every if row.status == "seed" and row.run == run.id]
    pairs = prompts.kept_pairs(db, run.id)
    closed = prompts.rounds(db, run.id)
    seed_system = next((row.prompt for row in seeds if row.level == "system"), None)
    seed_users = {row.task: row.prompt or "" for row in seeds if row.level == "user"}
    lineage = _lineage(every, pairs[0].system if pairs else None)
    named = {row.prompt or "" for row in [*seeds, *lineage]} | {id for pair in pairs for id in (pair.user, pair.system)}
    texts = prompts.prompt_texts(db, sorted(named))
    kept: dict[str, list[str]] = {}
    for pair in pairs:
        kept.setdefault(pair.task, []).append(pair.user)
    context = run.config.get("context", {})
    roles = {task.name: task.role for task in evaluations.run_tasks(db, run.id)}
    compared = _compared(db, run.id, seed_system, seed_users, pairs)
    return Report(
        run=run,
        system_before=texts.get(seed_system or "", without_marks(run.config.get("problem", {}).get("system_prompt", ""))),
        system_after=texts.get((pairs[0].system if pairs else seed_system) or "", ""),
        user_before={task: texts[id] for task, id in seed_users.items()},
        user_after={task: [texts[id] for id in ids] for task, ids in kept.items()},
        rounds=closed,
        train_before=closed[0].score if closed else None,
        train_after=closed[-1].score if closed else None,
        tasks=[_task_report(one, roles[one.task]) for one in compared],
        source=_mean_difference([one for one in compared if roles[one.task] == "source"]),
        target=_mean_difference([one for one in compared if roles[one.task] == "target"]),
        usage=calls.usage(db, run.id),
        lineage=lineage,
        texts=texts,
        store=str(store.path),
        base=_label(context.get("base")),
        optimizer=_label(context.get("optimizer")),
        builtin=all(name in builtin_tasks() for name in roles),
    )


def _mean_difference(compared: Sequence[Paired]) -> Difference | None:
    return mean_difference(compared) if compared else None


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


def _compared(db: Database, run: str, seed: str | None, seed_users: dict[str, str], pairs: Sequence[KeptPair]) -> list[Paired]:
    """The tasks whose seed pair and best pair were both scored on the test split."""
    found = evaluations.run_evaluations(db, run, "test")
    after = pairs[0].system if pairs else seed
    best = {pair.task: pair.user for pair in reversed(pairs)}
    result = []
    for task in evaluations.run_tasks(db, run):
        own = {(e.system, e.user): e for e in found if e.task == task.task}
        first = seed_users.get(task.name) or next((user for _, user in own), "")
        baseline, candidate = own.get((seed or "", first)), own.get((after or "", best.get(task.name, first)))
        if baseline and candidate:
            result.append(read_paired(db, task, [candidate], [baseline]))
    return result


def _task_report(paired: Paired, role: evaluations.Role) -> TaskReport:
    [before], [after] = paired.baseline, paired.candidate
    return TaskReport(
        name=paired.task,
        role=role,
        metric=paired.metric,
        constrained=paired.constrained,
        examples=paired.examples,
        before=before.score,
        after=after.score,
        difference=paired.difference,
        majority=paired.majority,
        unparsed_before=before.unparsed / paired.examples if paired.examples else 0.0,
        unparsed_after=after.unparsed / paired.examples if paired.examples else 0.0,
    )
