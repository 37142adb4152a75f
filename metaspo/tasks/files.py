"""Examples from JSON, JSONL and CSV files, each row with the place it came from."""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.errors import TaskError
from .documents import half_characters

FORMS = "a list of objects, or {'train': [...], 'test': [...]}"
OBJECT = 'write {"question": ..., "answer": ...}'
ENCODINGS = "save the file as UTF-8 or set 'encoding' (latin-1, cp1252, utf-16, ...)"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file; `place` is 'file:line' or 'file, item N'; `split` is "" where the file draws none.

    `folder` is that of the file, which paths in it are relative to.
    """

    place: str
    split: str
    values: Mapping[str, Any]
    folder: Path | None = None


def read_rows(path: Path, encoding: str = "utf-8") -> list[Row]:
    """The records of a file, by its ending: .json, .jsonl or .csv.

    Raises TaskError naming file and line: no such file, another encoding, not valid, empty.
    """
    readers = {".json": _json, ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise TaskError(f"{path}: cannot read '{path.suffix}' files; use .json, .jsonl or .csv")
    text = _read_text(path, encoding)
    rows = list(readers[path.suffix.lower()](path, text)) if text.strip() else []
    if not rows:
        raise TaskError(f"{path}: holds no examples; add some, or name another file under 'examples'")
    return rows


def _read_text(path: Path, encoding: str) -> str:
    try:
        with_mark = codecs.lookup(encoding).name == "utf-8"
        text = path.read_text(encoding="utf-8-sig" if with_mark else encoding)
    except FileNotFoundError:
        raise TaskError(f"{path}: no such file; 'examples' is relative to the file that names it") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise TaskError(f"{path}:{line}: not {encoding} text; {ENCODINGS}") from None
    except UnicodeError:
        raise TaskError(f"{path}: not {encoding} text; {ENCODINGS}") from None
    except LookupError:
        raise TaskError(f"{path}: unknown encoding {encoding!r}; {ENCODINGS}") from None
    except (OSError, ValueError) as error:
        raise TaskError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise TaskError(f"{path}:{line}: holds a NUL byte, so it is not {encoding} text; {ENCODINGS}")
    return text


def _json(path: Path, text: str) -> Iterator[Row]:
    data = _parsed(text, path)
    splits = data if isinstance(data, dict) else {"": data}
    unknown = set(splits) - {"", "train", "validation", "test"}
    if unknown or not all(isinstance(rows, list) for rows in splits.values()):
        raise TaskError(f"{path}: expected {FORMS}" + (f", found key {sorted(unknown)[0]!r}" if unknown else ""))
    for split, rows in splits.items():
        for position, values in enumerate(rows):
            place = f"{path}, {split or 'item'}{f'[{position}]' if split else f' {position + 1}'}"
            yield Row(place, split, _object(values, place))


def _jsonl(path: Path, text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Row(f"{path}:{number}", "", _object(_parsed(line, path, number), f"{path}:{number}"))


def _parsed(text: str, path: Path, line: int = 1) -> Any:
    """JSON that starts on a line of a file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; one object a line belongs into a .jsonl file" if error.msg == "Extra data" and path.suffix == ".json" else ""
        raise TaskError(f"{path}:{line + error.lineno - 1}: not valid JSON: {error.msg}{hint}") from None
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{path}:{line}: cannot be read as JSON: {error}") from None


def _csv(path: Path, text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        names = reader.fieldnames or []
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise TaskError(f"{path}:{reader.line_num}: two columns are named {twice[0]!r}; rename one")
        for values in reader:
            place = f"{path}:{reader.line_num}"
            if None in values or None in values.values():
                # DictReader's own marks for too many and for too few.
                raise TaskError(f"{place}: has another number of columns than the header; check quotes and commas")
            yield Row(place, "", values)
    except csv.Error as error:
        # The reader counts the lines of the records before this one.
        raise TaskError(f"{path}:{reader.line_num + 1}: not valid CSV: {error}; check the quotes around this field") from None


def _object(values: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise TaskError(f"{place}: expected an object with named fields, found {type(values).__name__}; {OBJECT}")
    for where, text in half_characters(values):
        named = ".".join(map(str, where)) or "a name"
        raise TaskError(f"{place}: {named}: half of a character (a lone surrogate) in {text!r}; write it again")
    return values
