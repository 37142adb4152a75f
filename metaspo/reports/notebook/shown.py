"""What results have in common where somebody works in Python: they show themselves, and give their rows as a data frame."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from ...domain.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    import pandas

    from ..pages.cell import Cell


@dataclass(frozen=True, slots=True)
class Frame:
    """Observations: the names of what was observed, and a row for each, read when they are asked for."""

    columns: Sequence[str]
    rows: Callable[[], Iterable[Sequence[Any]]]


Frames = Mapping[str, Frame]
"""What can be had as a data frame, by name; the first where none is named."""


@singledispatch
def cell_of(shown: Any) -> "Cell":
    """What an object shows of itself, as whoever knows its kind has registered."""
    raise TypeError(f"{type(shown).__name__} has nothing to show")


@singledispatch
def frames_of(shown: Any) -> Frames:
    """The data frames that an object has."""
    raise TypeError(f"{type(shown).__name__} has no rows")


class Shown:
    """Shows itself as a card in a notebook and as a few lines in a terminal."""

    __slots__ = ()

    drawn_in: ClassVar[str] = "reports.notebook"
    """The room whose cells and frames register how: loaded by name when first needed, since they know what they draw."""

    def __repr__(self) -> str:
        """A few lines for people."""
        from ..pages.cell import as_text

        import_module(f"metaspo.{self.drawn_in}.cells")
        return as_text(cell_of(self))

    def _repr_html_(self) -> str:
        """A card for a notebook."""
        from ..pages.cell import as_html

        import_module(f"metaspo.{self.drawn_in}.cells")
        return as_html(cell_of(self))

    def to_pandas(self, rows: str | None = None) -> "pandas.DataFrame":
        """A tidy data frame: one row an observation, plain column names, scores in [0, 1].

        `rows` names one of several frames; the error for another name lists them. Raises ConfigError, and
        MissingExtraError without pandas.
        """
        try:
            from pandas import DataFrame
        except ImportError:
            raise MissingExtraError("a data frame", "pandas") from None
        import_module(f"metaspo.{self.drawn_in}.frames")
        frames = frames_of(self)
        name = rows if rows is not None else next(iter(frames))
        if name not in frames:
            raise ConfigError(f"there are no rows {name!r}; to_pandas takes one of: {', '.join(frames)}")
        frame = frames[name]
        return DataFrame([tuple(row) for row in frame.rows()], columns=list(frame.columns))
