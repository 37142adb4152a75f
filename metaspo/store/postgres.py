"""LangGraph's checkpoints in a PostgreSQL, for many runs on many machines (extra `postgres`)."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata

from ..compat import postgres_cursor
from ..domain.errors import ConfigError, MissingExtraError, StoreError
from ..domain.redaction import redact
from .cancelled import RunsFailedAgain
from .location import RUNS_IN
from .rollback import TakenBack
from .taken import TakesAnswersOnce

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection, AsyncCursor
    from psycopg.rows import DictRow

LOCK = 0x6D73706F
"""PostgreSQL's name for our lock on creating tables; "mspo" in ASCII."""


class OnPostgres(BaseCheckpointSaver[str]):
    """What servers do to whole threads, on a saver for PostgreSQL."""

    _address: str
    _runs_in = ""  # the store that the runs behind these checkpoints are in
    _left = False  # whether it is closed for good

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Keep a checkpoint, with where its run's store is: who finds it from another machine has to know."""
        said = cast(CheckpointMetadata, {**metadata, RUNS_IN: self._runs_in})
        return await super().aput(config, checkpoint, said, new_versions)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy the checkpoints of a thread; they are no server run's, which would take them along when it is taken back."""
        metadata = "metadata - 'run_id' || CASE WHEN metadata ? 'thread_id' THEN jsonb_build_object('thread_id', %s::text)"
        select = {
            "checkpoints": f"checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, {metadata} ELSE '{{}}' END",
            "checkpoint_blobs": "checkpoint_ns, channel, version, type, blob",
            "checkpoint_writes": "checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path",
        }
        for table, columns in select.items():
            names = columns.replace(f"{metadata} ELSE '{{}}' END", "metadata")
            own = [target_thread_id] * (2 if table == "checkpoints" else 1)
            await self._write(
                f"INSERT INTO {table} (thread_id, {names}) SELECT %s, {columns} FROM {table} WHERE thread_id = %s"
                " ON CONFLICT DO NOTHING",
                *own,
                source_thread_id,
            )

    async def delete_of(self, run: str) -> None:
        """As in `TakenBack`."""
        keys = "thread_id, checkpoint_ns, checkpoint_id"
        its = f"SELECT {keys} FROM checkpoints WHERE metadata ->> 'run_id' = %s"
        await self._write(f"DELETE FROM checkpoint_writes WHERE ({keys}) IN ({its})", run)
        await self._write("DELETE FROM checkpoints WHERE metadata ->> 'run_id' = %s", run)

    async def delete_writes(self, config: RunnableConfig) -> None:
        """As in `TakenBack`."""
        at = config["configurable"]
        key = (str(at["thread_id"]), at.get("checkpoint_ns", ""), at["checkpoint_id"])
        where = "thread_id = %s AND checkpoint_ns = %s AND checkpoint_id = %s"
        await self._write(f"DELETE FROM checkpoint_writes WHERE {where}", *key)

    @property
    def _connection(self) -> "AsyncConnection[DictRow]":
        return cast("AsyncConnection[DictRow]", cast(Any, self).conn)

    async def _write(self, statement: str, *values: str) -> None:
        async with postgres_cursor(cast("AsyncPostgresSaver", self)) as cursor:
            await cursor.execute(statement, values)


@asynccontextmanager
async def open_postgres(address: str, named: str, runs_in: str = "") -> "AsyncIterator[AsyncPostgresSaver]":
    """A checkpointer on the database at `address` (postgresql://...), its tables created where they are missing.

    A connection that the database or a network ends is opened anew, so that a server may be left running. Raises
    ConfigError for something else than an address, and for a database whose checkpoints are another program's;
    MissingExtraError without the extra; StoreError when the database cannot be reached or fails later on. The address
    may hold a password, so errors call it by what it is `named`. Checkpoints say that their runs are in `runs_in`.
    """
    if not address.startswith(("postgresql://", "postgres://")):
        raise ConfigError(f"{named} is no address of a PostgreSQL; write postgresql://user:password@host:5432/database")
    try:
        from psycopg import Error, ProgrammingError

        saver_class = _saver_class()
    except ImportError:
        raise MissingExtraError(f"keeping checkpoints in a PostgreSQL ({named})", "postgres") from None
    try:
        async with saver_class.connected(address) as saver:
            saver._runs_in = runs_in
            await _set_up(saver, named)
            yield saver
    except ProgrammingError as error:
        if error.sqlstate is None:  # raised while the address was read; its words repeat it
            raise ConfigError(f"{named} is an address that PostgreSQL cannot read") from None
        raise StoreError(f"{named}: PostgreSQL failed: {_said(error)}") from None
    except Error as error:
        advice = "see that it runs and can be reached, then 'metaspo resume'; what was recorded is safe"
        raise StoreError(f"{named}: PostgreSQL failed: {_said(error)}; {advice}") from None


async def threads_in_postgres(saver: Any, threads: Iterable[str]) -> set[str]:
    """Those of some threads that a checkpointer of `open_postgres` holds checkpoints of."""
    async with postgres_cursor(saver) as cursor:
        await cursor.execute("SELECT DISTINCT thread_id FROM checkpoints WHERE thread_id = ANY(%s)", ([*threads],))
        return {row["thread_id"] for row in await cursor.fetchall()}


def _saver_class() -> Any:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import OperationalError

    class Saver(OnPostgres, TakenBack, RunsFailedAgain, TakesAnswersOnce, AsyncPostgresSaver):
        """LangGraph's saver on a PostgreSQL, whose connection is opened anew when it was ended.

        A pool would do that too, but lets each of a superstep's writes wait half a minute for a database that is gone.
        """

        @classmethod
        @asynccontextmanager
        async def connected(cls, address: str) -> AsyncIterator["Saver"]:
            saver = cls(await _connect(address))
            saver._address = address
            try:
                yield saver
            finally:
                saver._left = True
                await saver._connection.close()

        @asynccontextmanager
        async def _cursor(self, *, pipeline: bool = False) -> "AsyncIterator[AsyncCursor[DictRow]]":
            async with self.lock:
                try:
                    await self._connection.execute("")
                except OperationalError:
                    if self._left:
                        raise
                    await self._connection.close()
                    self.conn = await _connect(self._address)
                    if self._left:
                        # A write that nobody waits for any more may come after the end: nobody would close it.
                        await self._connection.close()
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor

    return Saver


async def _connect(address: str) -> "AsyncConnection[DictRow]":
    from psycopg import AsyncConnection
    from psycopg.rows import dict_row

    return await AsyncConnection.connect(address, autocommit=True, prepare_threshold=0, row_factory=dict_row)


async def _set_up(saver: "AsyncPostgresSaver", named: str) -> None:
    async with postgres_cursor(saver) as cursor:
        await cursor.execute(
            "SELECT to_regclass('checkpoints') IS NOT NULL AND to_regclass('checkpoint_migrations') IS NULL AS other"
        )
        row = await cursor.fetchone()
    if row is not None and row["other"]:
        raise ConfigError(
            f"{named} names a database that another program keeps checkpoints in, such as the Agent Server its own; "
            "create one for metaspo alone"
        )
    # Two processes that create the same tables at the same time fail. The lock is tried, not waited for:
    # whoever waits inside PostgreSQL holds a snapshot, and an index that is built concurrently waits for that.
    async with postgres_cursor(saver) as cursor:
        while True:
            await cursor.execute("SELECT pg_try_advisory_lock(%s) AS taken", (LOCK,))
            row = await cursor.fetchone()
            if row is not None and row["taken"]:
                break
            await asyncio.sleep(0.05)
    try:
        await saver.setup()
    finally:
        async with postgres_cursor(saver) as cursor:
            await cursor.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def _said(error: Exception) -> str:
    return redact(" ".join(str(error).split()))[:300]
