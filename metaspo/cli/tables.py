"""The one way tables are laid out: side by side where the terminal is wide enough, else turned; no figure is lost.

Three forms, and the first that fits is taken: a table; one whose names stand on lines of their own above their figures; and
records, a block a row, in which each figure stands behind its column's name. Only words are ever wrapped.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import RenderableType

from ..domain.visible import visible
from .screen import Screen, flowed, plain, wrapped

Kind = Literal["lead", "word", "figure", "text"]
"""A row's names, which lead it; a short word; a figure, to the right; and words that may be wrapped."""

GAPS, INDENT, NARROWEST = (2, 1), 2, 30
"""Cells between columns, and where these do not fit; before what stands below a name; of words, at least, that are wrapped."""


@dataclass(frozen=True)
class _Row:
    cells: list[str]
    style: str
    ends: bool


class Fitted:
    """A table for a terminal of any width."""

    def __init__(self, columns: Mapping[str, Kind] | Sequence[tuple[str, Kind]], title: str = "") -> None:
        """Begin without rows. Columns that lead come first; of several, the first is shown once for rows alike in it."""
        pairs = columns.items() if isinstance(columns, Mapping) else columns
        self._title = title
        self._names = [_one_line(visible(name)) for name, _ in pairs]
        self._kinds = [kind for _, kind in pairs]
        self._leads = self._kinds.count("lead")
        self._rows: list[_Row] = []

    def add(self, *cells: str, style: str = "", ends: bool = False) -> None:
        """Add a row, a cell a column; `ends` has it end a part of the table."""
        shown = [
            visible(cell) if kind == "text" else _one_line(visible(cell)) for cell, kind in zip(cells, self._kinds, strict=True)
        ]
        self._rows.append(_Row(shown, style, ends))

    def __rich_console__(self, console: Screen, options: Any) -> Iterable[RenderableType]:
        """The table in the first form that fits."""
        width = options.max_width
        for line in wrapped(self._title, width) if self._title else ():
            yield plain(line, style="italic")
        forms = range(1 if "text" in self._kinds else self._leads + 1)
        for stacked, gap in ((stacked, gap) for stacked in forms for gap in GAPS):
            if (widths := self._widths(width, stacked, gap)) is not None:
                yield from self._side_by_side(widths, gap, width, "-" if options.ascii_only else "─")
                return
        yield from self._records(width, "-" if options.ascii_only else "─")

    def _widths(self, width: int, stacked: int, gap: int) -> list[int] | None:
        """The columns' widths without the first `stacked`; None where they do not fit."""
        at = range(stacked, len(self._names))
        longest = [
            max(cell_len(line) for text in [self._names[i], *(row.cells[i] for row in self._rows)] for line in text.split("\n"))
            for i in at
        ]
        words = [number for number, i in enumerate(at) if self._kinds[i] == "text"]
        least = [
            max(cell_len(self._names[i]), min(most, NARROWEST) if number in words else most)
            for number, (i, most) in enumerate(zip(at, longest, strict=True))
        ]
        free = width - (INDENT if stacked else 0) - gap * (len(least) - 1) - sum(least)
        if free < 0 or not least:
            return None
        # What is left over goes to the words that are wrapped, as much to each as it needs, the shortest first.
        words.sort(key=lambda number: longest[number])
        for sharing, number in zip(range(len(words), 0, -1), words, strict=True):
            more = min(longest[number] - least[number], free // sharing)
            least[number], free = least[number] + more, free - more
        # Where columns are close to each other, every cell that is left over sets one of them apart.
        for number in range(1, min(len(least), free + 1) if gap < GAPS[0] else 0):
            least[number] += 1
        return least

    def _side_by_side(self, widths: Sequence[int], gap: int, width: int, rule: str) -> Iterable[RenderableType]:
        stacked = len(self._names) - len(widths)
        margin = " " * INDENT if stacked else ""
        if stacked:
            yield from (plain(line, style="bold") for line in wrapped(", ".join(self._names[:stacked]), width))
        kinds = self._kinds[stacked:]
        yield from (plain(margin + line, style="bold") for line in _lines(self._names[stacked:], widths, kinds, gap))
        yield plain(rule * (len(margin) + sum(widths) + gap * (len(widths) - 1)))
        before: list[str] = []
        for row in self._rows:
            names, cells = row.cells[:stacked], row.cells[stacked:]
            if before and before[0] != row.cells[0] and self._leads > 1:
                yield plain("")
            if stacked and names != before[:stacked]:
                yield from (plain(line, style=row.style or "bold") for line in wrapped(", ".join(filter(None, names)), width))
            if not stacked and self._leads > 1 and before[:1] == row.cells[:1]:
                cells = ["", *cells[1:]]
            yield from (plain(margin + line, style=row.style) for line in _lines(cells, widths, kinds, gap))
            if row.ends:
                yield plain("")
            before = row.cells

    def _records(self, width: int, rule: str) -> Iterable[RenderableType]:
        """A block a row; a value that is missing in some rows is left out there, and one missing in all is said to be."""
        given = {i for i in range(len(self._names)) for row in self._rows if row.cells[i]}
        inner = max(1, width - INDENT)
        if any(heads := self._names[: self._leads]):
            yield from (plain(line, style="bold") for line in wrapped(", ".join(heads), width))
            yield plain(rule * width)
        for row in self._rows:
            # A number alone would not say what it counts.
            names = [_joined(name, cell) if cell.isdecimal() else cell for name, cell in zip(heads, row.cells, strict=False)]
            yield from (plain(line, style="bold") for line in wrapped(", ".join(filter(None, names)), width))
            for text in self._block(row, given, inner):
                yield from (plain(" " * INDENT + part, style=row.style) for part in wrapped(text, inner))
            if row.ends:
                yield plain("")

    def _block(self, row: _Row, given: set[int], width: int) -> list[str]:
        """What stands below a record's name: its figures behind their columns' names, then the words that are wrapped."""
        short: dict[str, tuple[str, str]] = {}
        words = []
        for i in range(self._leads, len(self._names)):
            said = row.cells[i] or ("" if i in given else "-")
            if said and self._kinds[i] == "text":
                words.append(_joined(f"{self._names[i]}:", said))
            elif said:
                short[_joined(self._names[i], said)] = self._names[i], said
        lines: list[str] = []
        for line in flowed(short, width, " | "):
            # A figure that its name leaves no room for goes below that, so that it stays whole.
            lines += [line] if cell_len(line) <= width else short[line]
        return lines + words


def rows_as_table(rows: Sequence[Mapping[str, Any]], **kinds: Kind) -> Fitted:
    """Rows with the same keys as a table whose first column leads; `kinds` says what columns are that do not show it."""
    names = list(rows[0]) if rows else []
    known = {name: kinds.get(name, _kind([row[name] for row in rows], first=at == 0)) for at, name in enumerate(names)}
    made = Fitted(known)
    for row in rows:
        made.add(*("" if value is None else str(value) for value in row.values()))
    return made


def _kind(values: Sequence[Any], *, first: bool) -> Kind:
    if first:
        return "lead"
    if all(value in (None, "") or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values):
        return "figure"
    return "word" if all(" " not in str(value) and cell_len(str(value)) <= NARROWEST for value in values) else "text"


def _one_line(text: str) -> str:
    return re.sub(r"\s*[\n\t]\s*", " ", text)


def _joined(name: str, value: str) -> str:
    return f"{name} {value}" if name else value


def _lines(cells: Sequence[str], widths: Sequence[int], kinds: Sequence[Kind], gap: int) -> list[str]:
    """A row's lines: its cells wrapped and padded to their widths."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, parts), default=0)):
        line = ""
        for column, width, kind in zip(parts, widths, kinds, strict=True):
            text = column[number] if number < len(column) else ""
            pad = " " * (width - cell_len(text))
            line += (pad + text if kind == "figure" else text + pad) + " " * gap
        lines.append(line.rstrip())
    return lines
