"""The desk of a study: one process has it, and the workers in all others ask it."""

from pathlib import Path
from typing import Any

from ...domain.errors import MetaspoError
from ...store.database import Store
from ..account import Account
from .messages import Worker


class Desk:
    """What the workers of a study share: its store, its account, the limits of its endpoints. Used on one event loop.

    `store` is the study's own, open from `open` to `close`: whoever joins the stores of runs into it does so with
    `desk.store.run(...)`. `account` holds the budget of the study, and its totals follow from what is recorded.
    """

    store: Store
    account: Account

    def __init__(self, path: str | Path, account: Account) -> None:
        """Lead a study whose store is at `path`, within the budget of an account that has what was paid before."""
        self._path, self.account = path, account

    async def open(self) -> "Desk":
        """Open the store, and be ready to answer."""
        raise NotImplementedError

    async def answer(self, worker: Worker, what: str, args: tuple[Any, ...]) -> Any:
        """Answer what a worker asks, see messages; never raises for what it is asked, a refusal is a `Reason`.

        The first word of a newer attempt at a run takes the place of an older one, which is refused from then on.
        """
        raise NotImplementedError

    async def forget(self, run: str) -> None:
        """The worker of a run is gone, whatever became of it: its claims, slots and reservations come back at once.

        The attempt is over: should it still be alive, it is refused, and only a higher one may work on the run.
        """
        raise NotImplementedError

    def stop(self, reason: MetaspoError | None = None) -> None:
        """End the study for all workers: no further call starts, calls in flight finish. The first reason stands."""
        raise NotImplementedError

    async def close(self) -> None:
        """End all that waits here, and close the store."""
        raise NotImplementedError
