"""What a run waits for, and a person's answer to it."""

from pathlib import Path
from typing import cast

from langgraph.types import StateSnapshot

from ..approval.request import Request
from ..domain.errors import ConfigError
from ..graph.bilevel import graph
from ..graph.editing import kept_by
from ..store import runs
from ..store.answers import newest
from ..store.chains import last_checkpoint
from ..store.checkpoints import open_checkpointer
from ..store.database import open_store


def asked(state: StateSnapshot) -> Request | None:
    """What a thread waits for, None when it waits for nobody."""
    if not state.interrupts:
        return None
    # Earlier versions asked without an id.
    return cast(Request, {"id": "", "problems": {}, **state.interrupts[0].value})


async def pending(path: str | Path, name: str = "last") -> tuple[str, Request]:
    """The run of that name and what it waits for; raises ConfigError when it waits for nothing."""
    with open_store(path) as store:
        found = runs.find(store.db, name)
    run = found.id
    async with open_checkpointer(path) as saver:
        config = await last_checkpoint(saver, found.thread_id, run)
        request = asked(await kept_by(graph, saver).aget_state(config)) if config else None
    if request is None:
        with open_store(path) as store:
            last = newest(store.db, run)
        answered = f": {last.person or 'somebody'} answered question {last.request}, its last" if last else ""
        raise ConfigError(f"run {run[:8]} waits for no approval{answered}; go on with: metaspo resume {run[:8]}")
    return run, request
