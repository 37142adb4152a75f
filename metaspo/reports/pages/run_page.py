"""A run as a page: what was gained first, then the prompts, the scores, the search, the cost and the examples."""

from pathlib import Path
from typing import Any

from ...store import runs
from ...store.database import Store, open_store
from ..listing import status
from ..pairs import run_pairs
from ..report import Report, report
from .candidate_tree import candidate_trees
from .costs import costs
from .examples import run_examples
from .head import head
from .page import page
from .prompts import prompts
from .score_curve import score_curve
from .scores import scores
from .settings import settings
from .tree_picture import tree_picture

LARGEST = 1_950_000
"""Bytes of a page, at most: it goes into mails and notebooks."""


def open_run_page(path: str | Path, name: str = "last") -> str:
    """The page of a run by the beginning of its id; raises StoreError when there is none."""
    with open_store(path) as store:
        return run_page(store, runs.find(store.db, name))


def run_page(store: Store, run: runs.Run) -> str:
    """The page of a run, finished or not. The examples have the room that all else leaves."""
    title, parts = f"Run {run.id[:8]}: {run.method}", _parts(store, report(store, run))
    without = page("run.html", title, **parts, examples=None)
    examples = run_examples(run_pairs(store.db, run.id), run.id, LARGEST - len(without.encode()))
    return page("run.html", title, **parts, examples=examples)


def _parts(store: Store, found: Report) -> dict[str, Any]:
    """What the templates show, but for the examples."""
    trees = candidate_trees(store.db, found.run)
    return {
        "report": found,
        "head": head(found, status(store, found.run)),
        "prompts": prompts(found),
        "scores": scores(found),
        "curve": score_curve(store.db, found.run),
        "trees": trees,
        "tree_picture": tree_picture(trees.system) if trees.system else None,
        "costs": costs(store.db, found),
        "settings": settings(store.db, found),
    }
