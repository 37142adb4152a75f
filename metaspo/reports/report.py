"""What a run achieved, read from the store: scores before and after, intervals, controls, lineage, cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.calls import Usage
from ..domain.locks import without_marks
from ..domain.results import Split
from ..domain.significance import Change
from ..prompts.own import short_hashes
from ..store import answers, calls, prompts, runs
from ..store.database import Store, open_store
from ..store.evaluations import RunTask
from ..tasks.catalogue import builtin_tasks
from .begun_from import BegunFrom, begun_from
from .claims import verdict_says
from .confirmation import Confirmation, Verdict, read_confirmation, verdict_without
from .controls import Splits, TaskReport, WorstTask, by_split, task_report, tested, worst_task
from .costs import cost_notes
from .notebook.shown import Shown
from .pairs import RunPairs, run_pairs
from .placebo import PlaceboReport, mean_of, read_placebo
from .places import name_of
from .remarks import remarks
from .set_aside import SetAside, set_aside


@dataclass(frozen=True, slots=True, repr=False)
class Report(Shown):
    """A run's prompts, scores and costs.

    `source` and `target` are the mean test differences, None where nothing was tested. `verdict` says
    whether the prompts found are confirmed on examples that chose nothing, `verdict_says` the same in
    a sentence, and `confirmation` holds the figures, None where there are none. `remarks` are sentences on
    what looks wrong with the endpoint, `set_aside` the
    examples that it gave no reply to while it answered others, `cost_notes` sentences on what the cost rests on.
    `answers` are those of people who approved: who, when, what, and what they saw. `drawn` is what the run took of
    each task, and `selecting` the split that it selects by. `from_run` is the run whose prompts
    this one began with, and what changed in the data since, None where there is none.
    """

    run: runs.Run
    system_before: str
    system_after: str
    user_before: dict[str, str]
    user_after: dict[str, list[str]]
    rounds: list[prompts.RoundRow]
    train_before: float | None
    train_after: float | None
    tasks: list[TaskReport]
    source: Change | None
    target: Change | None
    verdict: Verdict
    verdict_says: str
    confirmation: Confirmation | None
    splits: Splits
    worst: WorstTask | None
    placebo: PlaceboReport | None
    remarks: list[str]
    usage: Usage
    lineage: list[prompts.CandidateRow]
    texts: dict[str, str]
    store: str
    base: str
    optimizer: str
    analyst: str
    optimizer_prompts: dict[str, str]
    builtin: bool
    set_aside: list[SetAside]
    cost_notes: list[str]
    answers: list[answers.Answer]
    drawn: list[RunTask]
    selecting: Split
    from_run: BegunFrom | None = None


def open_report(path: str | Path, name: str = "last") -> Report:
    """The report of a run by the beginning of its id; raises StoreError when there is none."""
    with open_store(path) as store:
        return report(store, runs.find(store.db, name))


def report(store: Store, run: runs.Run) -> Report:
    """The report of a run, finished or not."""
    pairs = run_pairs(store.db, run.id)
    confirmation = read_confirmation(pairs)
    verdict, why = (confirmation.verdict, None) if confirmation else verdict_without(run, pairs)
    compared = tested(pairs)
    context = run.config.get("context", {})
    return Report(
        run=run,
        **_prompts(store, run, pairs),
        rounds=list(pairs.rounds),
        train_before=pairs.rounds[0].score if pairs.rounds else None,
        train_after=pairs.rounds[-1].score if pairs.rounds else None,
        tasks=[task_report(pairs, task, compared[task.name]) for task in pairs.tasks if task.name in compared],
        source=mean_of(compared, pairs, "source"),
        target=mean_of(compared, pairs, "target"),
        verdict=verdict,
        verdict_says=verdict_says(verdict, confirmation, why),
        confirmation=confirmation,
        splits=by_split(pairs),
        worst=worst_task(pairs),
        placebo=read_placebo(store.db, run, pairs),
        remarks=remarks(store.db, run.id),
        usage=calls.usage(store.db, run.id),
        store=str(store.path),
        base=_bases(run.config),
        optimizer=_label(context.get("optimizer")),
        analyst=_label(context.get("analyst")),
        optimizer_prompts=short_hashes(run.config.get("problem", {}).get("optimizer_prompts", {})),
        builtin=all(task.name in builtin_tasks() for task in pairs.tasks),
        set_aside=set_aside(store.db, run.id),
        cost_notes=cost_notes(store.db, [run.id]),
        answers=answers.of_run(store.db, run.id),
        drawn=list(pairs.tasks),
        selecting=pairs.selecting,
        from_run=begun_from(run),
    )


def _prompts(store: Store, run: runs.Run, pairs: RunPairs) -> dict[str, Any]:
    """The texts before and after, and where the last system prompt came from."""
    every = prompts.ancestry(store.db, run.id)
    seeds = [row for row in every if row.status == "seed" and row.run == run.id]
    kept = prompts.kept_pairs(store.db, run.id)
    seed = next((row.prompt for row in seeds if row.level == "system"), None)
    lineage = _lineage(every, kept[0].system if kept else None)
    named = {row.prompt or "" for row in [*seeds, *lineage]} | {id for pair in kept for id in (pair.user, pair.system)}
    texts = prompts.prompt_texts(store.db, sorted(named))
    after: dict[str, list[str]] = {}
    for pair in kept:
        after.setdefault(pair.task, []).append(texts[pair.user])
    return {
        "system_before": texts.get(seed or "", without_marks(run.config.get("problem", {}).get("system_prompt", ""))),
        "system_after": texts.get((kept[0].system if kept else seed) or "", ""),
        "user_before": {row.task: texts[row.prompt or ""] for row in seeds if row.level == "user"},
        "user_after": after,
        "lineage": lineage,
        "texts": texts,
    }


def _bases(config: Mapping[str, Any]) -> str:
    """The base model; of several all, and what of their scores counts."""
    context = config.get("context", {})
    base = context.get("base")
    if not isinstance(base, list):
        return _label(base)
    return f"{', '.join(map(_label, base))} ({context['bases']})"


def _label(spec: Mapping[str, str] | None) -> str:
    return f"{spec['provider']}:{name_of(spec['name'])}" if spec else ""


def _lineage(every: Sequence[prompts.CandidateRow], winner: str | None) -> list[prompts.CandidateRow]:
    """The winner's ancestors, from the seed to itself."""
    chain: list[prompts.CandidateRow] = []
    # A prompt that a branch carried over was first proposed by an ancestor, unless it was edited.
    first = {row.prompt: row for row in reversed(every) if row.prompt and not row.task}
    while winner is not None and winner in first and first[winner] not in chain:
        chain.append(first[winner])
        winner = first[winner].parent
    return chain[::-1]
