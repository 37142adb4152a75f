"""What goes over a line between a worker and the desk of its study: plain data, which can be pickled. Nothing here asks.

What may be asked, with its arguments and its result:

    greet(version)              Greeting   first of all: refuses a worker of another version of metaspo
    news(knows)                 News       when there is any, or after `LONGEST` seconds without; `knows` that it ended
    paid(after)                 Page       the calls that this run has paid for, from a row of the study's store on
    find(keys)                  list[Call | None]   the recorded calls under some keys
    claim(keys)                 Claims     who asks some calls; what has been recorded of them comes with it
    unclaimed(keys)             list[str]  those that nobody else asks any more, when there are any, or after a moment
    release(keys)               None       claims are given up
    record(calls)               list[list[Call]]   for each the rows to keep, first the one that stands; none: it as it is
    account(entries)            list[Reason | None] for each `Reserve` what refuses it; None for a `GiveBack`
    slots(wish)                 int        slots granted so far, in all; further ones come as news
    turn(wish)                  list[int]  numbers of those requests that may go out by a limit a minute, once one may
    took(pace, number, tokens)  None       how many tokens that request took indeed
    note(text)                  None       what a person should know of the figures
    stop(reason)                None       the study ends, for all
    leave()                     None       this worker asks nothing any more

Whatever is asked may be answered with a `Reason`, which the worker raises as the error that it stands for.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from ...domain import errors
from ...domain.errors import MetaspoError, RunStopped
from ...store.calls import Call

PAGE = 200
"""Calls that travel together at most where all of a run's are sent."""


class LineLost(RunStopped):
    """The desk of a study can't be reached any more; the one error that a `Line` raises."""

    def __init__(self, why: str = "") -> None:
        """Say what to do, and why it can't be reached."""
        super().__init__(
            "the process that leads this study can't be reached any more" + (f" ({why})" if why else "") + "; what was "
            "recorded is safe: run the same command again"
        )


class Line(Protocol):
    """What a worker process asks the desk through. It knows which worker it belongs to."""

    async def ask(self, what: str, *args: Any) -> Any:
        """What `Desk.answer(worker, what, args)` returned. Several are asked at the same time, and some wait for long.

        Raises LineLost, and nothing else, as soon as the desk is known to be gone, for all that wait.
        """
        ...


@dataclass(frozen=True, slots=True)
class Worker:
    """One attempt at a run. Of the attempts at a run the highest counts."""

    run: str
    attempt: int


def _known(base: type[MetaspoError]) -> dict[str, type[MetaspoError]]:
    return {base.__name__: base} | {name: kind for sub in base.__subclasses__() for name, kind in _known(sub).items()}


OWN_WORDS = (errors.AwaitsApproval, errors.MissingExtraError, LineLost)
"""Errors that are not made of one text: they travel as the kind that they belong to."""

KINDS = {
    name: kind for name, kind in _known(MetaspoError).items() if kind.__module__ == errors.__name__ and kind not in OWN_WORDS
}
"""The errors that a reason may stand for."""


@dataclass(frozen=True, slots=True)
class Reason:
    """An error as plain data: its kind, or the nearest that is known, and what it says."""

    kind: str
    said: str

    @classmethod
    def of(cls, error: MetaspoError) -> "Reason":
        """What travels in the place of an error."""
        return cls(next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in KINDS), str(error))

    def error(self) -> MetaspoError:
        """The error that it stands for."""
        return KINDS.get(self.kind, RunStopped)(self.said)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker is told first: its run, the notes of the study's account, and what ended the study, if anything has."""

    run: str
    notes: tuple[str, ...]
    ended: Reason | None


@dataclass(frozen=True, slots=True)
class News:
    """What a worker has not been told yet.

    `ended` is why the study ended. `granted` counts the slots of an endpoint that it was ever given; `contended` says of
    an endpoint whether other workers wait for its slots, so that every one is to be returned when its request ends.
    """

    ended: Reason | None = None
    granted: dict[str, int] = field(default_factory=dict)
    contended: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Some recorded calls; `after` is where the next page begins, None behind the last one."""

    calls: list[Call]
    after: int | None


@dataclass(frozen=True, slots=True)
class Claims:
    """Which of some calls are the worker's now, in the order asked, and what is recorded under the keys of those."""

    ours: list[bool]
    known: list[Call]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Room for one call of a role; for one that was `sent` before there is room whatever the budget."""

    role: str
    sent: bool = False


@dataclass(frozen=True, slots=True)
class GiveBack:
    """A reserved call of a role came to nothing. One that was paid is settled by being recorded."""

    role: str


@dataclass(frozen=True, slots=True)
class SlotWish:
    """How many slots more a worker has use for, of an endpoint that bears `level` requests in all.

    `granted` and `returned` count the slots that it was ever given, as far as it has heard, and has ever given back.
    `first` says that others depend on what waits.
    """

    endpoint: str
    level: int
    wanted: int
    granted: int = 0
    returned: int = 0
    first: bool = False


@dataclass(frozen=True, slots=True)
class TurnWish:
    """Requests that are to go out in this order within the limits a minute of a pace; `amounts` are the tokens they take."""

    pace: str
    requests: int | None
    tokens: int | None
    amounts: tuple[float, ...]
