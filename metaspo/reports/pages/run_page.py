"""A run as a page: what was gained first, then the prompts, the scores, the search, the cost and the examples."""

from pathlib import Path
from typing import Any

from ...store import runs
from ...store.database import Store, open_store
from ..listing import status
from ..pairs import run_pairs
from ..report import Report, report
from .costs import costs
from .examples import run_examples
from .head import head
from .page import page
from .prompts import prompts
from .scores import scores
from .settings import settings

LARGEST = 1_950_000
"""Bytes of a page, at most: it goes into mails and notebooks."""


def open_run_page(path: str | Path, name: str = "last") -> str:
    """The page of a run by the beginning of its id; raises StoreError when there is none."""
    with open_store(path) as store:
        return run_page(store, runs.find(store.db, name))


def run_page(store: Store, run: runs.Run) -> str:
    """The page of a run, finished or not. The examples have the room that all else leaves."""
    found = report(store, run)
    title, parts = f"Run {run.id[:8]}: {run.method}", _parts(store, found)
    without = page("run.html", title, **parts, examples=None)
    examples = run_examples(run_pairs(store.db, run.id), run.id, LARGEST - len(without.encode()))
    return page("run.html", title, **parts, examples=examples)


def _parts(store: Store, found: Report) -> dict[str, Any]:
    """What the templates show, but for the examples."""
    return {
        "report": found,
        "head": head(found, status(store, found.run)),
        "prompts": prompts(found),
        "scores": scores(found),
        "costs": costs(store.db, found),
        "settings": settings(store.db, found),
    }
