"""A new run from what stood after a round of another one, with other settings. The parent stays as it is."""

from pathlib import Path
from typing import Any

from sqlite_utils import Database

from ..domain.errors import ConfigError
from ..domain.twins import twin_of
from ..methods.rounds import idle_steps
from ..store import prompts, runs
from ..store.database import default_store, open_store
from ..tasks.documents import check
from ..workspace.method import fixed_prompt
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
        start = _start(store.db, parent, at)
        if settings.get("method", parent.method) != parent.method:
            start |= {"steps": 0, "beam": [], "idle": 0}  # another method has not begun yet
        start["system_prompt"] = fixed_prompt(settings.get("method", "")) or start["system_prompt"]
    if "system_prompt" in settings:
        start["system_prompt"] = settings.pop("system_prompt")
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


def _start(db: Database, parent: runs.Run, at: int | None) -> dict[str, Any]:
    closed = {row.round for row in prompts.rounds(db, parent.id) if row.level not in ("confirm", "test")}
    if not closed:
        raise ConfigError(f"run {parent.id[:8]} has closed no round yet; resume it instead")
    if at is None:
        at = max(closed)
    if at not in closed:
        raise ConfigError(f"run {parent.id[:8]} has no round {at} to branch from; it has {', '.join(map(str, sorted(closed)))}")
    pairs = prompts.kept_pairs(db, parent.id, at)
    beam = prompts.beam(db, parent.id, at)
    texts = prompts.prompt_texts(db, sorted({pair.user for pair in pairs} | {pairs[0].system, *beam}))
    users: dict[str, list[str]] = {}
    for pair in pairs:
        users.setdefault(pair.task, []).append(texts[pair.user])
    before = parent.config["problem"].get("start") or {"round": 0, "steps": 0}
    steps = before["steps"] + at - before["round"]
    own = [row.accepted for row in prompts.rounds(db, parent.id) if row.round <= at and row.level in ("user", "system")]
    idle = idle_steps(own, before.get("idle", 0))
    return {
        "run": parent.id, "round": at, "steps": steps, "system_prompt": texts[pairs[0].system], "user_prompts": users,
        "beam": [texts[id] for id in beam], "idle": idle,
    }  # fmt: skip
