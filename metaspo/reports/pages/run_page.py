"""A run as a page: what was gained first, then the prompts, the scores, the search, the cost and the examples."""

from pathlib import Path

from ...store import runs
from ...store.database import Store, open_store
from ..pairs import run_pairs
from ..report import report
from .examples import run_examples
from .page import page
from .text_diff import text_diff


def open_run_page(path: str | Path, name: str = "last") -> str:
    """The page of a run by the beginning of its id; raises StoreError when there is none."""
    with open_store(path) as store:
        return run_page(store, runs.find(store.db, name))


def run_page(store: Store, run: runs.Run) -> str:
    """The page of a run, finished or not."""
    found = report(store, run)
    return page(
        "run.html",
        f"Run {run.id[:8]}",
        report=found,
        system_diff=text_diff(found.system_before, found.system_after),
        examples=run_examples(run_pairs(store.db, run.id), run.id),
    )
