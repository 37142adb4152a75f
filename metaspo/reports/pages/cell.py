"""What an object shows of itself where somebody works in Python: a card in a notebook, a few lines of text in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.excerpts import excerpt
from ...domain.visible import visible
from .page import fragment
from .text_diff import Part, text_diff

MOST = 40
"""Rows of a table that are shown; all are in the data frame."""

LONGEST = 20_000
"""Characters of a text up to which what changed in it is marked; a longer one is shown as it ended."""

WIDEST = 48
"""Characters of a table's field in a terminal."""


@dataclass(frozen=True, slots=True)
class Table:
    """Fields as people read them, scores in percent; in the columns `signed` a plus is better and a minus is worse.

    `prose` is of words, not of figures.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    signed: Sequence[str] = ()
    prose: bool = False

    @property
    def shown(self) -> Sequence[Sequence[str]]:
        """The rows that are shown."""
        return self.rows[:MOST]

    @property
    def left(self) -> int:
        """How many are not."""
        return max(0, len(self.rows) - MOST)


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt before and after; `opened` ones are shown at once, others on demand."""

    title: str
    before: str
    after: str
    opened: bool = True

    @property
    def parts(self) -> list[Part]:
        """What stayed, went and came."""
        if max(len(self.before), len(self.after)) > LONGEST:
            return [Part("same", self.after)]
        return text_diff(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Cell:
    """A title, what was gained in sentences, prompts, tables, what to know beside them, and what to do next as Python."""

    title: str
    says: Sequence[str] = ()
    texts: Sequence[Text] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    next: Sequence[tuple[str, str]] = ()


def as_html(cell: Cell) -> str:
    """The card, with its style and without any script; whatever comes from data is text."""
    return fragment("cell.html", cell=cell)


def as_text(cell: Cell) -> str:
    """The same in lines for a terminal, prompts by their beginnings."""
    lines = [cell.title, *cell.says]
    lines += [f"{text.title}: {excerpt(text.after, 300)}" for text in cell.texts if text.opened]
    for table in cell.tables:
        lines += ["", table.caption, *_lines(table)]
    lines += ["", *cell.notes, *(f"{what}: {code}" for what, code in cell.next)]
    return visible("\n".join(lines).rstrip())


def _lines(table: Table) -> list[str]:
    fields = [[excerpt(field, WIDEST) for field in row] for row in (table.columns, *table.shown)]
    widths = [max(len(row[at]) for row in fields) for at in range(len(table.columns))]
    lines = [
        "  ".join(
            field.rjust(width) if at else field.ljust(width) for at, (field, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in fields
    ]
    return [line.rstrip() for line in lines] + ([f"... and {table.left:,} more"] if table.left else [])
