"""A run's store, for a worker: calls are looked for at the study's desk too, claimed there, and recorded there first."""

from collections.abc import Sequence
from pathlib import Path

from ...domain.calls import Reply
from ...domain.errors import MetaspoError
from ...store import calls, claims
from ...store.batcher import Batcher
from ...store.calls import Call
from ...store.database import Store
from .messages import PAGE, Claims, LineLost, Page
from .wire import Wire


class AtTheDesk(claims.Holder):
    """What this worker has claimed; it stands until it is released, or until the desk takes the worker for lost."""

    def has(self, key: str) -> bool:
        """Whether a call is claimed. A worker that was given up is refused when it wants to pay."""
        return key in self.held


class SharedStore(Store):
    """A store of its own, whose calls are those of the study.

    A call is in the study's store before it is in this one, and in both before its reply is used: a worker that is
    lost with its disk loses none. What is found at the desk is kept here too, as paid by whoever paid for it.
    """

    def __init__(self, path: str | Path, wire: Wire) -> None:
        """Open `path`, which may be new, as part of the study that is led at the other end."""
        super().__init__(path)
        self._wire = wire
        self.holder = AtTheDesk()
        self._finds: Batcher[str, Reply | None] = Batcher(self._find)
        self._records: Batcher[Call, Reply] = Batcher(self._record)
        self._claims: Batcher[str, bool] = Batcher(self._claim)
        self._released: Batcher[str, None] = Batcher(self._release)

    async def catch_up(self, run: str) -> None:
        """Have in both stores all that a run has paid for: an earlier worker may have been lost with its store, or the desk."""
        theirs: set[str] = set()
        after: int | None = 0
        while after is not None:
            page: Page = await self._wire.ask("paid", after)
            await self._keep(page.calls)
            theirs.update(call.key for call in page.calls)
            after = page.after
        mine = await self.run(calls.unknown_to, run, theirs)
        for start in range(0, len(mine), PAGE):
            part = mine[start : start + PAGE]
            for call, stand in zip(part, await self._wire.ask("record", part), strict=True):
                if stand:  # Somebody else has asked it since; nothing here refers to this one, or it would be known there.
                    await self.run(calls.make_way, call.key, stand)

    async def find_call(self, key: str) -> Reply | None:
        """The recorded reply to a call, here or in the study's store, or None."""
        found = await super().find_call(key)
        # What was recorded of a call came with its claim, and nobody else records it as long as that stands.
        if found is not None or key.partition("/")[0] in self.holder.held:
            return found
        return await self._finds.submit(key)

    async def record_call(self, call: Call) -> Reply:
        """Record a call, in the study's store first; returns when it is in both, with the reply that stands."""
        return await self._records.submit(call)

    async def claim_call(self, key: str) -> bool:
        """Claim a call in the whole study; False when somebody else has claimed it."""
        return await self._claims.submit(key)

    async def release_call(self, key: str) -> None:
        """Give up a claim, for whoever waits."""
        await self._released.submit(key)

    async def sign_of_life(self) -> None:
        """The desk sees by itself that this worker lives."""

    async def unclaimed(self, keys: Sequence[str]) -> list[str]:
        """Those of some calls that nobody else asks any more."""
        try:
            found: list[str] = await self._wire.ask("unclaimed", [*keys])
            return found
        except LineLost:
            return [*keys]  # Whoever waits gets the same error, and says so.

    async def _find(self, keys: list[str]) -> list[Reply | None]:
        found: list[Call | None] = await self._wire.ask("find", keys)
        await self._keep([call for call in found if call is not None])
        return [call.reply if call is not None else None for call in found]

    async def _claim(self, keys: list[str]) -> list[bool]:
        found: Claims = await self._wire.ask("claim", keys)
        await self._keep(found.known)
        self.holder.held.update(key for key, ours in zip(keys, found.ours, strict=True) if ours)
        return found.ours

    async def _release(self, keys: list[str]) -> list[None]:
        self.holder.held.difference_update(keys)
        try:
            await self._wire.ask("release", keys)
        except LineLost:
            pass  # With the desk, the claims are gone.
        return [None] * len(keys)

    async def _record(self, paid: list[Call]) -> list[Reply]:
        try:
            stand: list[list[Call]] = await self._wire.ask("record", paid)
        except MetaspoError:
            # Paid is paid: it is found here, should the run go on with this store.
            await self._keep(paid)
            raise
        rows = [kept or [call] for call, kept in zip(paid, stand, strict=True)]
        await self._keep([row for kept in rows for row in kept])
        self.holder.held.difference_update(call.key.partition("/")[0] for call in paid)
        return [kept[0].reply for kept in rows]

    async def _keep(self, found: Sequence[Call]) -> None:
        if found:
            await self.run(calls.keep, found)
