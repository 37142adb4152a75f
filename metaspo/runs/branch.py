"""A new run from what stood after a round of another one, with other settings. The parent stays as it is."""

from pathlib import Path
from typing import Any

from ..domain.errors import ConfigError
from ..domain.twins import twin_of
from ..methods.branching import start_from, stood_after
from ..store import runs
from ..store.database import default_store, open_store
from ..tasks.documents import check
from ..workspace.serving import trusted
from ..workspace.sizes import on_top
from .config import RunConfig, located, nested
from .optimize import Result, aoptimize
from .session import Listener


@trusted()
def branch_config(path: str | Path, name: str, at: int | None, settings: dict[str, Any]) -> RunConfig:
    """The configuration of a branch: the parent's, what it kept after round `at`, and `settings` on top.

    `at` is the last round of the search if None. A `system_prompt` in the settings is an edited prompt
    to go on from; it keeps the parent's locked parts and is scored before it counts. Raises StoreError and ConfigError.
    """
    with open_store(path) as store:
        parent = runs.find(store.db, name)
        stood = stood_after(store.db, parent, at)
    settings = located(settings, Path())
    start = start_from(stood, parent.config["problem"], settings)
    before = {**parent.config["problem"], **parent.config["context"], "store": str(path), "start": start}
    return check(RunConfig, located(on_top(before, nested(settings, before)), Path()), ConfigError)


async def abranch(
    run: str = "last",
    *,
    at: int | None = None,
    store: str | Path | None = None,
    listener: Listener | None = None,
    **settings: Any,
) -> Result:
    """Start a new run from a round of another one; what is still valid is not paid again.

    `settings` are keys of `RunConfig`: another base or optimizer model, seed, method, sizes, tasks, an
    edited system_prompt. Carried prompts are scored first, from the store where nothing changed.
    """
    return await aoptimize(branch_config(store or default_store(), run, at, settings), listener=listener)


branch = twin_of(abranch)
