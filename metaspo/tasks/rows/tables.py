"""Rows of a table as text: CSV, tab-separated values and their kin."""

import csv
import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ...domain.errors import TaskError
from .row import Form, Row, no_hint

DELIMITERS = (",", "\t", ";", "|")
"""Those that are found, the likeliest first."""
NOTHING = "\x1f"
"""What divides the fields of a table of one column."""
SEP = re.compile(r'"?sep=([^\n"]|\\t)"?[ ,;\t]*\n', re.IGNORECASE)
"""The line by which Excel tells a file's delimiter."""
ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')
"""A quote inside a field as some programs write it, with a backslash before it; other backslashes are text."""
SPACED = re.compile(r' +".*"', re.DOTALL)
"""A quoted field after a delimiter and a space."""
_limit = Lock()


def table_rows(path: Path, text: str, form: Form) -> Iterator[Row]:
    """The rows of a table by its header, or by `form.columns` where it has none.

    Raises TaskError naming the line: quotes that don't close, a row of another length, two columns of one name.
    """
    for _ in range(form.skip_lines):
        text = text.partition("\n")[2]
    told = SEP.match(text)
    above = form.skip_lines + (1 if told else 0)
    delimiter = form.delimiter or (told[1].replace("\\t", "\t") if told else None)
    body = text[told.end() :] if told else text
    table = _read(body, [delimiter] if delimiter else _likely(path, body), len(form.columns))
    if table.problem:
        line, said = table.problem
        raise TaskError(f"{path}:{line + above}: not valid CSV: {said}; check the quotes around this field")
    if not table.records:
        return
    names, records = _header(path, table, form, above)
    hint = no_hint if form.columns else _no_header
    for record in records:
        if not table.fits(record):
            raise TaskError(f"{path}:{record.line + above}: {_length(names, record, table, form)}")
        values = {name: cell for name, cell in zip(names, record.cells, strict=False) if name}
        yield Row(f"{path}:{record.line + above}", "", values, hint)


def _no_header(field: str) -> str:
    return (
        "write columns: [...] if the first line is no header, skip_lines: 1 if the header stands below it, or name the "
        "'delimiter' if fields were not told apart"
    )


class Dialect(NamedTuple):
    """How fields are told apart."""

    delimiter: str
    quoted: bool = True
    escaped: bool = False
    spaced: bool = False


class Record(NamedTuple):
    """A row and the line that it begins on."""

    line: int
    cells: list[str]


@dataclass
class Table:
    """A text taken apart in one way; blank rows are left out. `width` is that of the header, or of the columns named."""

    dialect: Dialect
    records: list[Record]
    problem: tuple[int, str] | None
    columns: int

    @cached_property
    def header(self) -> list[str]:
        """The names in the first row, trimmed."""
        return [cell.strip() for cell in self.records[0].cells] if self.records else []

    @cached_property
    def width(self) -> int:
        """How many fields a row has."""
        return self.columns or len(self.header)

    @cached_property
    def needed(self) -> int:
        """The same without columns at the end that have no name: what stands there is not read and may be missing."""
        return self.columns or max((at + 1 for at, name in enumerate(self.header) if name), default=0)

    def fits(self, record: Record) -> bool:
        """Whether a row has its fields; empty ones beyond the last are none."""
        cells = record.cells
        return len(cells) >= self.needed and (len(cells) <= self.width or not any(cell.strip() for cell in cells[self.width :]))

    @cached_property
    def share(self) -> float:
        """The share of rows that have their fields; 0 where there is but one column, or quotes don't close."""
        if self.problem or not self.records or self.width < 2:
            return 0.0
        return sum(map(self.fits, self.records)) / len(self.records)

    @property
    def doubtful(self) -> bool:
        """Whether the delimiter is a comma that may be none: wherever it stands, it is one of prose or of a number."""
        return self.dialect.delimiter == "," and all(
            right[:1] == " " or (left[-1:].isdigit() and right[:1].isdigit())
            for record in self.records[0 if self.columns else 1 :]
            for left, right in pairwise(record.cells)
        )


def _likely(path: Path, text: str) -> list[str]:
    """The delimiters that a table may have, the likeliest first."""
    tabs = Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower() in (".tsv", ".tab")
    return ["\t"] if tabs and "\t" in text else list(DELIMITERS)


def _read(text: str, delimiters: list[str], columns: int) -> Table:
    """The text taken apart in the way in which most rows have the fields of the header."""
    # What divides the rows divides the header as well.
    first = text if columns else text.strip("\n").partition("\n")[0]
    tables = [_of_delimiter(text, one, columns) for one in delimiters if one in first or len(delimiters) == 1]
    whole = [table for table in tables if table.share == 1]
    if len(whole) > 1 and whole[0].doubtful:
        return whole[1]
    if len(delimiters) > 1 and all(table.width < 2 for table in tables):
        # Nothing in the header divides it: this is one column, whatever stands in its rows.
        one = _parsed(text, Dialect(NOTHING), columns)
        return _parsed(text, Dialect(NOTHING, quoted=False), columns) if one.problem else one
    return max(tables, key=lambda table: table.share)


def _of_delimiter(text: str, delimiter: str, columns: int) -> Table:
    table = _parsed(text, Dialect(delimiter), columns)
    if delimiter == "\t" and '"' in text:
        # In many of these files quotes are text. Where they are not, taking them for text breaks rows.
        plain = _parsed(text, Dialect(delimiter, quoted=False), columns)
        return plain if plain.share == 1 and (table.share < 1 or len(plain.records) > len(table.records)) else table
    others = [Dialect(delimiter, escaped=True)] if table.share < 1 and '\\"' in text else []
    if f'{delimiter} "' in text and (
        table.share < 1 or any(SPACED.fullmatch(cell) for record in table.records for cell in record.cells)
    ):
        others.append(Dialect(delimiter, spaced=True))
    return next((found for one in others if (found := _parsed(text, one, columns)).share == 1), table)


def _parsed(text: str, dialect: Dialect, columns: int) -> Table:
    records: list[Record] = []
    reader = csv.reader(
        io.StringIO(ESCAPED.sub(r'\1""', text) if dialect.escaped else text, newline=""),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
        skipinitialspace=dialect.spaced,
        strict=True,
    )
    line = 1
    with _any_length():
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    records.append(Record(line, cells))
                line = reader.line_num + 1
        except csv.Error as error:
            return Table(dialect, records, (line, str(error)), columns)
    return Table(dialect, records, None, columns)


@contextmanager
def _any_length() -> Iterator[None]:
    """Fields of any length, which Python's module can only allow to the whole process: for as long as this lasts."""
    with _limit:
        before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _header(path: Path, table: Table, form: Form, above: int) -> tuple[list[str], list[Record]]:
    if form.columns:
        own = [name.casefold() for name in table.header] == [name.casefold() for name in form.columns]
        return list(form.columns), table.records[1 if own else 0 :]
    return _told_apart(table.header), table.records[1:]


def _told_apart(names: list[str]) -> list[str]:
    """The names of the columns, those of one name numbered: a list of columns `a`, `a` is `a.1`, `a.2`, and none is `a`."""
    twice = {name for name in names if name and names.count(name) > 1}
    taken, found = set(names), []
    for at, name in enumerate(names):
        number = names[: at + 1].count(name)
        while name in twice and f"{name}.{number}" in taken:
            number += 1
        found.append(f"{name}.{number}" if name in twice else name)
        taken.add(found[-1])
    return found


def _length(names: list[str], record: Record, table: Table, form: Form) -> str:
    than = "'columns' names" if form.columns else "the header"
    return (
        f"has another number of columns ({len(record.cells)}) than {than} ({len(names)}), divided by "
        f"{table.dialect.delimiter!r}; check quotes and commas, name another 'delimiter', or the 'columns' of a file "
        "without a header; remove the line if it is a title or a footer, or write skip_lines where these stand above the header"
    )
