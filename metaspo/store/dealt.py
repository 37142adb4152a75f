"""Which examples a run drew, and for what: `dealt`. What selected in a run must not test a prompt that it made."""

from collections.abc import Mapping, Sequence

from sqlite_utils import Database

from ..domain.results import Example, Split
from . import runs

SELECTING: tuple[Split, ...] = ("train", "validation")
"""The splits whose examples a run may learn from."""


def save(db: Database, run: str, task: str, splits: Mapping[Split, Sequence[Example]]) -> None:
    """Record what a run drew of a task."""
    rows = [(run, task, example.id, split) for split, examples in splits.items() for example in examples]
    db.conn.executemany("INSERT OR IGNORE INTO dealt (run, task, example, split) VALUES (?, ?, ?, ?)", rows)


def lineage(db: Database, run: str) -> list[str]:
    """A run and all that it builds on: the parents of branches, and the runs that made the prompts it began with."""
    found: list[str] = []
    left = [run]
    while left:
        row = runs.known(db, left.pop())
        if row is None or row.id in found:
            continue
        found.append(row.id)
        left += [row.parent or "", *row.config.get("problem", {}).get("made_by", [])]
    return found


def selected_on(db: Database, run: str, among: Sequence[Split] = SELECTING) -> set[str]:
    """The questions that a run or one that it builds on could select or learn from, as they stand in the store."""
    names = lineage(db, run)
    marks, splits = ", ".join("?" * len(names)), ", ".join(f"'{split}'" for split in among)
    drawn = (
        f"SELECT e.question FROM dealt d JOIN examples e ON e.task = d.task AND e.id = d.example"
        f" WHERE d.run IN ({marks}) AND d.split IN ({splits})"
    )
    # Runs from before this table are known by what they scored.
    scored = (
        f"SELECT DISTINCT x.question FROM run_evaluations r JOIN evaluations e ON e.id = r.evaluation"
        f" JOIN outcomes o ON o.evaluation = e.id JOIN examples x ON x.task = e.task AND x.id = o.example"
        f" WHERE r.run IN ({marks}) AND e.split IN ({splits})"
    )
    return {question for asked in (drawn, scored) for (question,) in db.execute(asked, names)}
