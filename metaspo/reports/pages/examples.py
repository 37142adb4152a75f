"""Examples on a page: those that changed first, then others, each with both replies, as many as there is room for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from sqlite_utils import Database

from ...domain.excerpts import excerpt
from ...domain.results import Split
from ..changed import Change, Compared, TaskCompared, compared
from ..controls import kind_of
from ..pairs import RunPairs
from .example import Shown, Wanted, read

ROOM = 1_200_000
"""Bytes that the examples of a page take at most, where nobody says."""

HEAD = 8_000
"""Bytes of what is around all examples, at most."""

TASK = 1_500
"""Bytes of what is around those of a task, at most."""

LENGTHS = (6_000, 3_000, 1_500, 700)
"""Bytes after which a text is cut: the first with which all that changed has room, else the last."""

CHUNK = 100
"""Examples whose texts are read at once: replies may be long."""

CHANGED: tuple[Change, ...] = ("gained", "lost")


@dataclass(frozen=True, slots=True)
class TaskExamples:
    """A task's examples: how many there are of each change, and those that are shown: what `changed`, and `others`."""

    name: str
    split: Split
    untouched: bool
    counts: Mapping[Change, int]
    changed: Sequence[Shown]
    others: Sequence[Shown]

    @property
    def all(self) -> int:
        """How many there are, shown or not."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of a run. `longest` is how many bytes of a text are shown, `without` names tasks that were not scored."""

    run: str
    tasks: Sequence[TaskExamples]
    bases: Sequence[str]
    longest: int
    without: Sequence[str]

    def count(self, *changes: Change) -> int:
        """How many there are of these changes, of any where none is named, shown or not."""
        return sum(number for task in self.tasks for change, number in task.counts.items() if change in changes or not changes)

    @property
    def shown(self) -> int:
        """How many are on the page."""
        return self.shown_changed + sum(len(task.others) for task in self.tasks)

    @property
    def shown_changed(self) -> int:
        """How many of those that changed are on the page."""
        return sum(len(task.changed) for task in self.tasks)

    @property
    def names(self) -> list[tuple[int, str]]:
        """The tasks by their places, to choose from."""
        return [(at, task.name) for at, task in enumerate(self.tasks)]

    @property
    def models(self) -> list[tuple[int, str]]:
        """The base models by their places, to choose from."""
        return [*enumerate(self.bases)]

    @property
    def tested(self) -> bool:
        """Whether all examples are test examples, which no selection saw."""
        return all(task.split == "test" for task in self.tasks)


def run_examples(pairs: RunPairs, run: str, room: int = ROOM) -> Examples:
    """The examples of a run in so many bytes: all that changed before any other, the tasks in turn."""
    tasks = compared(pairs)
    bases = list(dict.fromkeys(one.base for task in tasks for one in task.examples))
    wanted = [
        [Wanted(at, bases.index(one.base), task.task.task, one) for one in task.examples] for at, task in enumerate(tasks)
    ]
    longest, shown = _fitting(pairs.db, _in_order(wanted), room - HEAD - TASK * len(pairs.tasks))
    scored = {task.task.name for task in tasks}
    return Examples(
        run=run,
        tasks=[_task(task, [one for one in shown if one.task == at]) for at, task in enumerate(tasks)],
        bases=[excerpt(base) for base in bases],
        longest=longest,
        without=[excerpt(task.name) for task in pairs.tasks if task.name not in scored],
    )


def _fitting(db: Database, wanted: Sequence[Wanted], room: int) -> tuple[int, list[Shown]]:
    """After how many bytes a text is cut, and the examples that there is room for then."""
    changed = sum(one.found.change in CHANGED for one in wanted)
    for longest in LENGTHS:
        shown = _read_into(db, wanted, longest, room)
        if len(shown) >= changed:
            break
    return longest, shown


def _read_into(db: Database, wanted: Sequence[Wanted], longest: int, room: int) -> list[Shown]:
    shown: list[Shown] = []
    for start in range(0, len(wanted), CHUNK):
        for one in read(db, wanted[start : start + CHUNK], longest):
            room -= one.room
            if room < 0:
                return shown
            shown.append(one)
    return shown


def _in_order(tasks: Iterable[Sequence[Wanted]]) -> list[Wanted]:
    """What is shown first: what changed, the largest changes of each task first; then others. Tasks and kinds take turns."""
    changed: dict[object, list[Wanted]] = {}
    others: dict[object, list[Wanted]] = {}
    for one in chain.from_iterable(tasks):
        if one.found.change in CHANGED:
            changed.setdefault((one.task, one.found.change), []).append(one)
        else:
            others.setdefault((one.task, *_kinds(one.found)), []).append(one)
    for group in changed.values():
        group.sort(key=lambda one: -abs(one.found.by or 0))
    return [*_in_turn(changed.values()), *_in_turn(others.values())]


def _kinds(found: Compared) -> tuple[str, str]:
    return kind_of(found.before) if found.before else "", kind_of(found.after)


def _in_turn(groups: Iterable[Sequence[Wanted]]) -> list[Wanted]:
    return [one for turn in zip_longest(*groups) for one in turn if one]


def _task(task: TaskCompared, shown: Sequence[Shown]) -> TaskExamples:
    every = [one.change for one in task.examples]
    return TaskExamples(
        name=excerpt(task.task.name),
        split=task.split,
        untouched=task.untouched,
        counts={change: every.count(change) for change in ("gained", "lost", "same", "unknown")},
        changed=sorted((one for one in shown if one.change in CHANGED), key=lambda one: CHANGED.index(one.change)),
        others=sorted((one for one in shown if one.change not in CHANGED), key=lambda one: one.after.kind == "right"),
    )
