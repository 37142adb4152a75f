"""What of a run is tracked from its beginning, and by whom."""

from dataclasses import asdict
from importlib.metadata import version

from ...domain.redaction import redact
from ...models.spec import ModelSpec
from ..resources import Workspace
from .mlflow_runs import Told, TrackedRun
from .tracker import Tracker


def begin_tracking(workspace: Workspace, origin: str = "") -> None:
    """Have the run tracked, if its context says so."""
    track = workspace.context.track
    if not track:
        return
    parent = (workspace.problem.parent or (origin or None, 0))[0]
    tracked = TrackedRun(
        workspace.run, parent, track.partition(":")[2], _params(workspace), {"version": version("metaspo")},
    )  # fmt: skip
    workspace.tracker = Tracker(tracked, workspace.account.note)


def left(workspace: Workspace | None) -> None:
    """Have the tracker told that nobody works on the run any more."""
    if workspace is not None and workspace.tracker is not None:
        workspace.tracker.leave(Told(status="done" if workspace.lease.finished else "stopped"))


def _params(workspace: Workspace) -> dict[str, str]:
    context, problem = workspace.context, workspace.problem
    known: dict[str, object] = {
        "method": problem.method,
        "seed": problem.seed,
        "base": _labels(*context.base_models),
        "optimizer": _labels(context.optimizer),
        "tasks": ", ".join(workspace.sources),
        "targets": ", ".join(workspace.targets),
        **asdict(workspace.settings),
    }
    known |= {"analyst": _labels(context.analyst)} if context.analyst else {}
    return {name: str(value) for name, value in known.items() if value != ""}


def _labels(*specs: ModelSpec) -> str:
    return redact(", ".join(spec.label for spec in specs))
