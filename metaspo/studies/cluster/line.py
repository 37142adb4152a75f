"""A worker's line to the actor that leads its study."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...models.sharing.messages import LineLost, Reason, Worker


class RayLine:
    """Asks the leader of a study, for one attempt at a run."""

    def __init__(self, leader: Any, worker: Worker) -> None:
        """Ask the actor `leader` as `worker`."""
        self._leader, self._worker = leader, worker

    async def ask(self, what: str, *args: Any) -> Any:
        """What the study's desk answers; raises LineLost where it is gone."""
        return await self._asked(self._leader.answer, what, args)

    async def begin(self, node: str, id: str) -> None:
        """Say where the attempt has begun: what people call the node, and Ray. Raises what ended the study, or this attempt."""
        await self._asked(self._leader.begin, node, id)

    async def fetch(self, builds_on: Sequence[str]) -> bytes:
        """A store with the run as far as the study knows it, and those that it builds on; empty where there is nothing."""
        found: bytes = await self._asked(self._leader.fetch, [*builds_on])
        return found

    async def are_mine(self, begun: Mapping[str, str]) -> bool:
        """Whether runs are those that the study's store has, by when they were begun."""
        found: bool = await self._asked(self._leader.are_mine, {**begun})
        return found

    async def ship(self, store: bytes) -> None:
        """Bring the run as it stands now into the study's store."""
        await self._asked(self._leader.ship, store)

    async def tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell the study's driver what happens."""
        await self._asked(self._leader.tell, [*events])

    async def _asked(self, method: Any, *args: Any) -> Any:
        from ray.exceptions import RayError

        try:
            found = await method.remote(self._worker, *args)
        except RayError as error:
            raise LineLost(str(error).strip().partition("\n")[0]) from None
        if isinstance(found, Reason) and method is not self._leader.answer:
            raise found.error()
        return found
