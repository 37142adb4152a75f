"""Where prompts can be kept, and what keeping them in a registry takes, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

from ...domain.prompts import Level
from .version import Version

CONFIRMED = "confirmed"
"""What a registry calls the newest version that is confirmed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A prompt that is kept: its name there, and its version, "" where it is only about to be made.

    `state` is "new", or "there" where the same version was there before; `confirmed` says that the registry's
    "confirmed" is now this version.
    """

    name: str
    kind: Level
    task: str
    version: str
    state: Literal["new", "there"]
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class There:
    """A version in a registry: what people call it, and what the registry does."""

    label: str
    id: str


class Refused(Exception):
    """A registry did not do what it was asked; `theirs` says that a person has to change something first."""

    def __init__(self, words: str, *, theirs: bool) -> None:
        """Say what is wrong and what to do, without keys."""
        super().__init__(words)
        self.theirs = theirs


class Place(ABC):
    """Where prompts can be kept; open while it is entered."""

    lower = False
    """Whether its names are in small letters."""

    where = ""
    """What to call it, with its address; known once it is entered."""

    def __enter__(self) -> Self:
        """Open it; raises UserError where it is not set up."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        return None

    @abstractmethod
    def keep(self, named: Sequence[tuple[str, Version]], kept: list[Kept], *, dry_run: bool) -> None:
        """Keep every version that is not there yet; `kept` grows as this goes on. Raises Refused."""


class Registry(Place):
    """A registry of prompts that others run: by name, each in versions."""

    @abstractmethod
    def known(self, name: str, pointer: str) -> tuple[There, str, str] | None:
        """The version that a pointer ("latest" or one of ours) stands for, with the task and digest that we wrote there."""

    @abstractmethod
    def add(self, name: str, version: Version) -> There:
        """A new version."""

    @abstractmethod
    def point(self, name: str, pointer: str, there: There) -> None:
        """Have a pointer stand for this version, and no other."""

    @abstractmethod
    def is_newer(self, name: str, one: There, other: There) -> bool:
        """Whether a version came after another."""

    @abstractmethod
    def refused(self, error: Exception) -> Refused:
        """What the registry's client raised, in words and without keys."""

    @contextmanager
    def in_words(self) -> Iterator[None]:
        """Has whatever the registry's client raises come as Refused."""
        try:
            yield
        except Exception as error:
            raise self.refused(error) from None

    def keep(self, named: Sequence[tuple[str, Version]], kept: list[Kept], *, dry_run: bool) -> None:
        """Add every version that is not there yet, then point to those that are confirmed; `kept` grows as this goes on.

        Raises Refused. What is kept by then stays, and the next time only the rest is done.
        """
        found: list[tuple[str, Version, There | None]] = []
        for name, version in named:
            there = self.find(name, version)
            state: Literal["new", "there"] = "there" if there else "new"
            if not dry_run:
                there = there or self.add(name, version)
            found.append((name, version, there))
            kept.append(Kept(name, version.kind, version.task, there.label if there else "", state))
            if there is not None and not dry_run:
                self._pointed(name, version.mark, there)
        for at, (name, version, there) in enumerate(found):
            if version.confirmed and there is not None and not dry_run and self._confirm(name, there):
                one = kept[at]
                kept[at] = Kept(one.name, one.kind, one.task, one.version, one.state, True)

    def find(self, name: str, version: Version) -> There | None:
        """The same version, if it is there; raises Refused where the name is taken by the prompt of another task."""
        for pointer in (version.mark, "latest"):
            known = self.known(name, pointer)
            if known is None:
                continue
            there, task, digest = known
            if digest and task != version.task:
                other = f"the user prompt of task {task!r}" if task else "a system prompt"
                raise Refused(f"{name} there is {other}; push under another NAME", theirs=True)
            if digest == version.digest:
                return there
        return None

    def _pointed(self, name: str, pointer: str, there: There) -> None:
        known = self.known(name, pointer)
        if known is None or known[0] != there:
            self.point(name, pointer, there)

    def _confirm(self, name: str, there: There) -> bool:
        """Point to the newest confirmed version; whether that is now this one."""
        known = self.known(name, CONFIRMED)
        if known is not None and known[0] != there and self.is_newer(name, known[0], there):
            return False
        if known is None or known[0] != there:
            self.point(name, CONFIRMED, there)
        return True
