"""A run as a page: what was gained first, then the prompts, the scores, the search, the cost and the examples."""

from pathlib import Path
from typing import Any

from ...store import runs
from ...store.database import Store, open_store
from ..pairs import run_pairs
from ..report import Report, report
from .examples import run_examples
from .page import page
from .text_diff import text_diff

LARGEST = 1_950_000
"""Bytes of a page, at most: it goes into mails and notebooks."""


def open_run_page(path: str | Path, name: str = "last") -> str:
    """The page of a run by the beginning of its id; raises StoreError when there is none."""
    with open_store(path) as store:
        return run_page(store, runs.find(store.db, name))


def run_page(store: Store, run: runs.Run) -> str:
    """The page of a run, finished or not. The examples have the room that all else leaves."""
    found = report(store, run)
    title, parts = f"Run {run.id[:8]}", _parts(found)
    without = page("run.html", title, **parts, examples=None)
    examples = run_examples(run_pairs(store.db, run.id), run.id, LARGEST - len(without.encode()))
    return page("run.html", title, **parts, examples=examples)


def _parts(found: Report) -> dict[str, Any]:
    """What the templates show, but for the examples."""
    return {"report": found, "system_diff": text_diff(found.system_before, found.system_after)}
