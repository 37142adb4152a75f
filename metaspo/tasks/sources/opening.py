"""The one way from what a task names to rows: by the prefix of a service, by the ending of a file, or a folder."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...domain.errors import TaskError
from ...domain.paths import path_of
from ..rows.row import Row
from . import folder as folders
from . import hub, langsmith, parquet, yaml_files
from .named import COMMIT, HUB, LANGSMITH, Named, is_named
from .tools import filled

ReadFile = Callable[[Path], list[Row]]

SERVICES: Mapping[str, Callable[[Named], list[Row]]] = {HUB: hub.rows, LANGSMITH: langsmith.rows}
"""What opens a named data set, by its prefix."""

PINS: Mapping[str, Callable[[Named], Named]] = {HUB: hub.pinned, LANGSMITH: langsmith.pinned}
"""What says which version of a named data set there is now."""

FILES: Mapping[str, Callable[[Path, ReadFile], list[Row]]] = {
    ".parquet": lambda path, read: parquet.rows(path),
    ".yaml": yaml_files.rows,
    ".yml": yaml_files.rows,
}
"""What opens a file that is no text file of rows, by its ending."""

IN_FOLDERS = (".parquet", ".jsonl", ".csv")
"""The files that are looked for in a folder."""


def open_source(written: str | Mapping[str, Any], folder: Path | None, read: ReadFile) -> list[Row]:
    """The rows of a source: every file, folder and service that a task names is opened here, and nowhere else.

    Paths are relative to `folder`; `read` reads text files of rows. Raises TaskError, HubError, MissingExtraError.
    """
    if is_named(written):
        named = _named(written)
        found = SERVICES[named.kind](named)
    else:
        found = _of_path(path_of(str(written), folder), read)
    return [filled(row) for row in found]


def pinned(examples: Any, pins: dict[str, str]) -> Any:
    """What a task names, each data set of a service in the version of `pins`, or in that of now, which is put there.

    So a run that goes on sees the data that it began with, whatever became of the data set. Files are as they are.
    """
    if not is_named(examples):
        return {split: pinned(part, pins) for split, part in examples.items()} if isinstance(examples, dict) else examples
    named = _named(examples)
    if named.kind == HUB and COMMIT.fullmatch(named.version):
        return named.block
    if named.whole not in pins:
        pins[named.whole] = PINS[named.kind](named).version
    return named.at(pins[named.whole]).block


def _named(written: str | Mapping[str, Any]) -> Named:
    """The data set that is meant. Whatever asks a service comes through here first."""
    try:
        return Named.parse(written)
    except ValueError as error:
        raise TaskError(f"examples: {error}") from None


def _of_path(path: Path, read: ReadFile) -> list[Row]:
    if path.is_dir():
        if folders.is_saved(path):
            return hub.saved_rows(path)
        return folders.rows(path, IN_FOLDERS, lambda file: _of_path(file, read))
    opener = FILES.get(path.suffix.lower())
    found = [row if row.folder else replace(row, folder=path.parent) for row in (opener(path, read) if opener else read(path))]
    if not found:
        raise TaskError(f"{path}: holds no examples; add some, or name another file under 'examples'")
    return found
