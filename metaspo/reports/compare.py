"""Two runs side by side: what differs in their settings, prompts and scores."""

from typing import Any

from .notebook.shown import Shown
from .report import Report


class Comparison(Shown, dict[str, Any]):
    """What differs between two runs, by name; a list of two where each has its own, the first run's first."""


def compare(first: Report, second: Report) -> Comparison:
    """The settings that differ, the prompts and verdicts of both, and both test scores of every task; scores in [0, 1]."""
    settings = (_settings(first), _settings(second))
    keys = sorted(settings[0].keys() | settings[1].keys())
    scores = [{task.name: task.after for task in report.tasks} for report in (first, second)]
    names = list(dict.fromkeys([*scores[0], *scores[1]]))
    users = list(dict.fromkeys([*first.user_after, *second.user_after]))
    return Comparison(
        {
            "runs": [first.run.id, second.run.id],
            "settings": {
                key: [side.get(key) for side in settings] for key in keys if settings[0].get(key) != settings[1].get(key)
            },
            "system": [first.system_after, second.system_after],
            "users": {name: [report.user_after.get(name, [""])[0] for report in (first, second)] for name in users},
            "tasks": {name: [side.get(name) for side in scores] for name in names},
            "verdict": [first.verdict, second.verdict],
            "train": [first.train_after, second.train_after],
            "calls": [first.usage.total_calls, second.usage.total_calls],
            "cost": [first.usage.cost, second.usage.cost],
            "unpriced": [first.usage.unpriced, second.usage.unpriced],
        }
    )


def _settings(report: Report) -> dict[str, Any]:
    problem = {key: value for key, value in report.run.config["problem"].items() if key not in ("start", "tasks", "targets")}
    if problem.get("from_run"):
        problem["from_run"] = problem["from_run"]["run"][:8]
    sizes = report.run.config["settings"]
    own = " ".join(f"{name} {short}" for name, short in report.optimizer_prompts.items())
    return {
        **problem,
        **sizes,
        "base": report.base,
        "optimizer": report.optimizer,
        "analyst": report.analyst,
        "optimizer_prompts": own,
    }
