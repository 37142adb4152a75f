"""Scores in [0, 1] and their differences in [-1, 1] as people see them: in percent, and in points."""

from .intervals import Difference


def percent(score: float | None) -> str:
    """A score; nothing where there is none."""
    return "" if score is None else f"{100 * score:.1f}"


def signed(value: float | None) -> str:
    """A difference of scores, with its sign; nothing where there is none."""
    return "" if value is None else f"{100 * value:+.1f}"


def interval(low: float, high: float, sign: str = "+") -> str:
    """The ends of an interval: of a difference with their signs, of a score with `sign` empty."""
    return f"{100 * low:{sign}.0f} to {100 * high:{sign}.0f}"


def changed(difference: Difference) -> tuple[str, str]:
    """A difference of scores and its interval."""
    return signed(difference.value), interval(difference.low, difference.high)
