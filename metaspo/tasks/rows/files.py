"""Examples from files of text, each row with the place it came from."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ...domain.errors import TaskError
from .json_files import json_rows, jsonl_rows
from .row import Form, Row
from .tables import table_rows
from .text_files import read_text

Reader = Callable[[Path, str, Form], Iterator[Row]]

READERS: Mapping[str, Reader] = {
    ".json": json_rows,
    **dict.fromkeys((".jsonl", ".ndjson", ".jsonlines"), jsonl_rows),
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), table_rows),
}
"""By the ending of the file, without a ".gz" after it."""
ENDINGS = "use .json, .jsonl or .csv, .tsv or .txt for a table (each may be gzipped, .gz), .parquet or .yaml"
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


def read_rows(path: Path, form: Form | None = None) -> list[Row]:
    """The records of a file, by its ending; with a `delimiter` named, any other ending is that of a table.

    Raises TaskError naming file and line or item: no such file, another encoding, not valid, empty.
    """
    form = form or Form()
    ending = (Path(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower()
    reader = READERS.get(ending) or (table_rows if form.delimiter else None)
    if reader is None:
        instead = "save the sheet as .csv" if ending in SPREADSHEETS else ENDINGS
        named = f"; {ENDINGS}" if ending in SPREADSHEETS else ", or name the 'delimiter' of a table"
        raise TaskError(f"{path}: cannot read '{ending}' files; {instead}{named}")
    text = read_text(path, form.encoding)
    rows = list(reader(path, text, form)) if text.strip() else []
    if not rows:
        raise TaskError(f"{path}: holds no examples; add some, or name another file under 'examples'")
    return rows
