"""What cannot be done on a cluster is refused before anything is started."""

import json
from pathlib import Path

from ...domain.errors import ConfigError
from ...tasks.given import OBJECT
from ..batch import Planned

COPIED = "working_dir_files"
"""The folder in which Ray keeps the copies of working folders that come with jobs, for as long as they last."""


def refuse_what_stays_here(plan: Planned) -> None:
    """Raise ConfigError for what a run needs of one process alone: objects that were given in Python, and batches."""
    context = plan.context
    specs = [*context.base_models, context.optimizer, *([context.analyst] if context.analyst else [])]
    here = [spec.label for spec in specs if spec.provider == "object"]
    if f'"{OBJECT}' in json.dumps(plan.problem.model_dump(mode="json")):
        here.append("a function of a task")
    if here:
        raise ConfigError(
            f"{here[0]} was given as a Python object, which no other process has: put it into a module that every node of the "
            "cluster can import, or do the study without an engine"
        )
    if batched := [spec.label for spec in specs if spec.batch]:
        raise ConfigError(
            f"{batched[0]} is asked in batches, which the runs of a cluster can't share: leave out batch, or do the study "
            "without an engine"
        )


def refuse_what_vanishes(store: Path) -> None:
    """Raise ConfigError for a store in a folder that Ray removes when its job has ended."""
    if COPIED in store.parts:
        raise ConfigError(
            f"{store} is in a copy that Ray removes with the job; name a path that stays with --store, and --output likewise"
        )
