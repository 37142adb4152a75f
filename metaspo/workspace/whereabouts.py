"""A thread that is picked up where its run is not: said before anything is written, so that it goes on where that is.

A thread's checkpoints hold ids, and its run's store all else. Several processes may share the checkpoints; a store is one's.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple
from langgraph.config import get_config

from ..compat import pending_sends, shown_in
from ..domain.errors import ElsewhereError
from ..domain.paths import path_of
from ..models.registry import registry
from ..store.chains import BEGINS
from ..store.database import open_store
from ..store.location import RUNS_IN, refuse_elsewhere, serves, told, whereabouts
from ..store.relied import Lacking, Relied, lacking

LOGGER = logging.getLogger("metaspo.server")

LISTS = ("candidates", "induced", "beam", "scores", "analyses")
"""The channels of a state that hold what names prompts, evaluations and calls."""


def relied_on(
    thread: str, values: Mapping[str, Any], jobs: Iterable[Mapping[str, Any]], *, forks: bool = False
) -> Relied | None:
    """What a thread needs of a store to go on from these values and jobs; None where it has not begun.

    Where an edit has begun a fork, that is the run that it goes on from: the fork's own has yet to be recorded.
    """
    if forks:
        origin = values.get("fork_of")
        return Relied(str(origin)) if origin else None
    jobs = [*jobs]
    named = next((job["run"] for job in jobs if job.get("run")), values.get("run"))
    if not named and not (jobs or values.get("rounds") or values.get("scores")):
        return None
    found = Relied(str(named or thread), frozenset(row["round"] for row in values.get("rounds") or []))
    kept = [one for several in (values.get("kept") or {}).values() for one in several]
    listed = [one for name in LISTS for one in values.get(name) or []]
    for one in (values.get("incumbent"), *kept, *listed, *jobs):
        _note(found, one or {})
    return found


def shown_to(state: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """What the thread of the node at work shows, and the job of the node, if it has one: what `relied_on` takes.

    Inside another graph nobody but a node sees either. Input that is taken in shows what the thread was before it.
    """
    shown = shown_in(get_config()["configurable"], ("run", "rounds", "kept", "incumbent", *LISTS))
    return shown, [state] if "task" in state else []


def _note(found: Relied, one: Mapping[str, Any]) -> None:
    """Add what a prompt, a score or a job names."""
    single = (one.get(name) for name in ("id", "system", "user"))
    found.prompts.update(id for id in (*single, *(one.get("users") or {}).values(), *(one.get("kept") or ())) if id)
    found.evaluations.update({one["evaluation"]} if one.get("evaluation") else ())
    found.calls.update({one["analysis"]} if one.get("analysis") else ())


def relied_on_at(thread: str, kept: CheckpointTuple | None) -> Relied | None:
    """The same at a checkpoint, with what tasks there have written already."""
    if kept is None:
        return None
    values = kept.checkpoint["channel_values"]
    sends, waiting = pending_sends(kept.checkpoint)
    written = [
        one
        for _, channel, value in kept.pending_writes or []
        if channel in LISTS and isinstance(value, list)
        for one in value
        if isinstance(one, Mapping)
    ]
    return relied_on(thread, values, [*sends, *written], forks=waiting is not None and BEGINS not in values)


def refuse_strayed(path: str, thread: str, kept: CheckpointTuple | None) -> None:
    """Raise ElsewhereError where the run of a thread, as it stands at a checkpoint, is not in the store at `path`."""
    relied = relied_on_at(thread, kept)
    if relied is not None:
        refuse_lacking(path, relied, kept)


async def arefuse_strayed(path: str, thread: str, kept: CheckpointTuple | None) -> None:
    """The same in an event loop; a server's store, which is there before its clients come, is asked for new threads too."""
    if serves():
        await asyncio.to_thread(refuse_elsewhere, path)
        await registry().ledger(path)
    await asyncio.to_thread(refuse_strayed, path, thread, kept)


def refuse_lacking(path: str, relied: Relied, kept: CheckpointTuple | None = None) -> None:
    """Raise ElsewhereError where a store lacks what is relied on."""
    file, lost = path_of(path), None
    there = file.is_file() and file.stat().st_size > 0
    if there:
        with open_store(path) as store:
            lost = lacking(store.db, relied)
    if there and lost is None:
        return
    last = str(dict(kept.metadata).get(RUNS_IN) or "") if kept else ""
    said = _older(path, relied, lost) if lost and not lost.run else _absent(path, relied.run, last, there)
    if serves():
        LOGGER.warning("%s (looked for in %s)", said, file.absolute())
    raise ElsewhereError(said)


def _absent(path: str, run: str, last: str, there: bool) -> str:
    where = f"the store {told(path)}" + ("" if there else ", which does not exist")
    known = f"; it was last worked on with {last}" if last and last != whereabouts(path) else ""
    return (
        f"run {run}, which this thread goes on with, is not in {where}{known}: start here with the store that has it, or bring "
        f"it from there with 'metaspo move {run} --to FILE' or 'metaspo merge'; the thread was left as it is; new work "
        "begins in a new one"
    )


def _older(path: str, relied: Relied, lost: Lacking) -> str:
    most = max(relied.rounds, default=None)
    closed = f"it closed round {most}" if most is not None else "its first round was at work"
    known = f"knows it to round {lost.last}" if lost.last is not None else "knows none of its rounds"
    stands = f"{known}, and in this thread {closed}" if lost.rounds else f"{known}, and not what the thread has of the next"
    return (
        f"the store {told(path)} is older than this thread of run {relied.run}: it {stands}; put the newer store in its place, "
        "or, where that is lost, run the thread on from an earlier checkpoint; the thread was left as it is"
    )
