"""What of a run is kept: each prompt as a version, with what the run found out about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...domain.errors import ConfigError
from ...domain.prompts import Level, Prompt
from ...domain.redaction import redact
from ...domain.significance import Change
from ...store.runs import PLACEBO
from ..controls import TaskReport
from ..gained import gained_says
from ..report import Report

PREFIX = "metaspo_"
"""What the keys of our metadata begin with, where others put theirs beside them. No dots: some registries take none."""


@dataclass(frozen=True, slots=True)
class Version:
    """A prompt as it is kept. `task` is "" for the system prompt.

    `about` says where it comes from, `scores` what it scored: all in [0, 1], differences in [-1, 1] with the ends of
    their 95% intervals. Neither holds a key or an address. `says` is what the run gained, in a sentence or two.
    """

    kind: Level
    task: str
    text: str
    about: Mapping[str, Any]
    scores: Mapping[str, float | int]
    says: str

    @property
    def run(self) -> str:
        """The run that it is of."""
        return str(self.about["run"])

    @property
    def mark(self) -> str:
        """What a registry calls the version of this run."""
        return f"run-{self.run[:8]}"

    @property
    def confirmed(self) -> bool:
        """Whether examples that chose nothing confirm it."""
        return bool(self.about["verdict"] == "confirmed")

    @property
    def metadata(self) -> dict[str, Any]:
        """All that is known of it, flat, by keys of ours."""
        known = {**self.about, **self.scores}
        return {PREFIX + name: value for name, value in known.items()} | {PREFIX + "digest": self.digest}

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that tell it from any other: text, origin and scores."""
        said = json.dumps([self.text, dict(self.about), dict(self.scores)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def versions(report: Report, *, unfinished: bool = False) -> list[Version]:
    """The user prompt of each source task, then the system prompt; raises ConfigError for a run with nothing to keep."""
    _check(report, unfinished)
    system = Prompt("system", report.system_after)
    tested = {task.name: task for task in report.tasks}
    run, says = _about(report), gained_says(report)
    users = []
    for task, texts in report.user_after.items():
        prompt = Prompt("user", texts[0])
        about = {"task": task, "prompt": prompt.id, "system_prompt": system.id, **run}
        users.append(Version("user", task, texts[0], about, task_scores(tested.get(task)), says))
    about = {"task": "", "prompt": system.id, "tasks": sorted(report.user_after), **run}
    return [*users, Version("system", "", report.system_after, about, run_scores(report), says)]


def _check(report: Report, unfinished: bool) -> None:
    run, name = report.run, report.run.id[:8]
    if run.method.startswith(PLACEBO):
        raise ConfigError(f"run {name} is a control: its prompts are unrelated texts; push the run that it is the control of")
    if run.status != "done" and not unfinished:
        raise ConfigError(
            f"run {name} is not done ({run.status}); 'metaspo resume {name}' goes on with it, and --unfinished pushes what it "
            "has found so far"
        )
    if not report.system_after or not report.user_after:
        raise ConfigError(f"run {name} has not come to any prompts yet; go on with it first")


def _about(report: Report) -> dict[str, Any]:
    cost = {} if report.usage.cost is None else {"cost": report.usage.cost}
    return {
        "run": report.run.id,
        "status": report.run.status,
        "verdict": report.verdict,
        "method": report.run.method,
        "base": redact(report.base),
        "optimizer": redact(report.optimizer),
        "version": report.run.version,
        "created": report.run.created,
        "calls": report.usage.total_calls,
        **cost,
    }


def run_scores(report: Report) -> dict[str, float | int]:
    """What a run's prompts scored: means over its source tasks, and the change on unseen ones."""
    found: dict[str, float | int] = {}
    sources = [task for task in report.tasks if task.role == "source"]
    if sources and report.source is not None:
        before, after = ([getattr(task, side) for task in sources] for side in ("before", "after"))
        found |= {"test_before": _mean(before), "test_after": _mean(after), **_change("test", report.source)}
    if report.target is not None:
        found |= _change("unseen", report.target)
    if report.confirmation is not None:
        found |= _change("confirmation", report.confirmation.change)
    if report.train_before is not None and report.train_after is not None:
        found |= {"train_before": report.train_before, "train_after": report.train_after}
    return {name: round(value, 6) for name, value in found.items()}


def task_scores(task: TaskReport | None) -> dict[str, float | int]:
    """What one task's prompts scored on its test examples."""
    if task is None:
        return {}
    change = {"test_change": task.difference.value, "test_low": task.difference.low, "test_high": task.difference.high}
    found = {"test_before": task.before, "test_after": task.after, **change}
    return {name: round(value, 6) for name, value in found.items()} | {"test_examples": task.examples}


def _change(where: str, change: Change) -> dict[str, float | int]:
    return {
        f"{where}_change": change.value,
        f"{where}_low": change.low,
        f"{where}_high": change.high,
        f"{where}_p": change.p,
        f"{where}_examples": change.examples,
    }


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
