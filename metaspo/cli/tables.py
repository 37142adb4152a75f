"""The one way tables are laid out: side by side where the terminal is wide enough, else turned; no column and no figure is lost.

Three forms, and the first that fits is taken: a table; one whose names stand on lines of their own above their figures; and
records, a block a row, in which each figure stands behind its column's name. Only words are ever wrapped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.console import ConsoleOptions, RenderableType

from ..domain.visible import visible
from .screen import Screen, flowed, plain, wrapped

Kind = Literal["lead", "word", "figure", "text"]
"""A row's names, which lead it; a short word; a figure, to the right; and words that may be wrapped."""

GAP, INDENT, NARROWEST = 2, 2, 24
"""Cells between columns and before what stands below a name; and of a column of words, at least, where they are longer."""


@dataclass(frozen=True)
class _Row:
    cells: list[str]
    style: str
    ends: bool


class Fitted:
    """A table for a terminal of any width; its columns are the names of `kinds`, those that lead first."""

    def __init__(self, kinds: Mapping[str, Kind], title: str = "") -> None:
        """Begin without rows. Of several columns that lead, the first is shown once for rows alike in it."""
        self._title = title
        self._names = [_one_line(visible(name)) for name in kinds]
        self._kinds = list(kinds.values())
        self._leads = self._kinds.count("lead")
        self._rows: list[_Row] = []

    def add(self, *cells: str, style: str = "", ends: bool = False) -> None:
        """Add a row, a cell a column; `ends` has it end a part of the table."""
        shown = [
            visible(cell) if kind == "text" else _one_line(visible(cell)) for cell, kind in zip(cells, self._kinds, strict=True)
        ]
        self._rows.append(_Row(shown, style, ends))

    def __rich_console__(self, console: Screen, options: ConsoleOptions) -> Iterable[RenderableType]:
        """The table in the first form that fits."""
        width = options.max_width
        for line in wrapped(self._title, width) if self._title else ():
            yield plain(line, style="italic")
        for stacked in range(self._leads + 1):
            if "text" in self._kinds and stacked:
                break
            if (widths := self._widths(width, stacked)) is not None:
                yield from self._side_by_side(widths, width, stacked, "-" if options.ascii_only else "─")
                return
        yield from self._records(width)

    def _widths(self, width: int, stacked: int) -> list[int] | None:
        """The columns' widths without the first `stacked`; None where they do not fit."""
        at = range(stacked, len(self._names))
        longest = [max([cell_len(line) for row in self._rows for line in row.cells[i].split("\n")], default=0) for i in at]
        heads = [max(map(cell_len, self._names[i].split(" "))) for i in at]
        words = [i for i in at if self._kinds[i] == "text"]
        least = [
            max(head, min(most, NARROWEST) if i in words else most) for i, most, head in zip(at, longest, heads, strict=True)
        ]
        free = width - (INDENT if stacked else 0) - GAP * (len(least) - 1) - sum(least)
        if free < 0 or not least:
            return None
        # What is left over goes to words that are wrapped, narrow ones first, then to names of columns that are.
        wanted = [(max(most, cell_len(self._names[i])), i - stacked) for i, most in zip(at, longest, strict=True)]
        order = sorted(wanted, key=lambda one: (one[1] + stacked not in words, one[0]))
        for number, (want, i) in enumerate(order):
            rest = sum(at + stacked in words for _, at in order[number:]) or 1
            more = max(0, min(want - least[i], free // rest))
            least[i], free = least[i] + more, free - more
        return least

    def _side_by_side(self, widths: Sequence[int], width: int, stacked: int, rule: str) -> Iterable[RenderableType]:
        margin = " " * INDENT if stacked else ""
        whole = cell_len(margin) + sum(widths) + GAP * (len(widths) - 1)
        if stacked:
            yield from (plain(line, style="bold") for line in wrapped(", ".join(self._names[:stacked]), width))
        kinds = self._kinds[stacked:]
        yield from (plain(margin + line, style="bold") for line in _lines(self._names[stacked:], widths, kinds))
        yield plain(rule * whole)
        before: list[str] = []
        for row in self._rows:
            names, cells = row.cells[:stacked], row.cells[stacked:]
            if before and before[0] != row.cells[0] and self._leads > 1:
                yield plain("")
            if stacked and names != before[:stacked]:
                yield from (plain(line, style=row.style or "bold") for line in wrapped(", ".join(names), width))
            if not stacked and self._leads > 1 and before[:1] == row.cells[:1]:
                cells = ["", *cells[1:]]
            yield from (plain(margin + line, style=row.style) for line in _lines(cells, widths, kinds))
            if row.ends:
                yield plain("")
            before = row.cells

    def _records(self, width: int) -> Iterable[RenderableType]:
        """A block a row; a value that is missing in some rows is left out there, and one missing in all is said to be."""
        given = {i for i in range(len(self._names)) for row in self._rows if row.cells[i]}
        inner = max(1, width - INDENT)
        for row in self._rows:
            names = zip(self._names[: self._leads], row.cells, strict=False)
            lead = ", ".join(_joined(name if name not in ("", "task", "method") else "", cell) for name, cell in names if cell)
            yield from (plain(line, style="bold") for line in wrapped(lead, width))
            short, long = [], []
            for i in range(self._leads, len(self._names)):
                said = row.cells[i] or ("" if i in given else "-")
                if said:
                    (long if self._kinds[i] == "text" else short).append(_joined(self._names[i], said))
            for line in flowed(short, inner, " | "):
                yield from (plain(" " * INDENT + part, style=row.style) for part in wrapped(line, inner))
            for text in long:
                yield from (plain(" " * INDENT + part, style=row.style) for part in wrapped(text, inner))
            if row.ends:
                yield plain("")


def rows_as_table(rows: Sequence[Mapping[str, object]], kinds: Mapping[str, Kind]) -> Fitted:
    """Rows with the same keys as a table; `kinds` says what columns are, in their order, by key."""
    made = Fitted(kinds)
    for row in rows:
        made.add(*("" if row[name] is None else str(row[name]) for name in kinds))
    return made


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _joined(name: str, value: str) -> str:
    return f"{name} {value}" if name else value


def _lines(cells: Sequence[str], widths: Sequence[int], kinds: Sequence[Kind]) -> list[str]:
    """A row's lines: its cells wrapped and padded to their widths."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, parts), default=0)):
        line = ""
        for column, width, kind in zip(parts, widths, kinds, strict=True):
            text = column[number] if number < len(column) else ""
            pad = " " * (width - cell_len(text))
            line += (pad + text if kind == "figure" else text + pad) + " " * GAP
        lines.append(line.rstrip())
    return lines
