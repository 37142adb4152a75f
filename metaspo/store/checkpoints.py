"""LangGraph's checkpoints: in the same file as everything else, or in a PostgreSQL."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from ..domain.errors import ConfigError
from ..domain.paths import path_of
from .cancelled import RunsFailedAgain
from .files import is_writable, readable
from .postgres import open_postgres
from .taken import TakesAnswersOnce


class Checkpointer(RunsFailedAgain, TakesAnswersOnce, AsyncSqliteSaver):
    """LangGraph's saver on a SQLite file."""


_served: Path | None = None


def serve_only(path: Path) -> None:
    """Say that this process keeps the history of its threads in one store, as the Agent Server does."""
    global _served
    _served = path


def refuse_elsewhere(path: str | Path) -> None:
    """Raise ConfigError where a run would be kept in another file than the history of its thread."""
    if _served is not None and path_of(path).absolute() != _served:
        raise ConfigError(
            f"this server keeps its runs in {_served}; leave 'store' out of the context, or start a server for the other file: "
            f"metaspo studio --store {path}"
        )


ELSEWHERE = "METASPO_CHECKPOINTS"
"""The environment variable that holds the address of a PostgreSQL for checkpoints, password and all."""


@asynccontextmanager
async def open_checkpointer(path: str | Path) -> "AsyncIterator[BaseCheckpointSaver[str]]":
    """The checkpointer of the runs in a store: on its file, or where `METASPO_CHECKPOINTS` says."""
    address = os.environ.get(ELSEWHERE)
    if address:
        opening: AbstractAsyncContextManager[BaseCheckpointSaver[str]] = open_postgres(address, ELSEWHERE)
    else:
        file = await asyncio.to_thread(path_of, path)
        opening = open_sqlite(file) if await asyncio.to_thread(is_writable, file) else read_sqlite(file)
    async with opening as saver:
        yield saver


@asynccontextmanager
async def open_sqlite(path: str | Path) -> AsyncIterator[Checkpointer]:
    """A checkpointer on a store file that `Store` has opened before.

    With write-ahead logging and synchronous=NORMAL a checkpoint survives a killed process and costs
    a tenth of a fully synced one.
    """
    async with aiosqlite.connect(path, timeout=30) as connection:
        await connection.execute("PRAGMA synchronous=NORMAL")
        saver = Checkpointer(connection)
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
            saver = Checkpointer(file if there else nothing)
            saver.is_setup = bool(there)
            yield saver
