"""How a run was set: its sizes, its tasks by content, the versions, its rounds, and the config that makes it again."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sqlite_utils import Database

from ...store import evaluations
from ...store.evaluations import RunTask
from ...tasks.given import short
from ..places import file_name, name_of
from ..report import Report
from ..reproduced import Reproduced, reproduced


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as the run used it: how many examples of each split, how it is scored, and where its examples came from."""

    drawn: RunTask
    metric: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the section shows; `sizes` are names and numbers, `given` further settings.

    `named` is the store as a shell takes it.
    """

    tasks: list[TaskRow]
    sizes: list[tuple[str, Any]]
    given: list[tuple[str, str]]
    version: str
    store: str
    named: str
    again: Reproduced


LEFT_OUT = ("tasks", "targets", "system_prompt", "optimizer_prompts", "start", "sizes", "method")
"""Settings that are told elsewhere on the page."""


def settings(db: Database, report: Report) -> Settings:
    """The settings of a run."""
    config = report.run.config
    sizes: Mapping[str, Any] = config.get("settings", {})
    problem: Mapping[str, Any] = config.get("problem", {})
    given = [
        (name.replace("_", " "), str(value))
        for name, value in problem.items()
        if name not in LEFT_OUT and name not in sizes and value not in (None, [], {}, "") and value is not False
    ]
    budget = {name: most for name, most in config.get("context", {}).get("budget", {}).items() if most not in (None, {})}
    given += [(f"data set {name}", f"version {version}") for name, version in config.get("data", {}).items()]
    given += [("budget", ", ".join(f"{name} {most}" for name, most in budget.items()))] if budget else []
    return Settings(
        tasks=[_task(db, one, config) for one in report.drawn],
        sizes=[(name.replace("_", " "), size) for name, size in sizes.items()],
        given=given,
        version=report.run.version,
        store=file_name(report.store),
        named=shlex.quote(file_name(report.store)),
        again=reproduced(report.run),
    )


def _task(db: Database, drawn: RunTask, config: Mapping[str, Any]) -> TaskRow:
    metric, spec = evaluations.task_metric(db, drawn.task)
    return TaskRow(drawn, short(metric), _source(drawn.name, config.get("problem", {})), spec.get("licence") or "")


def _source(name: str, problem: Mapping[str, Any]) -> str:
    """Where a task's examples came from, as far as the run was told: a file, a data set, or memory."""
    every = [*(problem.get("tasks") or []), *(problem.get("targets") or [])]
    block = next((one for one in every if isinstance(one, Mapping) and one.get("name") == name), None)
    if block is None:
        file = next((one for one in every if isinstance(one, str) and PurePath(one).stem == name), None)
        return name_of(file) if file else "one of the files that the config names"
    examples = block.get("examples")
    parts = examples.values() if isinstance(examples, Mapping) else [examples]
    named = [name_of(part) for part in parts if isinstance(part, str)]
    return ", ".join(named) or "given in memory"
