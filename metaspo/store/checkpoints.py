"""LangGraph's checkpoints: in the same file as everything else, or in a PostgreSQL."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from ..domain.paths import path_of
from .apart import SERDE, KeepsLargeApart
from .cancelled import RunsFailedAgain
from .files import is_writable, readable
from .location import whereabouts
from .postgres import open_postgres, threads_in_postgres
from .rollback import TakenBack
from .taken import TakesAnswersOnce

WRITES = "checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value"
"""What tasks wrote at a checkpoint, beside its thread; an older file has the columns in another order."""

BLOBS = "checkpoint_ns, channel, version, type, blob"
"""What is kept apart of a thread."""


class Checkpointer(TakenBack, RunsFailedAgain, TakesAnswersOnce, KeepsLargeApart):
    """LangGraph's saver on a SQLite file, with what servers do to whole threads."""

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy the checkpoints of a thread; they are no server run's, which would take them along when it is taken back."""
        metadata = "CAST(json_replace(json_remove(CAST(metadata AS TEXT), '$.run_id'), '$.thread_id', ?1) AS BLOB)"
        await self._write(
            (
                "INSERT OR REPLACE INTO checkpoints SELECT ?1, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,"
                f" checkpoint, {metadata} FROM checkpoints WHERE thread_id = ?2",
                (target_thread_id, source_thread_id),
            ),
            (
                f"INSERT OR REPLACE INTO writes (thread_id, {WRITES}) SELECT ?1, {WRITES} FROM writes WHERE thread_id = ?2",
                (target_thread_id, source_thread_id),
            ),
            (
                f"INSERT OR REPLACE INTO checkpoint_blobs (thread_id, {BLOBS}) SELECT ?1, {BLOBS} FROM checkpoint_blobs"
                " WHERE thread_id = ?2",
                (target_thread_id, source_thread_id),
            ),
        )

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete threads, or all that they have kept but the newest checkpoint of each graph."""
        newest = "SELECT max(checkpoint_id) FROM checkpoints c WHERE c.thread_id = ?1 AND c.checkpoint_ns = {0}.checkpoint_ns"
        older = "DELETE FROM {0} WHERE thread_id = ?1 AND checkpoint_id < (" + newest + ")"
        for thread in map(str, thread_ids):
            if strategy == "keep_latest":
                await self._write(*((older.format(table), (thread,)) for table in ("writes", "checkpoints")))
                await self.forget_unused(thread)
            else:
                await self.adelete_thread(thread)

    async def delete_of(self, run: str) -> None:
        """As in `TakenBack`."""
        its = "json_extract(CAST(metadata AS TEXT), '$.run_id') = ?"
        keys = "thread_id, checkpoint_ns, checkpoint_id"
        await self._write(
            (f"DELETE FROM writes WHERE ({keys}) IN (SELECT {keys} FROM checkpoints WHERE {its})", (run,)),
            (f"DELETE FROM checkpoints WHERE {its}", (run,)),
        )

    async def delete_writes(self, config: RunnableConfig) -> None:
        """As in `TakenBack`."""
        at = config["configurable"]
        key = (str(at["thread_id"]), at.get("checkpoint_ns", ""), at["checkpoint_id"])
        await self._write(("DELETE FROM writes WHERE thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?", key))

    async def _write(self, *statements: tuple[str, tuple[str, ...]]) -> None:
        """Everything or nothing."""
        await self.setup()
        async with self.lock:
            try:
                for statement, values in statements:
                    await self.conn.execute(statement, values)
                await self.conn.commit()
            except BaseException:
                await self.conn.rollback()
                raise


ELSEWHERE = "METASPO_CHECKPOINTS"
"""The environment variable that holds the address of a PostgreSQL for checkpoints, password and all."""


@asynccontextmanager
async def open_checkpointer(path: str | Path) -> "AsyncIterator[BaseCheckpointSaver[str]]":
    """The checkpointer of the runs in a store: on its file, or where `METASPO_CHECKPOINTS` says."""
    address = os.environ.get(ELSEWHERE)
    if address:
        opening: AbstractAsyncContextManager[BaseCheckpointSaver[str]] = open_postgres(address, ELSEWHERE, whereabouts(path))
    else:
        file = await asyncio.to_thread(path_of, path)
        opening = open_sqlite(file) if await asyncio.to_thread(is_writable, file) else read_sqlite(file)
    async with opening as saver:
        yield saver


async def threads_kept(saver: "BaseCheckpointSaver[str]", threads: Iterable[str]) -> set[str]:
    """Those of some threads that a checkpointer of `open_checkpointer` holds checkpoints of."""
    if not isinstance(saver, Checkpointer):
        return await threads_in_postgres(saver, threads)
    found = "SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id IN (SELECT value FROM json_each(?))"
    async with saver.lock:
        return {row[0] for row in await saver.conn.execute_fetchall(found, [json.dumps([*threads])])}


@asynccontextmanager
async def open_sqlite(path: str | Path) -> AsyncIterator[Checkpointer]:
    """A checkpointer on a store file that `Store` has opened before.

    With write-ahead logging and synchronous=NORMAL a checkpoint survives a killed process and costs
    a tenth of a fully synced one.
    """
    async with aiosqlite.connect(path, timeout=30) as connection:
        await connection.execute("PRAGMA synchronous=NORMAL")
        saver = Checkpointer(connection, serde=SERDE)
        await saver.setup()
        try:
            yield saver
        finally:
            # A write that was cancelled between its rows and its commit would keep the file locked for as
            # long as its cursor lives: closing a connection does not end what its statements hold.
            async with saver.lock:
                await connection.rollback()


@asynccontextmanager
async def read_sqlite(path: Path) -> AsyncIterator[Checkpointer]:
    """A checkpointer on a store file that can't be written to: what is there can be read."""
    with readable(path) as address:
        async with aiosqlite.connect(address, uri=True) as file, aiosqlite.connect(":memory:") as nothing:
            there = await file.execute_fetchall("SELECT 1 FROM sqlite_master WHERE name = 'checkpoints'")
            saver = Checkpointer(file if there else nothing, serde=SERDE)
            saver.is_setup = bool(there)
            yield saver
