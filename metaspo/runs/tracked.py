"""How a session ends is told to whoever tracks the run: status, verdict, test scores."""

import asyncio
import re
from contextlib import suppress

from ..domain.errors import AwaitsApproval, AwaitsBatch
from ..reports.any_run import open_any
from ..reports.gained import gained_says
from ..reports.kept.version import run_scores, task_scores
from ..reports.report import Report
from ..workspace.resources import Workspace
from ..workspace.tracking.mlflow_runs import PREFIX, Told

DESCRIPTION = "mlflow.note.content"
"""The tag that MLflow shows as a run's description."""


async def end_tracking(workspace: Workspace, stopped: BaseException | None) -> None:
    """Tell the tracker, if there is one; that it can't be told is no mistake of the run's."""
    if workspace.tracker is None:
        return
    waits = isinstance(stopped, AwaitsApproval | AwaitsBatch)
    status = "done" if workspace.lease.finished else "waiting" if waits else "stopped"
    told = Told(status=status)
    with suppress(Exception):
        told = await asyncio.to_thread(_ending, str(workspace.store.path), workspace.run, status)
    await workspace.tracker.close(told)


def _ending(path: str, run: str, status: str) -> Told:
    report = open_any(path, run)
    figures: dict[str, float] = {"calls": report.usage.total_calls}
    figures |= {"cost": report.usage.cost} if report.usage.cost is not None else {}
    tags = {f"{PREFIX}status": status, DESCRIPTION: gained_says(report)}
    last = 0
    if isinstance(report, Report):
        last = report.rounds[-1].round if report.rounds else 0
        tags[f"{PREFIX}verdict"] = report.verdict
        if status == "done":
            figures |= run_scores(report)
            for task in report.tasks:
                where = re.sub(r"[^\w.\- ]", "_", task.name)[:200]
                figures |= {f"{name}/{where}": value for name, value in task_scores(task).items()}
    return Told(figures, last, tags, status)
