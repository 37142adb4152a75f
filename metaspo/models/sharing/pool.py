"""The slots of one endpoint, for all workers: whoever waits gets the next one, a worker at a time."""

from collections import OrderedDict

from .messages import SlotWish
from .seats import Seat


class Pool:
    """Never more slots are out than the endpoint bears. A single worker may have them all; where several wait, each in turn."""

    def __init__(self, endpoint: str, level: int) -> None:
        """All slots are free."""
        self._endpoint, self._level = endpoint, level
        self._held: dict[Seat, int] = {}
        self._returned: dict[Seat, int] = {}
        self._wants: OrderedDict[Seat, int] = OrderedDict()

    @property
    def free(self) -> int:
        """Slots that nobody has."""
        return self._level - sum(self._held.values())

    def wish(self, seat: Seat, wish: SlotWish) -> None:
        """Take back what a worker returned, and take down what it has use for."""
        back = max(0, wish.returned - self._returned.get(seat, 0))
        self._returned[seat] = self._returned.get(seat, 0) + back
        self._held[seat] = self._held.get(seat, 0) - back
        # What was granted while the wish was under way is what it wishes for.
        wanted = wish.wanted - (seat.granted.get(self._endpoint, 0) - wish.granted)
        if wanted > 0:
            self._wants[seat] = wanted
            if wish.first:
                self._wants.move_to_end(seat, last=False)
        else:
            self._wants.pop(seat, None)
        self._grant()

    def forget(self, seat: Seat) -> None:
        """A worker is gone, and its slots with it."""
        for known in (self._held, self._returned, self._wants):
            known.pop(seat, None)
        self._grant()

    def _grant(self) -> None:
        free = self.free
        while free > 0 and self._wants:
            seat, wanted = self._wants.popitem(last=False)
            if wanted > 1:
                self._wants[seat] = wanted - 1
            self._held[seat] = self._held.get(seat, 0) + 1
            seat.grant(self._endpoint)
            free -= 1
        for seat in self._held:
            seat.contend(self._endpoint, any(other is not seat for other in self._wants))
