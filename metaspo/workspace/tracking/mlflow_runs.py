"""A run as MLflow shows it: one run of MLflow's for each of ours, found again by a tag when ours goes on."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .mlflow_client import import_mlflow

PREFIX = "metaspo_"
"""What the keys of our tags begin with."""

EXPERIMENT = "metaspo"
"""The experiment where none is named, here or in MLflow's own MLFLOW_EXPERIMENT_NAME."""

LONGEST = 500
"""Characters of a parameter."""

STATUS = {"done": "FINISHED", "waiting": "SCHEDULED", "stopped": "KILLED", "running": "RUNNING"}
"""What MLflow calls the ways that a run stands."""

QUIET = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"
"""Keeps it from printing: what goes to standard output is ours."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something to tell MLflow: figures of a round, or how the run stands, with tags."""

    figures: Mapping[str, float] = field(default_factory=dict)
    round: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    at: int = field(default_factory=lambda: int(time.time() * 1000))


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What MLflow is told of a run when it begins."""

    run: str
    parent: str | None
    experiment: str
    params: Mapping[str, str]
    tags: Mapping[str, str]


class MLflowRun:
    """The run of MLflow's. Everything here asks the server, and raises whatever MLflow does."""

    def __init__(self, tracked: TrackedRun) -> None:
        """Find the run, or make it."""
        mlflow = import_mlflow()
        self._entities = mlflow.entities
        self._client = mlflow.MlflowClient()
        name = tracked.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        known = self._client.get_experiment_by_name(name)
        self._experiment = known.experiment_id if known else self._client.create_experiment(name)
        found = self._find(tracked.run)
        if found is None:
            found = self._client.create_run(self._experiment, run_name=tracked.run, tags=self._tags(tracked))
        else:
            self._client.update_run(found.info.run_id, status="RUNNING")
        self.id = found.info.run_id
        new = [mlflow.entities.Param(name, value[:LONGEST]) for name, value in tracked.params.items()
               if name not in found.data.params]  # fmt: skip
        self._client.log_batch(self.id, params=new)

    def tell(self, told: Sequence[Told]) -> None:
        """Log figures and tags, and end the run of MLflow's where ours has ended."""
        figures = [self._entities.Metric(name, value, one.at, one.round) for one in told for name, value in one.figures.items()]
        tags = [self._entities.RunTag(name, value) for one in told for name, value in one.tags.items()]
        self._client.log_batch(self.id, metrics=figures, tags=tags)
        for one in told:
            if one.status:
                with _quiet():
                    self._client.set_terminated(self.id, STATUS[one.status])

    def _find(self, run: str) -> Any:
        found = self._client.search_runs([self._experiment], f"tags.{PREFIX}run = '{run}'", max_results=1)
        return found[0] if found else None

    def _tags(self, tracked: TrackedRun) -> dict[str, str]:
        tags = {f"{PREFIX}run": tracked.run} | {f"{PREFIX}{name}": value for name, value in tracked.tags.items()}
        if tracked.parent is None:
            return tags
        parent = self._find(tracked.parent)
        # Where the parent is there too, MLflow shows the branch under it.
        return tags | {f"{PREFIX}parent": tracked.parent} | ({"mlflow.parentRunId": parent.info.run_id} if parent else {})


@contextmanager
def _quiet() -> Iterator[None]:
    before = os.environ.get(QUIET)
    os.environ[QUIET] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[QUIET]
        else:
            os.environ[QUIET] = before
