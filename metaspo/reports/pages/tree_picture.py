"""The tree of the system prompt drawn: a column a round, in it the candidates, the one that the way goes on with on top.

As in score_curve.py, places are percent of the width and pixels from the top. The list beside it has all that it shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .candidate_tree import Candidate, Tree

COLUMNS, ROWS = 40, 40
"""Rounds and candidates in a round that a drawing can show; a larger tree is told by its list alone."""

TOP, APART = 12, 14
"""Pixels from the top to the first row, and between rows."""

LEFT, RIGHT = 2.5, 97.5
"""Percent of the width at which the first and the last column are."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A candidate: where it is, what became of it, and what it says when it is pointed at."""

    x: float
    y: float
    kind: Literal["up", "fell", "dropped"]
    way: bool
    says: str


@dataclass(frozen=True, slots=True)
class Branch:
    """A line from a prompt to one that was made from it: along the parent's row, then down before the child's column."""

    x: float
    y: float
    bend: float
    to_x: float
    to_y: float
    way: bool


@dataclass(frozen=True, slots=True)
class TreePicture:
    """The drawing: branches below dots, the rounds along the bottom, and its height in pixels."""

    dots: Sequence[Dot]
    branches: Sequence[Branch]
    rounds: Sequence[tuple[float, str]]
    height: float


def tree_picture(tree: Tree) -> TreePicture | None:
    """The drawing of a tree; None where it is too large for one, or has nothing but first prompts."""
    every = list(_every([*tree.way[:1], *tree.beside]))
    columns: dict[int, list[Candidate]] = {}
    for one, _ in every:
        columns.setdefault(-1 if one.row.status == "seed" else one.row.round, []).append(one)
    if not 1 < len(columns) <= COLUMNS or max(map(len, columns.values())) > ROWS or not tree.way:
        return None
    wide = (RIGHT - LEFT) / (len(columns) - 1)
    at: dict[int, tuple[float, float]] = {}
    for number, round in enumerate(sorted(columns)):
        # The topmost row is the way's alone: whatever stands in force goes on there.
        column = [one for one in columns[round] if not one.on_the_way]
        rows = {id(one): row for row, one in enumerate(column, 1)}
        for one in columns[round]:
            at[id(one)] = (round_off(LEFT + wide * number), TOP + APART * rows.get(id(one), 0))
    dots = [Dot(*at[id(one)], _kind(one), one.on_the_way, _tells(one)) for one, _ in every]
    branches = [
        Branch(*at[id(parent)], round_off(at[id(one)][0] - wide * 0.4), *at[id(one)], one.on_the_way and parent.on_the_way)
        for one, parent in every
        if parent is not None
    ]
    labels = [(round_off(LEFT + wide * n), "first" if at < 0 else f"{at}") for n, at in enumerate(sorted(columns))]
    thin = -(-len(labels) // 12)
    deepest = max(y for _, y in at.values())
    stands = Branch(LEFT, TOP, LEFT, RIGHT, TOP, way=True)
    return TreePicture(dots, [*sorted(branches, key=lambda one: one.way), stands], labels[::thin], deepest + 32)


def round_off(percent: float) -> float:
    """A place with as many digits as a screen can show."""
    return round(percent, 2)


def _every(roots: Sequence[Candidate], parent: Candidate | None = None) -> Iterator[tuple[Candidate, Candidate | None]]:
    for one in roots:
        yield one, parent
        for group in one.groups:
            yield from _every(group.candidates, one)


def _kind(one: Candidate) -> Literal["up", "fell", "dropped"]:
    if one.row.prompt is None:
        return "dropped"
    return "fell" if one.fell or (one.row.status == "seed" and not one.on_the_way) else "up"


def _tells(one: Candidate) -> str:
    round = "" if one.row.status in ("seed", "carried") else f"round {one.row.round}, "
    return f"{round}{one.word}{': ' if one.says else ''}{one.says}"
