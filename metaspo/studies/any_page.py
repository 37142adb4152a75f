"""The page of what a name in a store stands for: a search, a generalization, an adaptation, or two runs compared."""

from pathlib import Path

from ..domain.errors import ConfigError
from ..reports.generalization import open_generalization
from ..reports.pages.comparison_page import comparison_page
from ..reports.pages.generalization_page import generalization_page
from ..reports.pages.run_page import run_page
from ..store import runs
from ..store.database import Store, open_store
from ..store.location import default_store
from ..workspace.generalization import GENERALIZE
from ..workspace.problem import ADAPT


def open_page(path: str | Path | None = None, name: str = "last", other: str | None = None, *, alone: bool = False) -> str:
    """The page of a run by the beginning of its id, as HTML that fetches nothing; of two, the page that compares them.

    A run that is one of an adaptation's searches has the page of that, or its own with `alone`. Raises StoreError where
    there is no such run, ConfigError for two that can't be compared.
    """
    return named_page(path, name, other, alone=alone)[1]


def named_page(
    path: str | Path | None = None, name: str = "last", other: str | None = None, *, alone: bool = False
) -> tuple[str, str]:
    """The same, after the name of the file to keep it in."""
    where = path or default_store()
    with open_store(where) as store:
        run = runs.find(store.db, name)
        if other is not None:
            return _compared(store, run, runs.find(store.db, other))
        if run.method == ADAPT and not alone:
            # Only here, since what plans adaptations takes seconds to load.
            from .adaptation_page import adaptation_page
            from .adaptations import is_adaptation, known_adaptation

            if is_adaptation(run):
                return f"report-{run.id[:8]}.html", adaptation_page(store, known_adaptation(store, run))
        if run.method != GENERALIZE:
            return f"report-{run.id[:8]}.html", run_page(store, run)
        return f"report-{run.id[:8]}.html", generalization_page(store, open_generalization(where, run.id))


def _compared(store: Store, first: runs.Run, second: runs.Run) -> tuple[str, str]:
    for run in (first, second):
        if run.method == GENERALIZE:
            raise ConfigError(f"run {run.id[:8]} is a generalization; only searches can be compared with each other")
    if first.id == second.id:
        raise ConfigError(f"run {first.id[:8]} is named twice; name two runs to compare them")
    return f"report-{first.id[:8]}-{second.id[:8]}.html", comparison_page(store, first, second)
