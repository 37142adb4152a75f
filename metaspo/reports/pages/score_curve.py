"""Score against calls as a picture: how the meta score rose over what was paid, with test points where there are any.

Places are parts of the picture's width and pixels from its top, so that one drawing suits every width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from ...domain.percentages import percent
from ...domain.prompts import RoundLevel
from ...store import prompts, runs
from ...store.events import told
from ..curve import points
from .page import count

TOP, BOTTOM = 26, 226
"""Pixels from the top of the picture to the highest and the lowest score."""

LEFT, RIGHT = 1.5, 97.0
"""Percent of the width at which the first and the last call lie."""

MANY = 60
"""Rounds from which on those that changed nothing have no mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A closed round: the score in force, in [0, 1], what the run had paid by then, and the test score of what stood.

    `calls` and `cost` are None for runs of versions that told no events; `test` where not every source task was tested.
    """

    round: int
    level: RoundLevel
    score: float
    changed: bool
    calls: int | None
    cost: float | None
    test: float | None

    @property
    def tells(self) -> str:
        """The mark in words."""
        paid = f" after {count(self.calls)} calls paid" if self.calls is not None else ""
        return f"round {self.round} ({self.level}): {percent(self.score)}{paid}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mark or a label is: percent of the width, pixels from the top."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and what it says."""

    at: float
    says: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One run's curve: its marks with their places, and those of its test scores."""

    marks: Sequence[Mark]
    places: Sequence[Place]
    tests: Sequence[tuple[Mark, Place]]


@dataclass(frozen=True, slots=True)
class ScoreCurve:
    """The picture: the run's curve, its placebo's where it has one, and the grid."""

    own: Curve
    placebo: Curve | None
    by_calls: bool
    scores: Sequence[Tick]
    amounts: Sequence[Tick]
    branch: tuple[str, int] | None
    many: bool

    @property
    def says(self) -> str:
        """The run's own curve in a sentence or two."""
        search = [mark for mark in self.own.marks if mark.level != "confirm"]
        first, last = search[0], search[-1]
        began = (
            f"{percent(first.score)}{' with what it carried over' if first.level == 'branch' else ' with the first prompts'}"
        )
        reached = next(mark for mark in search if mark.score == last.score)
        if first is last:
            said = f"The score that selects is {began}; no round of the search has ended yet."
        elif reached is first:
            said = f"The score that selects stayed at {began}: nothing that was tried{_paid(first, last)} did better."
        else:
            way = "rose" if last.score > first.score else "went"
            said = f"The score that selects {way} from {began} to {percent(last.score)}, reached in round {reached.round}"
            said += f" after {count(reached.calls)} calls paid." if reached.calls is not None else "."
            said += f" Nothing that was tried{_paid(reached, last)} after that did better." if reached is not last else ""
        if self.own.marks[-1].score != last.score:
            said += (
                " The run then went back to its first prompts, since those found did worse on examples that selected nothing."
            )
        return said

    @property
    def priced(self) -> bool:
        """Whether there is a cost to tell of."""
        return any(mark.cost for mark in self.own.marks)

    @property
    def levels(self) -> set[RoundLevel]:
        """The levels at which there were rounds."""
        return {mark.level for mark in self.own.marks}

    @property
    def idle(self) -> bool:
        """Whether any round of the search took nothing up."""
        return any(not mark.changed for mark in self.own.marks if mark.level in ("user", "system"))

    @property
    def tested(self) -> bool:
        """Whether there is a test score to tell of."""
        return bool(self.own.tests)


def _paid(since: Mark, until: Mark) -> str:
    if since.calls is None or until.calls is None:
        return ""
    return f" in {count(until.calls - since.calls)} calls"


def score_curve(db: Database, run: runs.Run) -> ScoreCurve | None:
    """The picture of a search, None before it has closed a round."""
    marks = _marks(db, run.id)
    if not marks:
        return None
    # That of a branch begins with prompts that were found, see PlaceboReport.
    beside = _marks(db, runs.placebo_id(run.id)) if run.parent_round is None else []
    every = [*marks, *beside]
    by_calls = all(mark.calls is not None for mark in every)
    scores = [mark.score for mark in every] + [mark.test for mark in every if mark.test is not None]
    low, high, step = _range(100 * min(scores), 100 * max(scores))
    most = max(_amount(mark, by_calls) for mark in every) or 1

    def curve(of: Sequence[Mark]) -> Curve:
        def place(mark: Mark, score: float) -> Place:
            x = LEFT + (RIGHT - LEFT) * _amount(mark, by_calls) / most
            return Place(round(x, 2), round(_height(100 * score, low, high), 1))

        # One that stands unchanged has been told of.
        tested = [mark for mark in of if mark.test is not None]
        news = [mark for mark in tested if mark.changed or mark in (tested[0], tested[-1])]
        tests = [(mark, place(mark, mark.test or 0.0)) for mark in news]
        return Curve(of, [place(mark, mark.score) for mark in of], tests)

    grid = [Tick(round(_height(at, low, high), 1), f"{at:g}") for at in _steps(low, high, step)]
    return ScoreCurve(
        own=curve(marks),
        placebo=curve(beside) if beside else None,
        by_calls=by_calls,
        scores=grid,
        amounts=_amounts(most),
        branch=(run.parent, run.parent_round) if run.parent and run.parent_round is not None else None,
        many=len(marks) > MANY,
    )


def _marks(db: Database, run: str) -> list[Mark]:
    """The rounds of the search with what had been paid at the end of each: the last time that it was told counts."""
    closed = {event["round"]: event["spent"] for _, _, event in told(db, run) if event["event"] == "round_closed"}
    tests: dict[int, list[float | None]] = {}
    for point in points(db, run):
        tests.setdefault(point.round, []).append(point.test)
    marks = []
    for row in prompts.rounds(db, run):
        if row.level == "test":
            continue
        spent, tested = closed.get(row.round), [score for score in tests.get(row.round, []) if score is not None]
        whole = tested and len(tested) == len(tests[row.round])
        marks.append(
            Mark(
                row.round, row.level, row.score, bool(row.accepted), spent and spent["calls"], spent and spent["cost"],
                sum(tested) / len(tested) if whole else None,
            )
        )  # fmt: skip
    return marks


def _amount(mark: Mark, by_calls: bool) -> int:
    return (mark.calls or 0) if by_calls else mark.round


def _height(score: float, low: float, high: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * (score - low) / (high - low)


def _range(low: float, high: float) -> tuple[float, float, float]:
    """From where to where the scores go, in percent, and in which steps; ends are steps."""
    wide = max(high - low, 4)
    step = next(step for step in (1, 2, 5, 10, 20) if wide / step <= 6)
    first, last = step * (low // step), step * -(-high // step)
    if first == last:
        first, last = first - step, last + step
    return max(first, 0) if low >= 0 else first, min(last, 100) if high <= 100 else last, step


def _steps(low: float, high: float, step: float) -> list[float]:
    return [low + step * at for at in range(int((high - low) / step) + 1)]


def _amounts(most: int) -> list[Tick]:
    """Round numbers along the bottom, at most five."""
    size = next(size * 10**power for power in range(12) for size in (1, 2, 5) if most / (size * 10**power) <= 4)
    return [Tick(round(LEFT + (RIGHT - LEFT) * at / most, 2), f"{at:,}") for at in range(0, most + 1, size)]
