"""What a study found: scores by measure, setting and method, with intervals, as data and as tables."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from statistics import mean
from typing import Any, ClassVar

from sqlite_utils import Database

from ..domain.calls import Usage
from ..domain.intervals import paired_difference, student
from ..domain.prompts import Prompt
from ..domain.results import Evaluation, graded_together
from ..reports.costs import cost_notes
from ..reports.notebook.shown import Shown
from ..store import calls, evaluations, prompts, runs
from ..store.database import open_store
from ..tasks.majority import majority_score
from ..tasks.scores.paired import score_on
from ..workspace.generalization import Generalization, read_scores, user_prompts
from ..workspace.known import stored_input
from .batch import statuses
from .study import ALL, Cell, Study


@dataclass(frozen=True)
class TaskScores:
    """One task under a run's final system prompt: one evaluation, or one for each user prompt."""

    task: str
    metric: str
    golds: Sequence[str]
    found: Sequence[Evaluation]
    majority: float | None
    """The score of the best constant answer; None where nobody can tell."""

    @cached_property
    def score(self) -> float:
        """The mean score in [0, 1]."""
        return sum(one.score for one in self.found) / len(self.found)

    @property
    def unparsed(self) -> float:
        """The share of replies without a readable answer."""
        return sum(one.unparsed for one in self.found) / (len(self.golds) * len(self.found))


@dataclass(frozen=True, slots=True)
class Entry:
    """A method under a setting by one measure; scores in [0, 1].

    The 95% interval is Student's over seeds; of a single seed, the bootstrap's over examples. `score`
    is None until a seed is done. `reference` is somebody else's figure, in [0, 1] as well. `seen` says that the
    tasks are those that the prompts were made on.
    """

    measure: str
    setting: str
    method: str
    score: float | None
    low: float | None
    high: float | None
    over: str
    done: int
    seeds: int
    majority: float | None
    unparsed: float | None
    reference: float | None
    tasks: dict[str, float]
    seen: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class StudyReport(Shown):
    """Every entry, what each method's runs have paid, and in what the runs differ from those of the reference figures."""

    drawn_in: ClassVar[str] = "studies"

    name: str
    entries: list[Entry]
    paid: dict[str, Usage]
    missing: int
    differs: list[str]
    cost_notes: list[str] = field(default_factory=list)


def study_report(name: str, study: Study, cells: Sequence[Cell]) -> StudyReport:
    """Read a study's results from its store, as far as they are there."""
    known = statuses(study.store)
    scores: dict[tuple[str, str, str], dict[int, list[TaskScores]]] = {}
    paid: dict[str, Usage] = {cell.method: Usage() for cell in cells}
    with open_store(study.store, create=True) as store:
        counted = set[str]()
        for cell in cells:
            run = cell.search.run
            held = cell.measuring(study, run) if known.get(run) == "done" else {}
            for one in {run, *held.values()} - counted:
                paid[cell.method].include(calls.usage(store.db, one))
                counted.add(one)
            for measure, measuring in held.items():
                if known.get(measuring) == "done":
                    by_seed = scores.setdefault((measure, cell.setting, cell.method), {})
                    by_seed[cell.seed] = final_scores(store.db, measuring)
        costs = cost_notes(store.db, counted)
    methods = list(paid)
    made_on = {cell.setting for cell in cells if not cell.search.problem.unseen_tasks}
    entries = [
        replace(
            _entry(study, measure, setting, method, by_seed),
            seen=study.measures[measure].test is not None and bool(made_on & ({setting} if setting != ALL else made_on)),
        )
        for measure in study.measures
        for setting, method, by_seed in _table(study, measure, methods, scores)
    ]
    wanted = len(cells) * len(study.measures)
    done = sum(entry.done for entry in entries if entry.setting in study.settings)
    return StudyReport(name, entries, paid, wanted - done, study.differs, costs)


def final_scores(db: Database, run: str) -> list[TaskScores]:
    """The test scores of what a run ended with: on its target tasks if it has some, else on its source tasks."""
    stored = runs.find(db, run)
    given = stored_input(stored.config)
    if isinstance(given, Generalization):
        every = read_scores(db, run, given, user_prompts(db, run))
        return [TaskScores(one.task, one.metric, one.golds, one.candidate, one.majority) for one in every]
    best = {pair.task: (pair.system, pair.user) for pair in prompts.kept_pairs(db, run) if pair.position == 0}
    system = next(iter(best.values()))[0]
    tasks = evaluations.run_tasks(db, run)
    found = {(e.task, e.system, e.user): e for e in evaluations.run_evaluations(db, run, "test")}
    scores = []
    for task in [task for task in tasks if task.role == "target"] or tasks:
        metric, spec = evaluations.task_metric(db, task.task)
        pair = best.get(task.name, (system, Prompt("user", spec["user_prompt"]).id))
        answers = evaluations.accepted_answers(db, task.task)
        if (task.task, *pair) in found:
            [evaluation] = graded_together(found[task.task, *pair])
            order = {outcome.example: answers[outcome.example] for outcome in evaluation.outcomes}
            golds = [accepted[0] if accepted else "" for accepted in order.values()]
            majority = majority_score(db, task, spec, order)
            scores.append(TaskScores(task.name, metric, golds, [evaluation], majority))
    return scores


Scores = Mapping[tuple[str, str, str], Mapping[int, Sequence[TaskScores]]]


def _table(
    study: Study, measure: str, methods: Sequence[str], scores: Scores
) -> Iterator[tuple[str, str, Mapping[int, Sequence[TaskScores]]]]:
    """Setting, method and scores by seed of one measure's table; over several settings also their tasks together."""
    for setting in study.settings:
        for method in methods:
            yield setting, method, scores.get((measure, setting, method), {})
    if len(study.settings) > 1:
        for method in methods:
            each = [scores.get((measure, setting, method), {}) for setting in study.settings]
            whole = [seed for seed in study.seeds if all(seed in by_seed for by_seed in each)]
            yield ALL, method, {seed: [task for by_seed in each for task in by_seed[seed]] for seed in whole}


def _entry(study: Study, measure: str, setting: str, method: str, by_seed: Mapping[int, Sequence[TaskScores]]) -> Entry:
    means = [mean(task.score for task in tasks) for tasks in by_seed.values() if tasks]
    every = [task for tasks in by_seed.values() for task in tasks]
    # A mean over some tasks would not be the control of one over all.
    known = [task.majority for task in every if task.majority is not None]
    value, over = None, ""
    if len(means) > 1:
        value, over = student(means), "seeds"
    elif means:
        strata = [(len(task.golds), score_on(task.metric, task.found, task.golds)) for task in every]
        value, over = paired_difference(strata), "examples"
    told = study.reference.get(measure, {}).get(setting, {}).get(method)
    names = dict.fromkeys(task.task for task in every)
    return Entry(
        measure=measure,
        setting=setting,
        method=method,
        score=value.value if value else None,
        low=max(0.0, value.low) if value else None,
        high=min(1.0, value.high) if value else None,
        over=over,
        done=len(means),
        seeds=len(study.seeds),
        majority=mean(known) if known and len(known) == len(every) else None,
        unparsed=mean(task.unparsed for task in every) if every else None,
        reference=told / 100 if told is not None else None,
        tasks={name: mean(task.score for task in every if task.task == name) for name in names},
    )


def as_json(report: StudyReport) -> str:
    """Everything, scores in [0, 1]."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=2)


COLUMNS = ("measure", "setting", "method", "score", "low", "high", "over", "done", "seeds", "majority", "unparsed", "reference")


def as_csv(report: StudyReport) -> str:
    """One line an entry, scores in [0, 1]."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(["" if (value := getattr(entry, name)) is None else value for name in COLUMNS] for entry in report.entries)
    return text.getvalue()


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as people read it: its columns, the first of which names the rows; `beside` are rows to read the others by."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    beside: list[list[str]] = field(default_factory=list)


def grids(report: StudyReport) -> list[Grid]:
    """One table a measure: methods down, settings across, scores in % with their intervals and the figures beside them."""
    made = []
    for measure in dict.fromkeys(entry.measure for entry in report.entries):
        own = [entry for entry in report.entries if entry.measure == measure]
        settings = list(dict.fromkeys(entry.setting for entry in own))
        rows: dict[str, list[str]] = {}
        for entry in own:
            rows.setdefault(entry.method, [entry.method]).append(shown(entry, subset=bool(report.differs)))
        majority, unparsed = ([across(own, setting, name) for setting in settings] for name in ("majority", "unparsed"))
        beside = [["majority answer", *majority], ["unparsed replies", *unparsed]]
        made.append(Grid(measure, ["method", *settings], list(rows.values()), beside))
    paid = [[name, f"{usage.total_calls:,}", usage.cost_says] for name, usage in report.paid.items()]
    return [*made, Grid("paid", ["method", "calls", "cost"], paid)]


def as_markdown(report: StudyReport) -> str:
    """The same tables as Markdown, with how to read them."""
    parts = []
    for grid in grids(report):
        parts += [f"### {grid.title}", "", _row(grid.columns), _row(["---"] * len(grid.columns)), *map(_row, grid.rows)]
        parts += [*(_row([f"*{name}*", *cells]) for name, *cells in grid.beside), ""]
    return "\n".join([*parts, *notes(report)]) + "\n"


def shown(entry: Entry, *, subset: bool = False) -> str:
    """A score in % with its interval and what that holds over, the seeds that are missing, and the figure to compare with."""
    told = f" (reference{' of the whole' * subset} {100 * entry.reference:.1f})" if entry.reference is not None else ""
    if entry.score is None or entry.low is None or entry.high is None:
        return f"not done{told}"
    part = f" {entry.done} of {entry.seeds} seeds" if entry.done < entry.seeds else ""
    over = f"{entry.done} seeds" if entry.over == "seeds" else entry.over
    return f"{100 * entry.score:.1f} [{100 * entry.low:.0f}, {100 * entry.high:.0f}; {over}]{part}{told}"


OVER = {
    "seeds": "over seeds (Student's t: how much another seed would differ on the same test examples, not other examples)",
    "examples": "over examples (bootstrap: how much other examples would differ, not other seeds)",
}
"""What an interval holds over."""


def notes(report: StudyReport) -> list[str]:
    """How to read the table."""
    over = {entry.over for entry in report.entries if entry.over}
    lines = [f"Scores in %, 95% intervals {' and '.join(OVER[name] for name in sorted(over))}."] if over else []
    if seen := sorted({f"{entry.measure}, {entry.setting}" for entry in report.entries if entry.seen}):
        lines.append(f"Test examples of the tasks that the prompts were made on, so not unseen tasks: {'; '.join(seen)}.")
    if report.differs and any(entry.reference is not None for entry in report.entries):
        lines.append(f"The reference figures are of the whole, and these runs differ from it: {', '.join(report.differs)}.")
    lines.append("Paid counts calls that no other run of the study had made before.")
    if any(usage.estimated for usage in report.paid.values()):
        lines.append("A cost with 'about' rests on token counts that are estimated, since the endpoint told none.")
    lines += report.cost_notes
    if report.missing:
        lines.append(f"{report.missing} measurements are missing: run the same command again.")
    return lines


def across(entries: Sequence[Entry], setting: str, name: str) -> str:
    """A control's range over the methods of a column, in %."""
    values = [value for entry in entries if entry.setting == setting and (value := getattr(entry, name)) is not None]
    if not values:
        return ""
    low, high = 100 * min(values), 100 * max(values)
    return f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"


def _row(cells: Sequence[Any]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
