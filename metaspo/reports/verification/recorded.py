"""A run as the store alone knows it: its tasks rebuilt from what is recorded of them, and its evaluations found by content."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from sqlite_utils import Database

from ...domain.errors import MetaspoError
from ...domain.prompts import Prompt
from ...domain.results import Example, Split
from ...domain.several import combination
from ...models.spec import ModelSpec
from ...store import evaluations, prompts, runs
from ...store.database import Store
from ...store.evaluations import RunTask
from ...tasks.catalogue import read_task
from ...tasks.spec import TaskSpec
from ...tasks.task import Task
from ...workspace.context import names_of
from ...workspace.first_replies import FirstReplies
from ...workspace.known import stored_input
from ...workspace.problem import Problem
from ...workspace.run_input import RunInput
from ...workspace.search import SearchWorkspace

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class NotRecordedError(MetaspoError):
    """A decision of a run would need a score that the store does not have."""


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """A task of a run from its rows. `unreadable` says why its answers cannot be read and scored again; empty if they can."""

    row: RunTask
    task: Task
    unreadable: str = ""


def recorded_tasks(db: Database, run: runs.Run) -> dict[str, RecordedTask]:
    """The tasks of a run by name. Their examples and settings are in the store, their own functions are not."""
    sources, blocks = {}, {}
    begun = (run.config.get("problem", {}).get("from_run") or {}).get("user_prompts", {})
    for source in _sources(run):
        with suppress(MetaspoError):
            spec = read_task(source)
            sources[spec.name] = spec
            spec = spec.begun_with(begun.get(spec.name, []))
            if isinstance(source, dict) or spec.name in begun:
                # Runs with other user prompts share what is recorded of a task.
                blocks[spec.name] = {"user_prompt": spec.written_prompt, "user_prompts": spec.user_prompts}
    rows = evaluations.run_tasks(db, run.id)
    return {row.name: _recorded_task(db, row, sources.get(row.name), blocks.get(row.name, {})) for row in rows}


def _sources(run: runs.Run) -> Sequence[Any]:
    with suppress(MetaspoError, ValueError, KeyError):
        given = stored_input(run.config)
        return [*given.tasks, *given.unseen_tasks]
    return []


def _recorded_task(db: Database, row: RunTask, source: TaskSpec | None, own: Mapping[str, Any]) -> RecordedTask:
    _, written = evaluations.task_metric(db, row.task)
    # What was recorded before there were other rules was read by the first.
    written = {**written, **own, "reader": {"rules": 1, **written.get("reader", {})}}
    found = evaluations.examples(db, row.task)
    spec = TaskSpec.model_validate({**written, "examples": [{"question": "", "answer": ""}]})
    spec._folder = source._folder if source else None
    task = Task(spec, _dealt(row, found))
    if sum(map(len, task.splits.values())) != len(found):
        return RecordedTask(row, task, "its examples are not all in the store")
    if ":" not in spec.reader.source and spec.metric.own is None:
        return RecordedTask(row, task)
    try:
        task.load()
    except MetaspoError as error:
        return RecordedTask(row, task, str(error).removeprefix(f"task '{row.name}': "))
    return RecordedTask(row, task, "" if task.id == row.task else "its reader or metric has changed since")


def _dealt(row: RunTask, found: Sequence[Example]) -> dict[Split, tuple[Example, ...]]:
    """The splits: examples are recorded in the order of their splits, and how many each has is on record."""
    dealt, at = {}, 0
    for split in SPLITS:
        size = getattr(row, split)
        dealt[split] = tuple(found[at : at + size])
        at += size
    return dealt


@dataclass
class RecordedSearch(SearchWorkspace):
    """What the rules of a search work with, where nothing is asked: no models, no account, no lease.

    `round` is the one that is looked at. `known` holds evaluations by what they are about, each with the round
    that relied on it, -1 where only a decision looked at it, and its model, which is one of `models` where the run's answered.
    """

    known: Mapping[tuple[object, ...], Sequence[tuple[int, str, str]]]
    task_ids: Mapping[str, str]
    texts: Mapping[tuple[str, str], str]
    models: list[str]
    counting: str
    round: int = field(default=0)

    def evaluation_id(self, task: Task, pair: tuple[str, str], split: Split, only: Sequence[str] = ()) -> str:
        """The recorded evaluation of a pair on these examples: no models are opened, whose identities its name is made of.

        Raises NotRecordedError where there is none.
        """
        system, user = self._id("system", pair[0]), self._id("user", pair[1])
        about = frozenset(only or [example.id for example in task.splits[split]])
        found = self.known.get((self.task_ids[task.name], split, system, user, about), ())
        # Another base model may have scored the pair later, and each of several has scored it alone.
        there = [(round, self._answers(model), at, id) for at, (round, id, model) in enumerate(found) if round <= self.round]
        if not there:
            raise NotRecordedError(
                f"no evaluation of system {system}, user {user} on {len(about)} {split} examples of {task.name}"
            )
        return max(there)[3]

    def _answers(self, model: str) -> bool:
        """Whether an evaluation's model is the run's: its base model, or its several ones as it counts them."""
        made_of = combination(model)
        if made_of is None:
            return [model] == self.models
        return (made_of.counting, [name for name, _ in made_of.parts]) == (self.counting, self.models)

    def _id(self, kind: Any, text: str) -> str:
        return self.texts.get((kind, text)) or Prompt(kind, text).id


def recorded_search(store: Store, run: runs.Run, tasks: Mapping[str, RecordedTask]) -> RecordedSearch:
    """The workspace of a search from the store; raises ConfigError where its method is not known here."""
    problem = cast(Problem, stored_input(run.config))
    by_role: dict[str, dict[str, Task]] = {"source": {}, "target": {}}
    for name, one in tasks.items():
        by_role[one.row.role][name] = one.task
    nothing, used = cast(Any, None), prompts.used(store.db, run.id)
    return RecordedSearch(
        run=run.id, problem=problem, context=nothing, settings=problem.settings(), sources=by_role["source"],
        targets=by_role["target"], store=store, ledger=nothing, base=nothing, optimizer=nothing, judges={},
        account=nothing, lease=nothing, by_name=False, first=FirstReplies(answered=True, graded={"judge", "metric"}),
        known=evaluations.by_content(store.db, run.id, used), task_ids={name: one.row.task for name, one in tasks.items()},
        texts={(kind, text): id for id, kind, text in prompts.some(store.db, used)}, models=base_names(run.config),
        counting=run.config.get("context", {}).get("bases", "mean"),
    )  # fmt: skip


def base_names(config: Mapping[str, Any]) -> list[str]:
    """What tables call a run's base models."""
    base = config.get("context", {}).get("base") or []
    return names_of([ModelSpec.model_construct(**one) for one in (base if isinstance(base, list) else [base])])


def as_search(given: RunInput) -> bool:
    """Whether a run is a search, with rounds that select."""
    return isinstance(given, Problem)
