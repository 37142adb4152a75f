"""Large values of a thread's state, such as tasks with their examples: kept once, not again with every checkpoint."""

import json
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

SERDE = JsonPlusSerializer(allowed_msgpack_modules=None)
"""Makes plain data and LangGraph's own types of what a file holds, and calls nothing else that it names."""

LARGE = 4_000
"""Bytes from which on a value is kept apart; less is not worth a row of its own."""

OF_VERSIONS = (
    "FROM json_each(?) v JOIN checkpoint_blobs b"
    " ON b.thread_id = ? AND b.checkpoint_ns = ? AND b.channel = v.key AND b.version = v.value"
)


class KeepsLargeApart(AsyncSqliteSaver):
    """LangGraph's saver for SQLite writes the whole state with every checkpoint; this one writes a large value once.

    As LangGraph's saver for PostgreSQL has it, a value is known by its channel and version, and lies in `checkpoint_blobs`:
    where a checkpoint has a channel's version and not its value, it is looked up there. Checkpoints of earlier versions,
    which have all of their values, are read as they are.
    """

    _has_blobs: bool | None = None

    async def aput(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, new_versions: ChannelVersions
    ) -> RunnableConfig:
        """Keep a checkpoint, and of its large values those that are not there yet."""
        values = checkpoint["channel_values"]
        versions = {name: str(version) for name, version in checkpoint["channel_versions"].items() if name in values}
        await self.setup()
        if await self._keeps_blobs():
            at = str(config["configurable"]["thread_id"]), config["configurable"]["checkpoint_ns"]
            apart = {name for (name,) in await self._blobs("b.channel", at, versions)}
            large = [
                (*at, name, versions[name], *written)
                for name in versions.keys() - apart
                if len((written := self.serde.dumps_typed(values[name]))[1]) >= LARGE
            ]
            if large:
                await self._keep(large)
            apart.update(name for _, _, name, *_ in large)
            checkpoint = {**checkpoint, "channel_values": {name: values[name] for name in values if name not in apart}}
        return await super().aput(config, checkpoint, metadata, new_versions)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint with all of its values."""
        found = await super().aget_tuple(config)
        return await self._whole(found) if found else None

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """The checkpoints, newest first, with all of their values."""
        async for found in super().alist(config, filter=filter, before=before, limit=limit):
            yield await self._whole(found)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread with what is kept apart of it."""
        await super().adelete_thread(thread_id)
        async with self.lock:
            await self.conn.execute("DELETE FROM checkpoint_blobs WHERE thread_id = ?", (str(thread_id),))
            await self.conn.commit()

    async def forget_unused(self, thread: str) -> None:
        """Delete what is kept apart of a thread for no checkpoint that is still there."""
        every = super().alist({"configurable": {"thread_id": thread}})
        used = {
            (found.config["configurable"]["checkpoint_ns"], name, str(version))
            async for found in every
            for name, version in found.checkpoint["channel_versions"].items()
        }
        async with self.lock:
            keys = "checkpoint_ns, channel, version"
            kept = await self.conn.execute_fetchall(f"SELECT {keys} FROM checkpoint_blobs WHERE thread_id = ?", (thread,))
            unused = [(thread, *key) for key in map(tuple, kept) if key not in used]
            await self.conn.executemany(f"DELETE FROM checkpoint_blobs WHERE thread_id = ? AND ({keys}) = (?, ?, ?)", unused)
            await self.conn.commit()

    async def _whole(self, found: CheckpointTuple) -> CheckpointTuple:
        values = found.checkpoint["channel_values"]
        versions = {name: str(version) for name, version in found.checkpoint["channel_versions"].items() if name not in values}
        if not versions or not await self._keeps_blobs():
            return found
        at = found.config["configurable"]
        rows = await self._blobs("b.channel, b.type, b.blob", (str(at["thread_id"]), at.get("checkpoint_ns", "")), versions)
        values.update((name, self.serde.loads_typed((kind, blob))) for name, kind, blob in rows)
        return found

    async def _keep(self, rows: list[tuple[Any, ...]]) -> None:
        # Before the checkpoint that needs them: whoever is killed in between leaves a value that nothing looks up.
        async with self.lock:
            await self.conn.executemany("INSERT OR REPLACE INTO checkpoint_blobs VALUES (?, ?, ?, ?, ?, ?)", rows)
            await self.conn.commit()

    async def _blobs(self, columns: str, at: tuple[str, str], versions: dict[str, str]) -> list[Any]:
        # Without the lock: whoever goes through `alist` holds it.
        return [*await self.conn.execute_fetchall(f"SELECT {columns} {OF_VERSIONS}", (json.dumps(versions), *at))]

    async def _keeps_blobs(self) -> bool:
        """Whether the file has a place for them: one of an earlier version that can't be written to has none."""
        if self._has_blobs is None:
            there = await self.conn.execute_fetchall("SELECT 1 FROM sqlite_master WHERE name = 'checkpoint_blobs'")
            self._has_blobs = bool(there)
        return self._has_blobs
