"""A run of whichever kind, read from the store: a search or a generalization."""

from pathlib import Path

from ..store import runs
from ..store.database import open_store
from ..workspace.generalization import GENERALIZE
from .generalization import GeneralizationReport, open_generalization
from .report import Report, report


def open_any(path: str | Path, name: str = "last") -> Report | GeneralizationReport:
    """The report of a run by the beginning of its id, whichever kind it is; raises StoreError when there is none."""
    with open_store(path) as store:
        run = runs.find(store.db, name)
        if run.method != GENERALIZE:
            return report(store, run)
    return open_generalization(path, run.id)
