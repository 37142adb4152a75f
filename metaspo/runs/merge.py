"""Stores joined, and runs moved from one to another: the order of the steps, and what is said of them."""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..domain.counting import counted
from ..domain.errors import ConfigError, StoreError
from ..domain.paths import path_of
from ..domain.twins import twin_of
from ..store import leases, runs
from ..store.checkpoints import ELSEWHERE
from ..store.database import Store, default_store, explain, now
from ..store.files import is_alone, refuse_path
from ..store.joining.extract import descendants, extract, own_runs
from ..store.joining.join import Every, Joined, join
from ..store.joining.rows import remove_runs
from ..store.transactions import writing


@dataclass(frozen=True, slots=True)
class Merged:
    """What came into the store `into`, by what it has now; `says` is that in sentences."""

    into: str
    joined: Joined
    says: list[str]

    def as_data(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)


async def amerge(into: str | Path, *froms: str | Path, further: bool = False) -> Merged:
    """Join store files into another one, which is made if it is missing: all of them, or nothing.

    The same row twice is one. A run that stands in two of them at different points is refused with what differs; with
    `further` the one that goes on from where the other stands is taken. The files `froms` stay as they are. Raises
    StoreError where a file is none of ours or damaged, RunHeldError where somebody works on a run that would be joined.
    """
    return await asyncio.to_thread(_merge, path_of(into), [path_of(one) for one in froms], further)


async def amove(
    run: str, *, to: str | Path, store: str | Path | None = None, copy: bool = False, further: bool = False
) -> Merged:
    """Take a run, by the beginning of its id, out of a store and into another file, with all that it needs there.

    Its placebo and the runs of its thread go along, the runs that it descends from as copies. With `copy` it stays here as
    well. What it asked stays here in any case: that is paid, and others may need it. Killed in the middle, the same again
    finishes it. Raises StoreError where there is no such run, where runs here descend from it, or as `merge` does.
    """
    return await asyncio.to_thread(_move, run, path_of(store or default_store()), path_of(to), (copy, further))


merge = twin_of(amerge)
move = twin_of(amove)


def _merge(into: Path, froms: Sequence[Path], further: bool) -> Merged:
    if not froms:
        raise ConfigError("name the store files that are to be joined into it: metaspo merge INTO FROM...")
    for origin in froms:
        refuse_path(origin, create=False)
    allowed = Every() if further else ()
    if len(froms) == 1:
        return _told(into, froms, _joined(into, froms[0], allowed))
    for origin in froms:
        if into.exists() and os.path.samefile(into, origin):
            raise StoreError(f"{origin} and {into} are the same file; name two")
    # Beside an open file SQLite takes only a few: they are put together first, so that what comes in then is one file.
    with tempfile.TemporaryDirectory(prefix="metaspo-") as folder:
        together = Path(folder) / "together.db"
        try:
            parts = [_joined(together, origin, allowed) for origin in froms]
            joined = _joined(into, together, allowed)
        except StoreError as error:
            # Where SQLite failed it is the disk of temporary files that is full or broken.
            named = f"{folder} (TMPDIR)" if error.__cause__ else f"another one of {' and '.join(map(str, froms))}"
            raise type(error)(str(error).replace(str(together), named)) from None
    joined.lost = sum(part.lost for part in parts)
    return _told(into, froms, joined)


def _joined(into: Path, origin: Path, further: Any) -> Joined:
    """Join one file; where there was no store before and it fails there is none after."""
    made = not into.exists()
    store = Store(into)
    try:
        joined = join(store.db, origin, further=further)
        store.refuse_lost()
        made = False
        return joined
    except sqlite3.Error as error:
        raise explain(error, into) from error
    finally:
        # Another process may be about to join into it as well.
        made = made and not runs.all_runs(store.db) and is_alone(store.db.conn)
        store.close()
        if made:
            for end in ("", "-wal", "-shm"):
                into.with_name(into.name + end).unlink(missing_ok=True)


def _move(name: str, origin: Path, target: Path, how: tuple[bool, bool]) -> Merged:
    copy, further = how
    refuse_path(target, create=True)
    store = Store(origin, create=False, writes=not copy)
    try:
        run = _found(store, name, target)
        if run is None:
            return Merged(str(target), Joined(), [f"run {name} stands in {target}, and not in {origin} any more"])
        own = own_runs(store.db, run, "runs")
        if copy:
            leases.refuse_held(store.db, own)
            joined = extract(origin, run, target, further=Every() if further else ())
        else:
            joined = _moved(store, own, target, further)
    except sqlite3.Error as error:
        raise explain(error, origin) from error
    finally:
        store.close()
    return Merged(str(target), joined, _says(own, origin, joined, (target, copy)))


def _moved(store: Store, own: Sequence[str], target: Path, further: bool) -> Joined:
    """Have runs in the target first, and then not here any more."""
    if left := descendants(store.db, own):
        raise StoreError(
            f"{', '.join(left)} in {store.path} {'descend' if len(left) > 1 else 'descends'} from run {own[0]}; "
            "move that first, or leave this one here as well with --copy"
        )
    held: list[leases.Lease] = []
    try:
        threads = {one: found.thread_id for one in own if (found := runs.known(store.db, one))}
        # Nobody goes on with them meanwhile. A run that has its thread's id asks whether others of the thread are held.
        for one in sorted(own, key=lambda one: threads.get(one) != one):
            held.append(leases.acquire(store.db, one, now()))
        joined = extract(store.path, own[0], target, further=Every() if further else ())
        with writing(store.db):
            if not all(leases.beat(store.db, lease) for lease in held):
                raise StoreError(
                    f"run {own[0]} is in {target} now, and somebody works on it in {store.path} again: it stays here"
                )
            remove_runs(store.db, own, [*threads.values()])
        return joined
    finally:
        for lease in held:
            leases.release(store.db, lease)


def _found(store: Store, name: str, target: Path) -> str | None:
    """The run of that name; None where it has been moved already."""
    try:
        return runs.find(store.db, name).id
    except StoreError:
        if name == "last" or not target.exists():
            raise
        there = Store(target, create=False)
        try:
            with contextlib.suppress(StoreError):
                runs.find(there.db, name)
                return None
        finally:
            there.close()
        raise


def _says(own: Sequence[str], origin: Path, joined: Joined, to: tuple[Path, bool]) -> list[str]:
    target, copy = to
    others = [run for run in joined.runs if run not in own]
    says = [
        f"{'copied' if copy else 'moved'} run {own[0]} from {origin} to {target}"
        + (f", with {', '.join(own[1:])}" if own[1:] else "")
        + f": {counted(joined.calls, 'call')} and {counted(joined.evaluations, 'evaluation')} went along,"
        f" and stay in {origin} too"
    ]
    if others:
        says.append(f"it descends from {', '.join(others)}: copied, and still in {origin} too")
    return [*says, *_remarks(target, joined)]


def _told(into: Path, froms: Sequence[Path], joined: Joined) -> Merged:
    came = _counts(len(joined.runs), joined.calls, joined.evaluations)
    known = _counts(len(joined.known_runs), joined.known_calls, joined.known_evaluations)
    says = [f"joined {', '.join(map(str, froms))} into {into}: {came}; {known} were there already", *_remarks(into, joined)]
    return Merged(str(into), joined, says)


def _counts(found: int, calls: int, evaluations: int) -> str:
    return f"{counted(found, 'run')}, {counted(calls, 'call')} and {counted(evaluations, 'evaluation')}"


def _remarks(into: Path, joined: Joined) -> list[str]:
    """What somebody should know of what came."""
    said = [f"run {run} stands further on in {into}, and stays as it is there" for run in joined.kept]
    if joined.lost:
        said.append(f"{counted(joined.lost, 'call')} had been lost from what was joined: 'metaspo verify' there says of what")
    said += [
        f"run {run} descends from run {parent}, which is in neither; join the store that it is in as well"
        for run, parent in joined.orphans.items()
    ]
    if joined.elsewhere:
        where = f"where {ELSEWHERE} said" if not os.environ.get(ELSEWHERE) else f"where {ELSEWHERE} says, and stay there"
        said.append(
            f"the checkpoints of {', '.join(joined.elsewhere)} are not in the file but {where}: "
            "whoever goes on with it needs that address"
        )
    return said
