"""Where figures lie on an axis: numbers for the pictures of templates, from 0 to 100 across and down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from the first of its ticks, which lie equally far apart, to the last."""

    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Where a value lies: 0 at the axis' beginning, 100 at its end; what lies beyond is held there."""
        low, high = self.ticks[0], self.ticks[-1]
        return round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 2)


def scale_of(
    values: Iterable[float | None], *, most: float | None = None, steps: int = 5, zero: bool = False, whole: bool = False
) -> Scale:
    """An axis that holds all values, its ticks at round numbers, about `steps` of them; up to `most` where that is given.

    With `whole` they lie at whole numbers, for what there is no half of.
    """
    known = [value for value in values if value is not None] + ([0.0] if zero else [])
    low, high = min(known, default=0.0), max(known, default=1.0)
    if high - low < 1e-9:
        low, high = low - 0.05 * (not zero), high + 0.05
    step = _round_step((high - low) / max(1, steps - 1))
    step = max(1.0, ceil(step)) if whole else step
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    if most is not None:
        last = min(last, ceil(most / step - 1e-9))
    return Scale(tuple(round(at * step, 10) for at in range(first, max(last, first + 1) + 1)))


def _round_step(wanted: float) -> float:
    """The next number of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** floor(log10(wanted))
    return next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= wanted * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Line:
    """A series of a chart: points from left to right, and where it is known the interval around each."""

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over two axes; `y` holds scores in [0, 1]. A score that `stays` is drawn as steps: it holds until the next."""

    title: str
    across: str
    x: Scale
    y: Scale
    lines: Sequence[Line]
    stays: bool = False

    def path(self, line: Line) -> str:
        """A line as an SVG path."""
        points = [(self.x.at(x), 100 - self.y.at(y)) for x, y in line.points]
        if not self.stays or not points:
            return _through(points)
        return f"{_through(points[:1])}{''.join(f'H{x:g}V{y:g}' for x, y in points[1:])}"

    def area(self, line: Line) -> str:
        """The interval around a line as an SVG path."""
        there = [(self.x.at(x), 100 - self.y.at(high)) for x, _, high in line.band]
        back = [(self.x.at(x), 100 - self.y.at(low)) for x, low, _ in reversed(line.band)]
        return f"{_through([*there, *back])}Z" if there else ""

    def dots(self, line: Line) -> str:
        """The points of a line as an SVG path of dots."""
        return "".join(f"M{self.x.at(x):g} {100 - self.y.at(y):g}h0" for x, y in line.points)


def chart(title: str, across: str, lines: Sequence[Line], *, stays: bool = False) -> Chart:
    """A chart whose axes hold all of its lines; the one across counts from zero."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    edges = [edge for line in lines for _, low, high in line.band for edge in (low, high)]
    return Chart(title, across, scale_of(xs, zero=True, whole=True), scale_of([*ys, *edges], most=1.0), lines, stays)


def _through(points: Iterable[tuple[float, float]]) -> str:
    return "".join(f"{'L' if at else 'M'}{x:g} {y:g}" for at, (x, y) in enumerate(points))
