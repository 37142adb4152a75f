"""What changed between two data sets: examples new, gone, the same, with another answer; tasks and settings. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..domain.counting import counted
from .inventory import Inventory, Kept

ALIKE = 0.5
"""The share of the smaller one's questions that a new and a gone task have in common when they are one task, renamed."""


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What changed in one task, in numbers of examples: `same` has its question and answers again, `answers` another answer.

    Of the same ones `moved` are in another split that the data assigns. `was` is the name before, None where it is the
    same; `settings` are those that differ. Where not `whole`, only what the earlier run drew is known of the data before,
    and `new` are all others. Where `about`, the counts are worked out from a part of each data set.
    """

    task: str
    examples: int
    new: int
    gone: int
    same: int
    answers: int
    moved: int = 0
    was: str | None = None
    settings: tuple[str, ...] = ()
    whole: bool = True
    about: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing differs, as far as that is known."""
        return not (self.new or self.gone or self.answers or self.moved or self.settings or self.was)


@dataclass(frozen=True, slots=True)
class DataChanges:
    """What changed between the data sets of two runs: by task that both have, and the names of tasks new and gone."""

    tasks: list[TaskChange] = field(default_factory=list)
    new_tasks: list[str] = field(default_factory=list)
    gone_tasks: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether nothing differs."""
        return not (self.new_tasks or self.gone_tasks) and all(task.nothing for task in self.tasks)

    @property
    def new(self) -> int:
        """Examples that are new, in all tasks that were there before."""
        return sum(task.new for task in self.tasks)

    def as_data(self) -> dict[str, Any]:
        """Plain data, as the store and JSON have it."""
        return {**asdict(self), "tasks": [{**asdict(task), "settings": [*task.settings]} for task in self.tasks]}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "DataChanges":
        """What `as_data` wrote."""
        tasks = [TaskChange(**{**task, "settings": tuple(task["settings"])}) for task in data["tasks"]]
        return cls(tasks, [*data["new_tasks"]], [*data["gone_tasks"]])


def data_changes(before: Mapping[str, Inventory], after: Mapping[str, Inventory]) -> DataChanges:
    """What changed between two data sets, tasks by name; a new task that has a gone one's questions is that one, renamed."""
    names = {name: name for name in after if name in before} | _renamed(before, after)
    found = [task_change(name, before[names[name]], one, names[name]) for name, one in after.items() if name in names]
    return DataChanges(
        found, [name for name in after if name not in names], [name for name in before if name not in names.values()]
    )


def task_change(name: str, before: Inventory, after: Inventory, was: str | None = None) -> TaskChange:
    """What changed in one task."""
    limit = min((max(one.kept) for one in (before, after) if one.kept and one.examples > len(one.kept)), default=None)
    old, new = ({at: one for at, one in every.kept.items() if limit is None or at <= limit} for every in (before, after))
    both = [(old[at], new[at]) for at in new if at in old]
    same = [(then, now) for then, now in both if then.answers == now.answers]

    def of(count: int, every: Inventory, part: Mapping[bytes, Kept]) -> int:
        return round(count * every.examples / len(part)) if limit is not None and part else count

    known = [key for key in after.settings if key in before.settings]
    return TaskChange(
        task=name,
        examples=after.examples,
        new=of(len(new) - len(both), after, new),
        gone=of(len(old) - len(both), before, old),
        same=of(len(same), after, new),
        answers=of(len(both) - len(same), after, new),
        # Of a run without an inventory it is not known what its data assigned.
        moved=of(sum(then.split != now.split for then, now in same), after, new) if before.whole else 0,
        was=was if was not in (None, name) else None,
        settings=tuple(key for key in known if before.settings[key] != after.settings[key]),
        whole=before.whole,
        about=limit is not None,
    )


def _renamed(before: Mapping[str, Inventory], after: Mapping[str, Inventory]) -> dict[str, str]:
    """Tasks of a new name with the names that they had before."""
    gone = [name for name in before if name not in after]
    found: dict[str, str] = {}
    for name, one in after.items():
        shares = {other: _share(before[other], one) for other in gone if other not in found.values()}
        likest = max(shares, key=lambda other: shares[other], default=None)
        if name not in before and likest is not None and shares[likest] >= ALIKE:
            found[name] = likest
    return found


def _share(before: Inventory, after: Inventory) -> float:
    smaller = min(len(before.kept), len(after.kept))
    return len(before.kept.keys() & after.kept.keys()) / smaller if smaller else 0.0


def changes_say(found: DataChanges, since: str) -> list[str]:
    """What changed, in sentences: one on all, and where there are several tasks one on each that changed.

    `since` is what the data are compared with, such as "run 3f2a".
    """
    if found.nothing:
        same = counted(sum(one.same for one in found.tasks), "example")
        return [f"Since {since} nothing has changed in the data: {same}, all the same."]
    total = _summed(found.tasks)
    parts = [_counts(total)] if found.tasks else []
    parts += [f"new: {', '.join(found.new_tasks)}"] if found.new_tasks else []
    parts += [f"gone: {', '.join(found.gone_tasks)}"] if found.gone_tasks else []
    said = [f"Since {since}: {'; '.join(parts)}."]
    changed = [one for one in found.tasks if not one.nothing]
    each = changed if len(found.tasks) > 1 else [one for one in changed if one.settings or one.was]
    return said + [f"{one.task}: {'; '.join(_of_task(one, counts=len(found.tasks) > 1))}." for one in each]


def _of_task(one: TaskChange, *, counts: bool) -> list[str]:
    parts = [_counts(one)] if counts else []
    parts += [f"it was called {one.was}"] if one.was else []
    return parts + ([f"another {', another '.join(one.settings)}"] if one.settings else [])


def _counts(one: TaskChange) -> str:
    about = "about " if one.about else ""
    if not one.whole:
        drew = one.same + one.answers + one.gone
        parts = [f"of the {counted(drew, 'example')} that it drew {one.same:,} are the same", f"{one.gone:,} gone"]
        parts += [f"{one.answers:,} with another answer", f"{one.new:,} that it did not draw (it kept no record of others)"]
        return ", ".join(parts)
    moved = [f"{one.moved:,} of them in another split"] if one.moved else []
    return ", ".join(
        [
            f"{about}{counted(one.new, 'new example')}", f"{one.gone:,} gone", f"{one.answers:,} with another answer",
            f"{one.same:,} the same",
            *moved,
        ]
    )  # fmt: skip


def _summed(every: Sequence[TaskChange]) -> TaskChange:
    counts = ("examples", "new", "gone", "same", "answers", "moved")
    total = {name: sum(getattr(one, name) for one in every) for name in counts}
    return TaskChange("", **total, whole=all(one.whole for one in every), about=any(one.about for one in every))
