"""Where the runs of a study are worked on: in this process, or on a cluster."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ..domain.errors import ConfigError
from ..models.account import Account
from .batch import BatchListener, Planned, Work

ENGINES = ("ray",)
"""What can be named beside this process."""

ALONE = "a part of a study is worked on in one process: leave out --engine, or --part"
"""What is said where both are asked for."""


@asynccontextmanager
async def engine(
    name: str | None, store: str, planned: Sequence[Planned], account: Account, listener: BatchListener | None
) -> AsyncIterator[Work | None]:
    """What works on the planned runs of a study, None for this process. Raises UserError for what an engine cannot do."""
    if name is None:
        yield None
        return
    if name not in ENGINES:
        raise ConfigError(f"{name!r} is no engine for studies; there is {', '.join(ENGINES)}, or none for this process alone")
    from .cluster.connecting import ray_module
    from .cluster.driver import Cluster
    from .cluster.fitting import refuse_what_stays_here

    ray_module()
    for plan in planned:
        refuse_what_stays_here(plan)
    async with Cluster(store, account, listener or (lambda label, event: None)) as cluster:
        yield cluster.work
