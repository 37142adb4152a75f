"""The runs of a store, a line each."""

from pathlib import Path
from typing import Any

from ..store import calls, leases, prompts, runs
from ..store.database import Store, open_store


def status(store: Store, run: runs.Run) -> str:
    """A run's status; "killed" when it says "running" and nobody works on it."""
    return "killed" if run.status == "running" and not leases.is_held(store.db, run.id) else run.status


def list_runs(path: str | Path) -> list[dict[str, Any]]:
    """Every run, oldest first: id, parent, status, method, last closed round and its score, paid calls and their cost."""
    with open_store(path) as store:
        rows, every = [], runs.briefly(store.db)
        # A placebo stands below the run that it is the control of.
        of = {runs.placebo_id(run.id): run.id for run in every}
        for run in every:
            paid = calls.usage(store.db, run.id)
            closed = prompts.rounds(store.db, run.id)
            rows.append(
                {
                    "run": run.id,
                    "parent": of.get(run.id, run.parent),
                    "status": status(store, run),
                    "method": run.method,
                    "round": closed[-1].round if closed else None,
                    "score": closed[-1].score if closed else None,
                    "calls": paid.total_calls,
                    "cost": paid.cost,
                    "unpriced": paid.unpriced,
                    "started": run.created,
                }
            )
        return rows
