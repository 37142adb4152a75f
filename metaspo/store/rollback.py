"""Taking a server's run back: its thread, and what the store says of the runs there, are as they were before it began.

A server's run is one call to work on a thread; the store's run is the search that goes on there. What was paid stays on
record with the calls. What was before is kept in memory, for the newest runs of the server that this process serves.
"""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from sqlite_utils import Database

from .transactions import writing

REMEMBERED = 100
"""Runs of a server that can be taken back with what the store says."""

OF_RUNS = ("rounds", "candidates", "standing", "run_evaluations", "run_tasks", "dealt", "answers", "events")
"""The tables that say what became of a run, beside its row in `runs`."""

Rows = dict[str, list[tuple[Any, ...]]]
"""Rows by table."""

InStore = Callable[..., Awaitable[Any]]
"""Runs a function of a database, and further arguments, where the store is."""


@dataclass(slots=True)
class Before:
    """What there was before a server's run: its thread's newest checkpoint, and the rows of the runs there.

    `writes` is what was written at the checkpoints that it goes on from.
    """

    thread: str
    newest: str | None
    rows: Rows
    writes: dict[str, tuple[RunnableConfig, list[tuple[str, str, Any]]]] = field(default_factory=dict)


class TakenBack(BaseCheckpointSaver[str]):
    """Mixed into a saver of LangGraph's: a server's runs can be taken back. `in_store` is where the runs' rows are."""

    in_store: InStore | None = None

    @cached_property
    def _before(self) -> OrderedDict[str, Before]:
        return OrderedDict()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint; where a server's run asks for it, what is there is remembered first."""
        found = await super().aget_tuple(config)
        run = server_run(config)
        if run and self.in_store:
            await self._remember(run, config, found)
        return found

    async def adelete_for_runs(self, run_ids: Iterable[str]) -> None:
        """Take back runs of a server: what they kept goes, and where nothing came after them all is as it was before."""
        for run in map(str, run_ids):
            await self.delete_of(run)
            before = self._before.pop(run, None)
            if before is None or self.in_store is None or await self._newest(before.thread) != before.newest:
                continue
            for config, writes in before.writes.values():
                await self.delete_writes(config)
                for task in dict.fromkeys(task for task, _, _ in writes):
                    await self.aput_writes(config, [(channel, value) for one, channel, value in writes if one == task], task)
            await self.in_store(put_back, before.thread, before.rows)

    @abstractmethod
    async def delete_of(self, run: str) -> None:
        """Delete the checkpoints that a server's run has kept, with what was written at them."""

    @abstractmethod
    async def delete_writes(self, config: RunnableConfig) -> None:
        """Delete what was written at a checkpoint."""

    async def _remember(self, run: str, config: RunnableConfig, found: CheckpointTuple | None) -> None:
        thread = str(config["configurable"]["thread_id"])
        if run not in self._before:
            assert self.in_store is not None
            rows = await self.in_store(rows_of, thread)
            self._before[run] = Before(thread, await self._newest(thread), rows)
            while len(self._before) > REMEMBERED:
                self._before.popitem(last=False)
        # What the run keeps itself goes when it is taken back.
        if found is not None and dict(found.metadata).get("run_id") != run:
            id = found.checkpoint["id"]
            self._before[run].writes.setdefault(id, (found.config, list(found.pending_writes or [])))

    async def _newest(self, thread: str) -> str | None:
        found = await super().aget_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})
        return found.checkpoint["id"] if found else None


def server_run(config: RunnableConfig) -> str | None:
    """The run of a server that a config is of, None where no server runs."""
    said = (config.get("configurable", {}).get("run_id"), config.get("metadata", {}).get("run_id"), config.get("run_id"))
    return next((str(one) for one in said if one), None)


def rows_of(db: Database, thread: str) -> Rows:
    """What the store says of the runs of a thread."""
    found = {"runs": db.execute("SELECT * FROM runs WHERE coalesce(thread, id) = ?", [thread]).fetchall()}
    for table in OF_RUNS:
        asked = f"SELECT * FROM {table} WHERE run IN (SELECT id FROM runs WHERE coalesce(thread, id) = ?)"
        found[table] = db.execute(asked, [thread]).fetchall()
    return found


def put_back(db: Database, thread: str, before: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
    """Have the store say of a thread's runs what it said before; a run that another one has branched off from stays."""
    of_thread = "SELECT id FROM runs WHERE coalesce(thread, id) = ?1"
    free = f"{of_thread} AND id NOT IN (SELECT parent FROM runs WHERE parent IS NOT NULL AND coalesce(thread, id) <> ?1)"
    with writing(db):
        gone = [id for (id,) in db.execute(free, [thread]).fetchall()]
        for table in (*OF_RUNS, "runs"):
            key = "id" if table == "runs" else "run"
            db.conn.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(id,) for id in gone])
        for table in ("runs", *OF_RUNS):
            rows = before[table]
            if rows:
                db.conn.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        # Whoever worked there when it was remembered has left it.
        left = (
            f"UPDATE runs SET status = 'stopped', reason = 'it was taken back' WHERE status = 'running' AND id IN ({of_thread})"
        )
        db.execute(left, [thread])
