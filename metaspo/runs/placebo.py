"""The placebo of a run: the same search once more with unrelated texts, when the run itself is done."""

import asyncio
import contextlib

from ..domain.calls import Usage
from ..models.account import Account
from ..store import calls, runs
from ..store.database import open_store
from ..workspace.context import Context
from ..workspace.known import stored_input
from ..workspace.problem import Problem
from .session import Listener, run_session


async def run_placebo(run: str, context: Context, listener: Listener | None = None) -> None:
    """Do what is missing of a run's placebo, if it has one and is done itself.

    The placebo may use what is left of the run's budget. Whatever becomes of it, the run stays as it is:
    where the placebo stops, its own row in the store says why, and to resume the run is to go on with it.
    """
    problem = await asyncio.to_thread(placebo_problem, context.store, run)
    if problem is None:
        return
    account, begun = await asyncio.to_thread(_account, context, run)
    # Nobody is asked about a text that is no proposal.
    own = context.model_copy(update={"approve": "none"})
    # It is a control of a result that is there already: no mistake in it, ours included, may cost that.
    with contextlib.suppress(Exception):
        await run_session(runs.placebo_id(run), own, None if begun else problem, listener, account)


def placebo_problem(path: str, run: str) -> Problem | None:
    """What the placebo of a run works on; None where there is none to do: not asked for, done, or the run is not done."""
    with open_store(path) as store:
        found, placebo = runs.find(store.db, run), runs.known(store.db, runs.placebo_id(run))
    if found.status != "done" or (placebo and placebo.status == "done") or not found.config["problem"].get("placebo"):
        return None
    problem = stored_input(found.config)
    if not isinstance(problem, Problem) or not problem.schedule():
        return None
    return problem.model_copy(update={"placebo": False, "method": f"{runs.PLACEBO}{problem.method}"})


def _account(context: Context, run: str) -> tuple[Account, bool]:
    """The account of a run and its placebo together, and whether the placebo was begun before."""
    usage, seconds = Usage(), 0.0
    with open_store(context.store) as store:
        both = [one for id in (run, runs.placebo_id(run)) if (one := runs.known(store.db, id))]
        for one in both:
            usage.include(calls.usage(store.db, one.id))
            seconds += one.seconds
    return Account("", context.budget, usage, seconds), len(both) == 2
